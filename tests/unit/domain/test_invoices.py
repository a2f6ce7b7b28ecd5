"""Invoices: the shape, the statuses, and the table of what may be done in which."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from cone.domain.errors import InvalidFieldError
from cone.domain.invoices import (
    ALLOWED,
    DisplayStatus,
    InvoiceFacts,
    InvoiceHasPaymentsError,
    InvoiceInput,
    InvoiceNotDeletableError,
    InvoiceStatusError,
    LineInput,
    Verb,
    can,
    check_can,
    check_deletable,
    check_invoice,
    check_voidable,
    display_status,
)
from cone.domain.totals import AmountsAre

TODAY = date(2026, 11, 23)
LINE = LineInput(
    service=None,
    description="Advice",
    quantity=Decimal(1),
    unit_price=Decimal(100),
    discount_percent=Decimal(0),
    tax_rate=UUID(int=1),
)
INVOICE = InvoiceInput(
    customer=UUID(int=2),
    issue_date=TODAY,
    due_date=TODAY,
    amounts_are=AmountsAre.EXCLUSIVE,
    memo="",
    lines=(LINE,),
)
OPEN = InvoiceFacts(
    status="issued", due_date=TODAY, total=Decimal(100), paid=Decimal(0), is_sent=False, is_written_off=False
)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (replace(OPEN, status="draft", due_date=date(2020, 1, 1)), DisplayStatus.DRAFT),
        (OPEN, DisplayStatus.OPEN),
        (replace(OPEN, is_sent=True), DisplayStatus.SENT),
        (replace(OPEN, paid=Decimal("99.99")), DisplayStatus.OPEN),
        (replace(OPEN, is_sent=True, due_date=TODAY - timedelta(days=1)), DisplayStatus.PAST_DUE),
        (replace(OPEN, paid=Decimal(100), due_date=date(2020, 1, 1)), DisplayStatus.PAID),
        (replace(OPEN, total=Decimal(0)), DisplayStatus.PAID),
        (replace(OPEN, is_written_off=True, due_date=date(2020, 1, 1)), DisplayStatus.WRITTEN_OFF),
        (replace(OPEN, status="void", is_written_off=True, paid=Decimal(100)), DisplayStatus.VOID),
    ],
)
def test_display_status_follows_dates_and_payments(facts: InvoiceFacts, status: DisplayStatus) -> None:
    assert display_status(facts, today=TODAY) is status


def test_allowed_is_this_table() -> None:
    """The whole table in one picture; a change of it is a decision."""
    letters = dict(zip(Verb, "EISVDWP", strict=True))
    picture = {
        status.value: "".join(letters[verb] if can(verb, status) else "." for verb in Verb) for status in DisplayStatus
    }
    assert picture == {
        "draft": "EI..D..",
        "open": "E.SVDWP",
        "sent": "E.SV.WP",
        "past_due": "E.SVDWP",
        "paid": "..SV...",
        "void": ".......",
        "written_off": "...V...",
    }
    assert set(ALLOWED) == set(Verb)


@pytest.mark.parametrize("status", list(DisplayStatus))
@pytest.mark.parametrize("verb", list(Verb))
def test_check_can_refuses_what_the_table_does_not_allow(verb: Verb, status: DisplayStatus) -> None:
    if can(verb, status):
        check_can(verb, status)
        return
    with pytest.raises(InvoiceStatusError) as refusal:
        check_can(verb, status)
    assert (refusal.value.verb, refusal.value.status, refusal.value.code) == (verb, status, "invoice_status")
    assert str(refusal.value).endswith(".")
    done = {
        "issue-open": "issued",
        "issue-sent": "issued",
        "issue-past_due": "issued",
        "issue-paid": "issued",
        "void-void": "void",
        "write_off-written_off": "written off",
    }
    if word := done.get(f"{verb}-{status}"):
        assert str(refusal.value) == f"This invoice is {word} already."
    else:
        assert "can't" in str(refusal.value)


def test_check_invoice_returns_the_invoice_as_kept() -> None:
    kept = check_invoice(replace(INVOICE, memo=" Thanks\r\n"))

    assert kept.memo == "Thanks"
    assert str(kept.lines[0].quantity) == "1.000000"


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        (replace(INVOICE, lines=()), "lines", "Add at least one line."),
        (replace(INVOICE, lines=(LINE,) * 201), "lines", "Keep to 200 lines; split this into several invoices."),
        (
            replace(INVOICE, due_date=TODAY - timedelta(days=1)),
            "due_date",
            "Choose a due date on or after the issue date.",
        ),
        (
            replace(INVOICE, issue_date=date(1900, 1, 1)),
            "issue_date",
            "Choose a date between 1 January 1990 and 31 December 2100.",
        ),
        (replace(INVOICE, memo="x" * 1001), "memo", "Shorten the memo to 1,000 characters; it has 1,001."),
        (
            replace(INVOICE, lines=(LINE, replace(LINE, description=" "))),
            "lines.1.description",
            "Choose a service or describe what this line is for.",
        ),
        (
            replace(INVOICE, lines=(replace(LINE, description="x" * 4001),)),
            "lines.0.description",
            "Shorten the description to 4,000 characters; it has 4,001.",
        ),
        (
            replace(INVOICE, lines=(replace(LINE, quantity=Decimal(0)),)),
            "lines.0.quantity",
            "Make the quantity more than zero.",
        ),
        (
            replace(INVOICE, lines=(replace(LINE, unit_price=Decimal(10**20)),)),
            "lines.0.unit_price",
            "Make the price 9,999,999,999 or less.",
        ),
        (
            replace(INVOICE, lines=(replace(LINE, discount_percent=Decimal("100.0001")),)),
            "lines.0.discount_percent",
            "Make the discount 100 or less.",
        ),
    ],
)
def test_check_invoice_refused_names_the_field(typed: InvoiceInput, field: str, message: str) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        check_invoice(typed)
    assert (refusal.value.field, str(refusal.value)) == (field, message)


def test_check_voidable_refuses_while_a_payment_is_applied() -> None:
    check_voidable(paid=Decimal(0))
    with pytest.raises(InvoiceHasPaymentsError):
        check_voidable(paid=Decimal("0.01"))


@pytest.mark.parametrize(
    ("paid", "named", "latest", "known", "says"),
    [
        (0, False, False, False, "Only the latest invoice"),
        (0, False, True, True, "on its way to your accounting software"),
        (0, True, True, False, "A voided payment was for this invoice"),
    ],
)
def test_check_deletable_wants_the_latest_number_and_nobody_who_knows(
    paid: int, named: bool, latest: bool, known: bool, says: str
) -> None:
    with pytest.raises(InvoiceNotDeletableError, match=says):
        check_deletable(
            paid=Decimal(paid), is_named_by_payments=named, has_latest_number=latest, is_known_to_accounting=known
        )


def test_check_deletable_refuses_a_paid_one_and_lets_an_untouched_one_go() -> None:
    fine = {"is_named_by_payments": False, "has_latest_number": True, "is_known_to_accounting": False}
    check_deletable(paid=Decimal(0), **fine)
    with pytest.raises(InvoiceHasPaymentsError):
        check_deletable(paid=Decimal(1), **fine)
