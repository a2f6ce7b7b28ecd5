"""Every decision of the plan for payments, and for what is to be taken back there, as a table."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cone.accounting.plan.decisions import Blocked, Decision, LookBack, LookUp, Nothing, Postpone, Remove, Send, WaitFor
from cone.accounting.plan.next_step import plan
from cone.accounting.port.documents import AllocationDocument, Create, Delete, PaymentDocument, Update, Void
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.records import AllocationRecord, AppliedThere, PaymentRecord, Situation, Subject
from cone.accounting.verify import expected_of
from cone.kit.values import replace
from tests.unit.accounting.builders import (
    ATTEMPT,
    CONNECTED_AT,
    CUSTOMER,
    INVOICE,
    ISSUED,
    NAMED,
    READY,
    SERVICE,
    facts,
    issued,
    link,
    ready,
    subject,
)

PAYMENT, OTHER = SERVICE, NAMED.uuid
PART = AllocationRecord(
    invoice_uuid=INVOICE,
    number="INV-0042",
    status="issued",
    issued_at=CONNECTED_AT,
    issue_date=date(2026, 9, 2),
    currency="GBP",
    total=Decimal("120.00"),
    amount=Decimal("100.00"),
    remote_id="155",
    standing="live",
    total_there=Decimal("120.00"),
    is_behind=False,
    is_asked_for=False,
)
PAID = PaymentRecord(
    uuid=PAYMENT,
    revision=2,
    is_void=False,
    customer_uuid=CUSTOMER,
    customer_name="Brûlé & Söhne",
    received_date=date(2026, 9, 20),
    amount=Decimal("110.00"),
    currency="GBP",
    method="Cash",
    reference="BACS 7",
    allocations=(PART,),
)
DOCUMENT = PaymentDocument(
    uuid=PAYMENT,
    revision=2,
    customer_id="58",
    received_date=date(2026, 9, 20),
    amount=Decimal("110.00"),
    currency="GBP",
    deposit_account_id="35",
    method="Cash",
    method_id="",
    reference="BACS 7",
    allocations=(AllocationDocument("155", Decimal("100.00")),),
)
OLD = replace(PART, remote_id=None, standing=None, total_there=None, issued_at=CONNECTED_AT - timedelta(days=9))
UNSENT = Blocked(
    CauseCode.INVOICE_NOT_THERE,
    key=f"invoice_not_there:{INVOICE}",
    params={
        "number": "INV-0042",
        "why": "It was issued before the connection and isn't sent by itself: press Sync now on its page.",
    },
)


def of(*parts: AllocationRecord, **changes: Any) -> PaymentRecord:
    return replace(PAID, allocations=parts or (PART,), **changes)


def due(record: PaymentRecord, its_link: Any = None, attempt: Any = None, *, is_in_scope: bool = True) -> Subject:
    asked = subject(record, its_link, attempt)
    return replace(asked, row=replace(asked.row, kind="payment", is_in_scope=is_in_scope))


def not_there(why: str) -> Blocked:
    return replace(UNSENT, params={"number": "INV-0042", "why": why})


SENT = replace(ATTEMPT, expected=expected_of(DOCUMENT))
VOID_LINK = replace(link(1), standing="void")
BY_VOIDING, BY_DELETING = ready(removal_policy="void"), ready(removal_policy="delete")
VOIDED_PAYMENT = of(is_void=True)
VOID_INVOICE = issued(status="void")
LATE = AppliedThere(OTHER, Decimal("50.00"), is_pending=True)

DECISIONS: dict[str, tuple[Subject, Situation, Decision]] = {
    "recorded payment is made": (due(PAID), READY, Send(Create(DOCUMENT))),
    "edited payment is updated": (due(PAID, link(1)), READY, Send(Update(DOCUMENT, "130", "4"))),
    "payment that stands there": (due(PAID, link(2)), READY, Nothing()),
    "the company's own method, whatever its case": (
        due(PAID),
        ready(payment_methods={"cash": "3"}),
        Send(Create(replace(DOCUMENT, method_id="3"))),
    ),
    "payment on account": (
        due(replace(PAID, allocations=())),
        READY,
        Send(Create(replace(DOCUMENT, allocations=()))),
    ),
    "payment that nobody asked for": (due(PAID, is_in_scope=False), READY, Nothing()),
    "edited payment goes whatever its scope": (
        due(PAID, link(1), is_in_scope=False),
        READY,
        Send(Update(DOCUMENT, "130", "4")),
    ),
    # what it waits for
    "customer first": (due(PAID), ready(linked={}), WaitFor("customer", CUSTOMER)),
    "invoice first": (
        due(of(replace(PART, remote_id=None, standing=None, total_there=None))),
        READY,
        WaitFor("invoice", INVOICE),
    ),
    "invoice that was asked for by name first": (
        due(of(replace(OLD, is_asked_for=True))),
        READY,
        WaitFor("invoice", INVOICE),
    ),
    "invoice that grows first": (
        due(of(replace(PART, is_behind=True, total_there=Decimal("50.00")))),
        READY,
        WaitFor("invoice", INVOICE, until="settled"),
    ),
    "before an invoice that shrinks": (
        due(of(replace(PART, is_behind=True, total_there=Decimal("500.00")))),
        READY,
        Send(Create(DOCUMENT)),
    ),
    "payment that makes room first": (
        due(of(replace(PART, others=(LATE,)))),
        READY,
        WaitFor("payment", OTHER, until="settled"),
    ),
    "no wait where there's room": (
        due(of(replace(PART, others=(replace(LATE, amount=Decimal("20.00")),)))),
        READY,
        Send(Create(DOCUMENT)),
    ),
    "no wait for what won't move": (
        due(of(replace(PART, others=(replace(LATE, is_pending=False),)))),
        READY,
        Send(Create(DOCUMENT)),
    ),
    # what is known beforehand
    "payment of an invoice out of scope stays": (due(of(OLD)), READY, Nothing()),
    "payment of invoices in and out of scope": (due(of(PART, OLD)), READY, UNSENT),
    "payment moved to an invoice out of scope": (due(of(OLD), link(1)), READY, UNSENT),
    "payment of an invoice that's void here": (
        due(of(replace(PART, status="void"))),
        READY,
        not_there("It's void here."),
    ),
    "payment of an invoice that's void there": (
        due(of(replace(PART, standing="void"))),
        READY,
        not_there("It was voided or deleted there."),
    ),
    "payment without a default account": (
        due(PAID),
        ready(deposit_account_id=""),
        Blocked(CauseCode.DEFAULT_ACCOUNT_MISSING, key="default_account_missing"),
    ),
    "payment into an inactive account": (
        due(PAID),
        ready(is_deposit_account_active=False),
        Blocked(CauseCode.ACCOUNT_INACTIVE, key="account_inactive:35", params={"account": "Current account"}),
    ),
    "payment in another currency": (
        due(of(currency="EUR")),
        READY,
        Blocked(
            CauseCode.CURRENCY_UNSUPPORTED,
            key="currency_unsupported:EUR",
            params={"number": "BACS 7", "currency": "EUR", "home_currency": "GBP"},
        ),
    ),
    "payment in a closed period": (
        due(PAID),
        ready(facts=facts(books_closed_through_date=date(2026, 9, 20))),
        Blocked(
            CauseCode.PERIOD_CLOSED, key="period_closed:2026-09-20", params={"number": "BACS 7", "date": "2026-09-20"}
        ),
    ),
    "payment with a long reference": (
        due(of(reference="x" * 22)),
        READY,
        Blocked(CauseCode.REFERENCE_TOO_LONG, key=f"reference_too_long:{PAYMENT}"),
    ),
    # taken back
    "void payment that was never sent": (due(VOIDED_PAYMENT), BY_VOIDING, Nothing()),
    "void payment is left by default": (
        due(VOIDED_PAYMENT, link(1)),
        READY,
        Blocked(CauseCode.VOIDED_HERE, key=f"voided_here:{PAYMENT}", params={"number": "BACS 7"}),
    ),
    "void payment is voided": (
        due(VOIDED_PAYMENT, link(1)),
        BY_VOIDING,
        Remove(Void("payment", PAYMENT, 2, "130", "4")),
    ),
    "void payment is voided where invoices are deleted, too": (
        due(VOIDED_PAYMENT, link(1)),
        BY_DELETING,
        Remove(Void("payment", PAYMENT, 2, "130", "4")),
    ),
    "void payment that's void there": (due(VOIDED_PAYMENT, VOID_LINK), BY_VOIDING, Nothing()),
    "void invoice is voided": (
        subject(VOID_INVOICE, link(2)),
        BY_VOIDING,
        Remove(Void("invoice", INVOICE, 3, "130", "4")),
    ),
    "void invoice is deleted": (
        subject(VOID_INVOICE, link(2)),
        BY_DELETING,
        Remove(Delete("invoice", INVOICE, 3, "130", "4")),
    ),
    "void invoice that was removed by hand": (
        subject(VOID_INVOICE, replace(link(2), standing="removed")),
        BY_VOIDING,
        Nothing(),
    ),
    "payments go before their invoice": (
        subject(issued(status="void", applied=(LATE,)), link(2)),
        BY_VOIDING,
        WaitFor("payment", OTHER, until="settled"),
    ),
    "void in a closed period": (
        subject(VOID_INVOICE, link(2)),
        replace(BY_VOIDING, facts=facts(books_closed_through_date=date(2026, 9, 2))),
        Blocked(
            CauseCode.REMOVAL_PERIOD_CLOSED,
            key="removal_period_closed:2026-09-02",
            params={"number": "INV-0042", "date": "2026-09-02"},
        ),
    ),
    "no void while reads are held back": (
        subject(VOID_INVOICE, link(2)),
        replace(BY_VOIDING, reads_held_for=timedelta(days=3)),
        Postpone(),
    ),
    "invoice that shrinks below what is paid there": (
        subject(issued(applied=(replace(LATE, amount=Decimal("121.00")),)), link(2)),
        READY,
        WaitFor("payment", OTHER, until="settled"),
    ),
    # taken back there
    "wanted invoice that's void there": (
        subject(ISSUED, replace(link(2), standing="void")),
        READY,
        Blocked(CauseCode.REMOVED_THERE, key=f"removed_there:{INVOICE}"),
    ),
    "wanted payment that was deleted there": (
        due(PAID, replace(link(1), standing="deleted")),
        READY,
        Blocked(CauseCode.REMOVED_THERE, key=f"removed_there:{PAYMENT}"),
    ),
    "wanted invoice of which a person says it's restored": (
        subject(ISSUED, replace(link(3), standing="unsure")),
        READY,
        LookBack(),
    ),
    # unknown outcomes
    "lost void is read back": (
        due(VOIDED_PAYMENT, link(1), replace(ATTEMPT, operation="void")),
        BY_VOIDING,
        LookBack(replace(ATTEMPT, operation="void")),
    ),
    "payment voided before its answer came is looked for": (due(VOIDED_PAYMENT, None, SENT), READY, LookUp(SENT)),
}


@pytest.mark.parametrize("name", DECISIONS)
def test_plan_decides(name: str) -> None:
    given_subject, situation, decision = DECISIONS[name]
    assert plan(given_subject, situation) == decision
