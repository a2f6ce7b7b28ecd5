"""The invoice editor between requests: what was typed, the forms made from it, and the figures so far."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from django.http import QueryDict

from cone.books.models import Workspace
from cone.books.queries.invoice import InvoiceView
from cone.domain.errors import InvalidFieldError
from cone.domain.invoices import DISCOUNT, DISCOUNT_AMOUNT, MOST_LINES, QUANTITY, UNIT_PRICE
from cone.domain.totals import AmountsAre, Discount, PricedLine, total_up
from cone.kit.money import Money
from cone.web.choices import InvoiceChoices
from cone.web.formats import typed_number
from cone.web.forms.invoice import (
    InvoiceForm,
    LineForm,
    RawLine,
    fill_from_service,
    is_blank,
    line_prefix,
    make_discount,
    read_raw_lines,
)

_HEADER = (
    "customer",
    "issue_date",
    "due_date",
    "amounts_are",
    "memo",
    "discount",
    "discount_is",
    "exchange_rate",
    "rate_currency",
    "revision",
)


@dataclass(frozen=True, slots=True)
class TaxSum:
    """The tax under one rate so far."""

    name: str
    net: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class EditorTotals:
    """The figures of the lines that make sense so far; an amount is None where a line doesn't yet."""

    amounts: tuple[Money | None, ...]
    discount: Money
    net: Money
    taxes: tuple[TaxSum, ...]
    total: Money


@dataclass(frozen=True, slots=True)
class EditorLine:
    """One line: its form, its position, its amount so far."""

    position: int
    form: LineForm
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form, as text."""

    header: dict[str, str]
    lines: tuple[RawLine, ...]


def blank_line(choices: InvoiceChoices) -> RawLine:
    """An empty line: one piece, under the firm's usual rate."""
    rate = next((uuid for uuid, _ in choices.tax_rates), choices.no_tax)
    return {
        "service": "",
        "description": "",
        "quantity": "1",
        "unit_price": "",
        "discount_percent": "",
        "tax_rate": rate,
        "typed": "",
    }


def new_draft(workspace: Workspace, choices: InvoiceChoices, *, customer: str, today: date) -> Draft:
    """What a new invoice starts from."""
    due = today + timedelta(days=workspace.payment_terms_days)
    header = {
        "customer": customer if customer in choices.currencies else "",
        "issue_date": today.isoformat(),
        "due_date": due.isoformat(),
        "amounts_are": workspace.amounts_are,
        "memo": "",
        "discount": "",
        "discount_is": "percent",
        "exchange_rate": "",
        "rate_currency": "",
        "revision": "",
    }
    return Draft(header, (blank_line(choices),))


def draft_of(invoice: InvoiceView) -> Draft:
    """What stands in an invoice, to be changed."""
    header = {
        "customer": str(invoice.customer.uuid),
        "issue_date": invoice.issue_date.isoformat(),
        "due_date": invoice.due_date.isoformat(),
        "amounts_are": invoice.amounts_are.value,
        "memo": invoice.memo,
        "discount": typed_number(invoice.discount_percent or invoice.discount.amount) if invoice.discount else "",
        "discount_is": "amount" if invoice.discount and not invoice.discount_percent else "percent",
        "exchange_rate": typed_number(invoice.exchange_rate) if invoice.exchange_rate else "",
        "rate_currency": "",
        "revision": str(invoice.revision),
    }
    lines = tuple(
        {
            "service": str(line.service_uuid or ""),
            "description": line.description,
            "quantity": typed_number(line.quantity),
            "unit_price": typed_number(line.unit_price),
            "discount_percent": typed_number(line.discount_percent) if line.discount_percent else "",
            "tax_rate": str(line.tax_rate_uuid),
            "typed": "",
        }
        for line in invoice.lines
    )
    return Draft(header, lines)


def kept_uuids(invoice: InvoiceView) -> set[UUID]:
    """The records that an invoice names already: they stay on offer though archived."""
    services = {line.service_uuid for line in invoice.lines if line.service_uuid}
    return services | {line.tax_rate_uuid for line in invoice.lines} | {invoice.customer.uuid}


def read_draft(posted: QueryDict) -> Draft:
    """What the browser sent."""
    header = {name: str(posted.get(name, "")) for name in _HEADER}
    return Draft(header, tuple(read_raw_lines(posted.dict(), most=MOST_LINES)))


def change_lines(draft: Draft, action: str, choices: InvoiceChoices) -> Draft:
    """Add a line, remove one, or fill one from its service; an action of another kind changes nothing."""
    lines = list(draft.lines)
    verb, _, number = action.partition(":")
    position = int(number) if number.isascii() and number.isdigit() and len(number) < 7 else -1
    if verb == "add" and len(lines) < MOST_LINES:
        lines.append(blank_line(choices))
    elif verb == "remove" and 0 <= position < len(lines):
        del lines[position]
    elif verb == "pick" and 0 <= position < len(lines):
        lines[position] = fill_from_service(lines[position], choices, overwrite=True)
    return replace(draft, lines=tuple(lines) or (blank_line(choices),))


def ready_to_save(draft: Draft, choices: InvoiceChoices) -> Draft:
    """Without the lines left empty, and with what a service fills in where it was left empty."""
    kept = [fill_from_service(line, choices, overwrite=False) for line in draft.lines if not is_blank(line)]
    return replace(draft, lines=tuple(kept or draft.lines[:1] or (blank_line(choices),)))


def foreign_currency(draft: Draft, choices: InvoiceChoices) -> str:
    """The currency of the chosen customer where it isn't the firm's own; otherwise empty."""
    currency = choices.currencies.get(draft.header["customer"], choices.home_currency)
    return "" if currency == choices.home_currency else currency


def find_strayed_rate(draft: Draft, choices: InvoiceChoices) -> str:
    """The rate that was typed for another foreign currency than the one it would be taken for now; otherwise empty."""
    asked_for, currency = draft.header["rate_currency"], foreign_currency(draft, choices)
    return draft.header["exchange_rate"].strip() if asked_for and currency and asked_for != currency else ""


def without_rate(draft: Draft) -> Draft:
    """The same with an empty rate."""
    return replace(draft, header={**draft.header, "exchange_rate": ""})


def bound_forms(draft: Draft, choices: InvoiceChoices) -> tuple[InvoiceForm, list[LineForm]]:
    """Forms that judge what was typed."""
    header = InvoiceForm(draft.header).offer(choices, draft.header["customer"])
    return header, [
        LineForm(
            {f"{line_prefix(position)}-{name}": value for name, value in line.items()}, prefix=line_prefix(position)
        ).offer(choices)
        for position, line in enumerate(draft.lines)
    ]


def plain_forms(draft: Draft, choices: InvoiceChoices) -> tuple[InvoiceForm, list[LineForm]]:
    """Forms that only show what was typed: nothing is wrong before the person saves."""
    header = InvoiceForm(initial=draft.header).offer(choices, draft.header["customer"])
    return header, [
        LineForm(initial=line, prefix=line_prefix(position)).offer(choices) for position, line in enumerate(draft.lines)
    ]


def editor_lines(forms: list[LineForm], totals: EditorTotals) -> tuple[EditorLine, ...]:
    """The forms with their amounts."""
    return tuple(
        EditorLine(position, form, amount)
        for position, (form, amount) in enumerate(zip(forms, totals.amounts, strict=True))
    )


def add_up(draft: Draft, choices: InvoiceChoices, *, home_currency: str) -> EditorTotals:
    """Compute the figures by the rule that saving uses; lines that can't be read yet count for nothing."""
    currency = choices.currencies.get(draft.header["customer"], home_currency)
    inclusive = draft.header["amounts_are"] == AmountsAre.INCLUSIVE.value
    header, forms = bound_forms(draft, choices)
    priced = [_price(form, choices) for form in forms]
    counted = [line for line in priced if line is not None]
    totals = total_up(
        counted,
        amounts_are=AmountsAre.INCLUSIVE if inclusive else AmountsAre.EXCLUSIVE,
        currency=currency,
        discount=_discount(header),
    )
    amounts = iter(totals.lines)
    names = dict(choices.tax_rates)
    return EditorTotals(
        amounts=tuple(None if line is None else Money(next(amounts).amount, currency) for line in priced),
        discount=Money(totals.discount, currency),
        net=Money(totals.net, currency),
        taxes=tuple(
            TaxSum(names[str(entry.tax_rate)], Money(entry.net, currency), Money(entry.tax, currency))
            for entry in totals.taxes
        ),
        total=Money(totals.total, currency),
    )


def _discount(header: InvoiceForm) -> Discount:
    """What the discount says so far; nothing while it makes no sense."""
    header.is_valid()
    typed = make_discount(header)
    try:
        return Discount(DISCOUNT.check("discount", typed.percent), DISCOUNT_AMOUNT.check("discount", typed.amount))
    except InvalidFieldError:
        return Discount()


def _price(form: LineForm, choices: InvoiceChoices) -> PricedLine | None:
    if not form.is_valid():
        return None
    line = form.to_input()
    try:
        return PricedLine(
            quantity=QUANTITY.check("quantity", line.quantity),
            unit_price=UNIT_PRICE.check("unit_price", line.unit_price),
            discount_percent=DISCOUNT.check("discount_percent", line.discount_percent),
            tax_rate=line.tax_rate,
            tax_percent=choices.percents[str(line.tax_rate)],
        )
    except InvalidFieldError:
        return None
