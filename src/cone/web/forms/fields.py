"""The fields that all forms are made of: plain controls, numbers as people type them, days."""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django import forms

from cone.domain.errors import InvalidFieldError, NotAllowedError, RecordNotFoundError, RefusalError

Result = TypeVar("Result")
Choices = Iterable[tuple[str, str]]

_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_PLAIN_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_LONGEST_NUMBER = 40
_INVISIBLE = "it contains an invisible control character that can't be kept"


class PlainForm(forms.Form):
    """A form whose messages come from us: the browser's own bubbles are off, and ids end in the field's name."""

    use_required_attribute = False


def text(label: str, *, required: bool = True, rows: int = 0, hint: str = "", **attributes: str) -> forms.CharField:
    """A text; its length and content are the operation's to judge."""
    widget = forms.Textarea(attrs={"rows": rows, **attributes}) if rows else forms.TextInput(attrs=attributes)
    return forms.CharField(
        label=label,
        required=required,
        widget=widget,
        help_text=hint,
        error_messages={
            "required": f"Enter {_the(label)}.",
            "null_characters_not_allowed": f"Type {_the(label)} again: {_INVISIBLE}.",
        },
    )


def choice(label: str, choices: Choices = (), *, required: bool = True, hint: str = "") -> forms.ChoiceField:
    """A drop-down."""
    return forms.ChoiceField(
        label=label,
        choices=list(choices),
        required=required,
        help_text=hint,
        error_messages={"required": f"Choose {_the(label)}.", "invalid_choice": "Choose one from the list."},
    )


class NumberField(forms.DecimalField):
    """A decimal as people type it: spaces and thousands separators are welcome."""

    def __init__(self, label: str, *, required: bool = True, is_whole: bool = False, hint: str = "") -> None:
        super().__init__(
            label=label,
            required=required,
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "class": "amount-input"}),
            error_messages={
                "required": f"Enter {_the(label)}.",
                "invalid": "Enter a number, such as 12.50.",
                "max_decimal_places": "Enter a whole number.",
            },
            # How large it may be and how many decimals it may have is the operation's to judge.
            decimal_places=0 if is_whole else None,
            help_text=hint,
        )

    def to_python(self, value: Any) -> Any:
        typed = re.sub(r"[\s\u00a0\u202f]", "", str(value)) if value is not None else ""
        if len(typed) > _LONGEST_NUMBER:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        if _GROUPED.fullmatch(typed):
            typed = typed.replace(",", "")
        if typed and not _PLAIN_NUMBER.fullmatch(typed):
            # Python would read 1_000 and 1e5, too: on an invoice they're slips.
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(typed)


def ask_for_rate(form: forms.Form, *, currency: str, home_currency: str) -> None:
    """Have a form ask for the exchange rate of a foreign currency, and not at all for that of the firm's own."""
    if currency == home_currency:
        del form.fields["exchange_rate"]
    else:
        hint = f"{home_currency} for 1 {currency}. Empty: your accounting software uses its own rate of the date."
        form.fields["exchange_rate"].help_text = hint


def day(label: str, *, required: bool = True, hint: str = "") -> forms.DateField:
    """A calendar date; the browser sends ISO 8601."""
    return forms.DateField(
        label=label,
        required=required,
        help_text=hint,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"required": f"Choose {_the(label)}.", "invalid": "Enter a date such as 2026-11-23."},
    )


class _RevisionField(forms.IntegerField):
    """A hidden number: one that isn't any is as good as none, since nobody could see what's wrong with it."""

    def to_python(self, value: Any) -> int | None:
        try:
            return super().to_python(value)
        except forms.ValidationError:
            return None


def revision() -> forms.IntegerField:
    """The revision that a form was filled from, so that it can't overwrite what its person never saw."""
    return _RevisionField(required=False, widget=forms.HiddenInput)


def seen_revision(form: forms.Form) -> int:
    """The revision a valid form was filled from; a form without one is as good as an old one."""
    return form.cleaned_data["revision"] or 0


def attempt(
    form: forms.Form, act: Callable[[], Result], *, beyond: tuple[type[RefusalError], ...] = ()
) -> Result | None:
    """Do it if the form is well-formed; a refusal is shown in the form, beside its field where it names one.

    Raises: NotAllowedError, RecordNotFoundError, and what else is `beyond` the form: it can't mend those.
    """
    passed_on: tuple[type[RefusalError], ...] = (NotAllowedError, RecordNotFoundError, *beyond)
    if not form.is_valid():
        return None
    try:
        return act()
    except passed_on:
        raise
    except InvalidFieldError as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
    except RefusalError as refusal:
        form.add_error(None, str(refusal))
    return None


def _the(label: str) -> str:
    return f"the {label[0].lower()}{label[1:]}"
