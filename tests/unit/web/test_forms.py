"""What forms say of what they can't read: in our words, whatever is typed into whichever field."""

import re

import pytest
from django.forms import HiddenInput

from cone.web.forms import customer, integrations, invoice, payment, settings
from cone.web.forms.fields import NumberField, PlainForm, revision, text

FORMS = [
    form
    for module in (customer, integrations, invoice, payment, settings)
    for form in vars(module).values()
    if isinstance(form, type) and issubclass(form, PlainForm) and form is not PlainForm
]
DJANGOS = re.compile("Null characters|^Ensure|^Enter a valid|^This field|^Select a valid")


@pytest.mark.parametrize("typed", ["", "\0", "a\0b", "abc", "-1.234567890123", "9" * 30, "1e5", "2026-13-45"])
@pytest.mark.parametrize("form", FORMS)
def test_no_form_speaks_in_the_frameworks_words(form: type[PlainForm], typed: str) -> None:
    filled = form(dict.fromkeys(form.base_fields, typed))

    said = {
        name: list(errors)
        for name, errors in filled.errors.items()
        if name in form.base_fields and not isinstance(form.base_fields[name].widget, HiddenInput)
    }

    assert [message for messages in said.values() for message in messages if DJANGOS.search(str(message))] == []


def test_invisible_character_and_fraction_are_named() -> None:
    class Form(PlainForm):
        city = text("City")
        days = NumberField("Days to pay", is_whole=True)

    assert Form({"city": "Be\0rn", "days": "12.5"}).errors == {
        "city": ["Type the city again: it contains an invisible control character that can't be kept."],
        "days": ["Enter a whole number."],
    }


@pytest.mark.parametrize(("typed", "read"), [("7", 7), ("", None), ("seven", None), ("1.5", None)])
def test_revision_that_is_no_number_counts_as_none(typed: str, read: int | None) -> None:
    assert revision().clean(typed) == read
