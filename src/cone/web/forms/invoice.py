"""The invoice form: a header and as many lines as the person wants."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.forms import CharField, HiddenInput

from cone.domain.errors import InvalidFieldError
from cone.domain.invoices import InvoiceInput, LineInput
from cone.domain.totals import AmountsAre, Discount
from cone.web.choices import InvoiceChoices
from cone.web.formats import typed_number
from cone.web.forms import fields

# "typed" names those that somebody typed in, as long as the page is open: no choice of a service overwrites them.
LINE_FIELDS = ("service", "description", "quantity", "unit_price", "discount_percent", "tax_rate", "typed")
# A line that has none of these was left empty: quantity and tax rate come filled.
_CONTENT_FIELDS = ("service", "description", "unit_price")
RawLine = dict[str, str]


class InvoiceForm(fields.PlainForm):
    """The invoice without its lines."""

    customer = fields.choice("Customer")
    issue_date = fields.day("Issue date")
    due_date = fields.day("Due date")
    amounts_are = fields.choice(
        "Prices", [(AmountsAre.EXCLUSIVE.value, "exclude tax"), (AmountsAre.INCLUSIVE.value, "include tax")]
    )
    discount = fields.NumberField("Discount on the whole", required=False)
    discount_is = fields.choice("Discount is", [("percent", "percent"), ("amount", "an amount")], required=False)
    exchange_rate = fields.NumberField("Exchange rate", required=False)
    memo = fields.text("Memo", required=False, rows=3, hint="Shown to the customer.")
    revision = fields.revision()

    def offer(self, choices: InvoiceChoices, customer: str) -> "InvoiceForm":
        """Fill the drop-down of customers; the one chosen says whether a rate is asked for."""
        currency = choices.currencies.get(customer, choices.home_currency)
        fields.ask_for_rate(self, currency=currency, home_currency=choices.home_currency)
        self.fields["customer"].choices = [("", "Choose a customer"), *choices.customers]  # type: ignore[attr-defined]  # it's a ChoiceField
        return self


class LineForm(fields.PlainForm):
    """One line."""

    service = fields.choice("Service", required=False)
    description = fields.text("Description", required=False, rows=1)
    quantity = fields.NumberField("Quantity")
    unit_price = fields.NumberField("Price")
    discount_percent = fields.NumberField("Discount %", required=False)
    tax_rate = fields.choice("Tax")
    typed = CharField(required=False, widget=HiddenInput)

    def offer(self, choices: InvoiceChoices) -> "LineForm":
        """Fill the drop-downs and name every control for screen readers: its label is the table's head."""
        self.fields["service"].choices = [("", "–"), *choices.services]  # type: ignore[attr-defined]  # it's a ChoiceField
        self.fields["tax_rate"].choices = list(choices.tax_rates)  # type: ignore[attr-defined]  # as above
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label
        return self

    def to_input(self) -> LineInput:
        typed = self.cleaned_data
        return LineInput(
            service=UUID(typed["service"]) if typed["service"] else None,
            description=typed["description"],
            quantity=typed["quantity"],
            unit_price=typed["unit_price"],
            discount_percent=typed["discount_percent"] or Decimal(0),
            tax_rate=UUID(typed["tax_rate"]),
        )


def line_prefix(position: int) -> str:
    return f"line-{position}"


def read_raw_lines(posted: Mapping[str, Any], *, most: int) -> list[RawLine]:
    """The typed lines in order, however the browser numbered them; beyond `most` + 1 nothing is read."""
    numbers = set()
    for name in posted:
        start, _, rest = name.partition("-")
        number, _, field = rest.partition("-")
        if start == "line" and field in LINE_FIELDS and number.isascii() and number.isdigit() and len(number) < 7:
            numbers.add(int(number))
    return [
        {field: str(posted.get(f"{line_prefix(number)}-{field}", "")) for field in LINE_FIELDS}
        for number in sorted(numbers)[: most + 1]
    ]


def is_blank(line: RawLine) -> bool:
    """Say whether the person left this line alone."""
    return not any(line[field].strip() for field in _CONTENT_FIELDS)


def fill_from_service(line: RawLine, choices: InvoiceChoices, *, overwrite: bool) -> RawLine:
    """What choosing the service fills in: on the choice all that nobody typed, on saving only what was left empty."""
    defaults = choices.service_defaults.get(line["service"])
    if defaults is None:
        return line
    offered = {
        "description": defaults.description,
        "unit_price": typed_number(defaults.unit_price),
        "tax_rate": defaults.tax_rate,
    }
    typed = line["typed"].split()
    return {
        **line,
        **{
            name: value
            for name, value in offered.items()
            if value and (not line[name].strip() or (overwrite and name not in typed))
        },
    }


def make_input(header: InvoiceForm, lines: list[LineForm]) -> InvoiceInput:
    """The whole form as the operation takes it."""
    typed = header.cleaned_data
    return InvoiceInput(
        customer=UUID(typed["customer"]),
        issue_date=typed["issue_date"],
        due_date=typed["due_date"],
        amounts_are=AmountsAre(typed["amounts_are"]),
        memo=typed["memo"],
        lines=tuple(line.to_input() for line in lines),
        discount=make_discount(header),
        exchange_rate=typed.get("exchange_rate"),
    )


def make_discount(header: InvoiceForm) -> Discount:
    """The discount on the whole invoice; none where nothing was typed."""
    typed = header.cleaned_data.get("discount") or Decimal(0)
    if header.cleaned_data.get("discount_is") == "amount":
        return Discount(amount=typed)
    return Discount(percent=typed)


def mark_refusal(header: InvoiceForm, lines: list[LineForm], refusal: InvalidFieldError) -> None:
    """Put a refusal beside its field; `lines.2.quantity` names the third line's."""
    first, _, rest = refusal.field.partition(".")
    position, _, name = rest.partition(".")
    if first == "lines" and position.isdigit() and int(position) < len(lines) and name in LINE_FIELDS:
        lines[int(position)].add_error(name, str(refusal))
    else:
        header.add_error(first if first in header.fields else None, str(refusal))
