"""What an invoice may look like, the states it passes through, and what may be done in which: tables, not branches.

draft → issued → void is stored; "sent", "past due", "paid" and "written off" are read from dates and payments.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from cone.domain.errors import InvalidFieldError, RefusalError
from cone.domain.figures import DecimalRule, check_date
from cone.domain.text import TextRule
from cone.domain.totals import NO_DISCOUNT, AmountsAre, Discount, InvoiceTotals

MOST_LINES = 200
LARGEST_TOTAL = Decimal(10) ** 13
MEMO = TextRule("the memo", 1000, is_multiline=True)
DESCRIPTION = TextRule("the description", 4000, is_multiline=True)
QUANTITY = DecimalRule("the quantity", Decimal("999999999.999999"), 6, is_zero_allowed=False)
UNIT_PRICE = DecimalRule("the price", Decimal(9999999999), 6)
DISCOUNT = DecimalRule("the discount", Decimal(100), 4)
DISCOUNT_AMOUNT = DecimalRule("the discount", Decimal(9999999999), 4)


class InvoiceStatus(StrEnum):
    """What is stored."""

    DRAFT = "draft"
    ISSUED = "issued"
    VOID = "void"


class DisplayStatus(StrEnum):
    """What people see."""

    DRAFT = "draft"
    OPEN = "open"
    SENT = "sent"
    PAST_DUE = "past_due"
    PAID = "paid"
    VOID = "void"
    WRITTEN_OFF = "written_off"


class Verb(StrEnum):
    """What a person may do to an invoice."""

    EDIT = "edit"
    ISSUE = "issue"
    MARK_SENT = "mark_sent"
    VOID = "void"
    DELETE = "delete"
    WRITE_OFF = "write_off"
    RECORD_PAYMENT = "record_payment"


_UNPAID = frozenset({DisplayStatus.OPEN, DisplayStatus.SENT, DisplayStatus.PAST_DUE})

# Deleting and voiding an issued invoice have conditions besides; see check_deletable and check_voidable.
ALLOWED: Mapping[Verb, frozenset[DisplayStatus]] = {
    Verb.EDIT: _UNPAID | {DisplayStatus.DRAFT},
    Verb.ISSUE: frozenset({DisplayStatus.DRAFT}),
    Verb.MARK_SENT: _UNPAID | {DisplayStatus.PAID},
    Verb.VOID: _UNPAID | {DisplayStatus.PAID, DisplayStatus.WRITTEN_OFF},
    Verb.DELETE: frozenset({DisplayStatus.DRAFT, DisplayStatus.OPEN, DisplayStatus.PAST_DUE}),
    Verb.WRITE_OFF: _UNPAID,
    Verb.RECORD_PAYMENT: _UNPAID,
}

_ACTS: Mapping[Verb, str] = {
    Verb.EDIT: "be changed",
    Verb.ISSUE: "be issued",
    Verb.MARK_SENT: "be marked as sent",
    Verb.VOID: "be voided",
    Verb.DELETE: "be deleted",
    Verb.WRITE_OFF: "be written off",
    Verb.RECORD_PAYMENT: "take a payment",
}

_ADVICE: Mapping[DisplayStatus, str] = {
    DisplayStatus.DRAFT: "issue it first, or delete it",
    DisplayStatus.OPEN: "it is issued already",
    DisplayStatus.SENT: "it was sent to the customer; void it instead",
    DisplayStatus.PAST_DUE: "it is issued already",
    DisplayStatus.PAID: "void the payment first, or make a new invoice",
    DisplayStatus.VOID: "make a new invoice instead",
    DisplayStatus.WRITTEN_OFF: "make a new invoice instead",
}

_NAMES: Mapping[DisplayStatus, str] = {
    DisplayStatus.DRAFT: "A draft",
    DisplayStatus.OPEN: "An open invoice",
    DisplayStatus.SENT: "A sent invoice",
    DisplayStatus.PAST_DUE: "A past-due invoice",
    DisplayStatus.PAID: "A paid invoice",
    DisplayStatus.VOID: "A void invoice",
    DisplayStatus.WRITTEN_OFF: "A written-off invoice",
}

# Asked for once more, after a lost answer: nothing is wrong.
_DONE: Mapping[tuple[Verb, DisplayStatus], str] = {
    (Verb.ISSUE, DisplayStatus.OPEN): "issued",
    (Verb.ISSUE, DisplayStatus.SENT): "issued",
    (Verb.ISSUE, DisplayStatus.PAST_DUE): "issued",
    (Verb.ISSUE, DisplayStatus.PAID): "issued",
    (Verb.VOID, DisplayStatus.VOID): "void",
    (Verb.WRITE_OFF, DisplayStatus.WRITTEN_OFF): "written off",
}


class InvoiceStatusError(RefusalError):
    """That can't be done to an invoice in this state."""

    code = "invoice_status"

    def __init__(self, verb: Verb, status: DisplayStatus) -> None:
        done = _DONE.get((verb, status), "")
        super().__init__(
            f"This invoice is {done} already." if done else f"{_NAMES[status]} can't {_ACTS[verb]}: {_ADVICE[status]}."
        )
        self.verb = verb
        self.status = status


class InvoiceChangedMeanwhileError(RefusalError):
    """Someone else changed this invoice meanwhile; reload the page and make your change again."""

    code = "invoice_changed_meanwhile"


class InvoiceHasPaymentsError(RefusalError):
    """A payment is recorded on this invoice; void the payment first."""

    code = "invoice_has_payments"


class InvoiceNotDeletableError(RefusalError):
    """This invoice can't be deleted; void it instead."""

    code = "invoice_not_deletable"


@dataclass(frozen=True, slots=True)
class LineInput:
    """One line as typed; `discount_percent` 10 is 10 %. The price contains tax when the invoice's amounts do."""

    service: UUID | None
    description: str
    quantity: Decimal
    unit_price: Decimal
    discount_percent: Decimal
    tax_rate: UUID


@dataclass(frozen=True, slots=True)
class InvoiceInput:
    """An invoice as typed. Its currency is the customer's; `exchange_rate` is the firm's own, where that's foreign."""

    customer: UUID
    issue_date: date
    due_date: date
    amounts_are: AmountsAre
    memo: str
    lines: tuple[LineInput, ...]
    discount: Discount = NO_DISCOUNT
    exchange_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """What a status is derived from."""

    status: str
    due_date: date
    total: Decimal
    paid: Decimal
    is_sent: bool
    is_written_off: bool


def display_status(facts: InvoiceFacts, *, today: date) -> DisplayStatus:
    """Derive what people see. `cone.books.queries.statuses` says the same in SQL; a test compares the two."""
    if facts.status == InvoiceStatus.DRAFT:
        return DisplayStatus.DRAFT
    if facts.status == InvoiceStatus.VOID:
        return DisplayStatus.VOID
    if facts.is_written_off:
        return DisplayStatus.WRITTEN_OFF
    if facts.paid >= facts.total:
        return DisplayStatus.PAID
    if facts.due_date < today:
        return DisplayStatus.PAST_DUE
    return DisplayStatus.SENT if facts.is_sent else DisplayStatus.OPEN


def can(verb: Verb, status: DisplayStatus) -> bool:
    """Say whether an invoice in that state allows it."""
    return status in ALLOWED[verb]


def check_can(verb: Verb, status: DisplayStatus) -> None:
    """Raises: InvoiceStatusError when an invoice in that state doesn't allow it."""
    if not can(verb, status):
        raise InvoiceStatusError(verb, status)


def check_invoice(typed: InvoiceInput) -> InvoiceInput:
    """Return the invoice as it's kept; a refusal names the field, lines as `lines.0.quantity`.

    Raises: InvalidFieldError.
    """
    check_date("issue_date", typed.issue_date)
    check_date("due_date", typed.due_date)
    if typed.due_date < typed.issue_date:
        raise InvalidFieldError("due_date", "Choose a due date on or after the issue date.")
    if not typed.lines:
        raise InvalidFieldError("lines", "Add at least one line.")
    if len(typed.lines) > MOST_LINES:
        raise InvalidFieldError("lines", f"Keep to {MOST_LINES} lines; split this into several invoices.")
    return replace(
        typed,
        amounts_are=AmountsAre(typed.amounts_are),
        memo=MEMO.check("memo", typed.memo),
        discount=_check_discount(typed.discount),
        lines=tuple(_check_line(position, line) for position, line in enumerate(typed.lines)),
    )


def _check_discount(discount: Discount) -> Discount:
    if discount.percent and discount.amount:
        raise InvalidFieldError("discount", "Give the discount as a percentage or as an amount, not both.")
    return Discount(
        percent=DISCOUNT.check("discount", discount.percent), amount=DISCOUNT_AMOUNT.check("discount", discount.amount)
    )


def _check_line(position: int, line: LineInput) -> LineInput:
    at = f"lines.{position}."
    description = DESCRIPTION.check(f"{at}description", line.description)
    if not description and line.service is None:
        raise InvalidFieldError(f"{at}description", "Choose a service or describe what this line is for.")
    return replace(
        line,
        description=description,
        quantity=QUANTITY.check(f"{at}quantity", line.quantity),
        unit_price=UNIT_PRICE.check(f"{at}unit_price", line.unit_price),
        discount_percent=DISCOUNT.check(f"{at}discount_percent", line.discount_percent),
    )


def check_totals(totals: InvoiceTotals, *, paid: Decimal) -> None:
    """Refuse figures that can't be kept, or that fall below what is paid already.

    Raises: InvalidFieldError.
    """
    for position, line in enumerate(totals.lines):
        if line.amount >= LARGEST_TOTAL:
            raise InvalidFieldError(f"lines.{position}.quantity", f"Keep each line below {LARGEST_TOTAL:,}.")
    if totals.total >= LARGEST_TOTAL:
        raise InvalidFieldError("lines", f"Keep the invoice's total below {LARGEST_TOTAL:,}.")
    if totals.total < paid:
        raise InvalidFieldError(
            "lines", f"Payments of {paid:,f} are recorded; keep the total at that or above, or void a payment first."
        )


def check_voidable(*, paid: Decimal) -> None:
    """Raises: InvoiceHasPaymentsError while a payment is applied."""
    if paid:
        raise InvoiceHasPaymentsError


def check_deletable(
    *, paid: Decimal, is_named_by_payments: bool, has_latest_number: bool, is_known_to_accounting: bool
) -> None:
    """Refuse to delete an issued invoice unless nobody can have seen it and its number leaves no gap.

    The counter then moves back, so that the next invoice takes the number.
    Raises: InvoiceHasPaymentsError, InvoiceNotDeletableError.
    """
    if paid:
        raise InvoiceHasPaymentsError
    if is_named_by_payments:
        raise InvoiceNotDeletableError(
            "A voided payment was for this invoice, and its history stays; void the invoice instead."
        )
    if is_known_to_accounting:
        raise InvoiceNotDeletableError(
            "This invoice is already on its way to your accounting software; void it instead."
        )
    if not has_latest_number:
        raise InvoiceNotDeletableError(
            "Only the latest invoice can be deleted, so that numbers have no gap; void this one instead."
        )
