"""Payments there: after their invoices, over several of them, in part and over; changed and voided in due order."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from cone.accounting.causes import list_cause_cards
from cone.accounting.port.documents import Create, InvoiceDocument, PaymentDocument
from cone.accounting.port.verdicts import Answered, CauseCode, RejectedError
from cone.accounting.states import read_record_sync
from cone.accounting.values import SyncState
from cone.books.models import Attempt, Connection, Customer, Invoice, Link, OutboxRow, Payment
from cone.domain.payments import AllocationInput, PaymentInput
from cone.kit.values import replace
from cone.operations.actor import Actor
from cone.operations.confirm_removed import confirm_removed
from cone.operations.edit_payment import edit_payment
from cone.operations.record_payment import record_payment
from cone.operations.refresh_reference import refresh_reference
from cone.operations.save_removal_policy import save_removal_policy
from cone.operations.send_existing_invoices import send_existing_invoices
from cone.operations.sync_now import sync_record
from cone.operations.void_invoice import void_invoice
from cone.operations.void_payment import void_payment
from tests.builders import make_customer, make_invoice, make_payment
from tests.fakes.ledger import FakeLedger, FakeRecord
from tests.integration.accounting.conftest import Held, MakeWorker, configure, connect, is_settled, reprice, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def typed(customer: Customer, amount: str, parts: Sequence[tuple[Invoice, str]], method: str = "Cash") -> PaymentInput:
    return PaymentInput(
        customer=customer.uuid,
        received_date=timezone.localdate(),
        amount=Decimal(amount),
        allocations=tuple(AllocationInput(invoice.uuid, Decimal(part)) for invoice, part in parts),
        method=method,
        reference="BACS 7",
    )


def settle(owner: Actor) -> None:
    wait_until(lambda: is_settled(owner) and not OutboxRow.objects.filter(waits_for_uuid__isnull=False).exists())


def document_of(ledger: FakeLedger, payment: Payment) -> PaymentDocument:
    (found,) = [
        record.document
        for record in ledger.records("payment")
        if isinstance(record.document, PaymentDocument) and record.document.uuid == payment.uuid
    ]
    return found


def remote_id(record: Invoice | Payment) -> str:
    return Link.objects.get(record_uuid=record.uuid).remote_id


def balance_there(ledger: FakeLedger, invoice: Invoice) -> Decimal | None:
    company = ledger.companies["fake-company"]
    return company.show(company.get("invoice", remote_id(invoice))).balance


def code_of(record: Invoice | Payment) -> str | None:
    row = OutboxRow.objects.filter(record_uuid=record.uuid).first()
    return row.cause["code"] if row is not None and row.cause else None


def record_of(ledger: FakeLedger, record: Invoice | Payment) -> FakeRecord:
    kind = "invoice" if isinstance(record, Invoice) else "payment"
    return ledger.get("fake-company", kind, remote_id(record))  # type: ignore[arg-type]  # one of the two


def test_payment_over_two_invoices_waits_for_both_and_leaves_the_rest_unapplied(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner)
    first, second = (make_invoice(owner, customer, is_issued=True) for _ in range(2))
    payment = record_payment(owner, typed(customer, "150.00", [(first, "120.00"), (second, "20.00")]))

    make_worker()
    settle(owner)

    document = document_of(ledger, payment)
    assert [(part.invoice_id, part.amount) for part in document.allocations] == [
        (remote_id(first), Decimal("120.00")),
        (remote_id(second), Decimal("20.00")),
    ]
    assert (document.amount, document.reference, document.deposit_account_id) == (Decimal("150.00"), "BACS 7", "35")
    assert (document.method, document.method_id) == ("Cash", "1")
    assert (balance_there(ledger, first), balance_there(ledger, second)) == (Decimal(0), Decimal("100.00"))
    kinds = [sending.kind for sending in ledger.sent]
    assert kinds.index("payment") > max(place for place, kind in enumerate(kinds) if kind == "invoice")
    sync = read_record_sync(owner.workspace.pk, "payment", payment.uuid)
    assert sync is not None
    assert (sync.state, sync.remote_total) == (SyncState.SYNCED, Decimal("150.00"))


def test_method_without_a_counterpart_is_left_out(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner)
    payment = record_payment(owner, typed(customer, "10.00", [], "Cheque"))
    make_worker()
    settle(owner)
    assert (document_of(ledger, payment).method, document_of(ledger, payment).method_id) == ("Cheque", "")


def test_edited_payment_is_the_same_record_with_all_its_parts(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner)
    first, second = (make_invoice(owner, customer, is_issued=True) for _ in range(2))
    payment = record_payment(owner, typed(customer, "100.00", [(first, "100.00")]))
    settle(owner)
    edit_payment(owner, typed(customer, "90.00", [(first, "40.00"), (second, "50.00")]), uuid=payment.uuid)
    settle(owner)

    assert len(ledger.records("payment")) == 1
    assert (balance_there(ledger, first), balance_there(ledger, second)) == (Decimal("80.00"), Decimal("70.00"))
    assert list(Attempt.objects.filter(kind="payment").order_by("id").values_list("operation", flat=True)) == [
        "create",
        "update",
    ]


def test_payment_moves_the_invoices_version_and_the_next_edit_reads_it_again(
    owner: Actor, ledger: FakeLedger, synced_invoice: Invoice
) -> None:
    make_payment(owner, synced_invoice, "20.00")
    settle(owner)
    reprice(owner, synced_invoice, "200.00")
    settle(owner)

    verdicts = Attempt.objects.filter(kind="invoice", operation="update").order_by("id")
    assert list(verdicts.values_list("verdict", flat=True)) == ["stale", "sent"]
    assert balance_there(ledger, synced_invoice) == Decimal("220.00")


def test_invoice_and_payment_that_grow_together_go_in_that_order(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    worker = make_worker()
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, is_issued=True)
    payment = make_payment(owner, invoice, "120.00")
    settle(owner)
    worker.stop()
    _resize(owner, invoice, payment, price="200.00", paid="240.00")
    make_worker()
    settle(owner)
    assert balance_there(ledger, invoice) == Decimal(0)
    assert document_of(ledger, payment).amount == Decimal("240.00")
    assert not OutboxRow.objects.exists()


def test_invoice_and_payment_that_shrink_together_go_the_other_way(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    worker = make_worker()
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, is_issued=True)
    payment = make_payment(owner, invoice, "120.00")
    settle(owner)
    worker.stop()
    _resize(owner, invoice, payment, price="50.00", paid="60.00")
    make_worker()
    settle(owner)
    assert balance_there(ledger, invoice) == Decimal(0)
    assert document_of(ledger, payment).amount == Decimal("60.00")
    assert not OutboxRow.objects.exists()
    refused = Attempt.objects.filter(verdict="rejected")
    assert not refused.exists()


def _resize(owner: Actor, invoice: Invoice, payment: Payment, *, price: str, paid: str) -> None:
    """Change both; a paid invoice can't be edited, so the payment is made smaller meanwhile."""
    customer = invoice.customer
    edit_payment(owner, typed(customer, "1.00", [(invoice, "1.00")]), uuid=payment.uuid)
    reprice(owner, invoice, price)
    edit_payment(owner, typed(customer, paid, [(invoice, paid)]), uuid=payment.uuid)


def test_payment_voided_and_recorded_anew_frees_the_invoice_first(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    worker = make_worker()
    connect(owner, ledger)
    configure(owner)
    save_removal_policy(owner, "void")
    invoice = make_invoice(owner, is_issued=True)
    wrong = make_payment(owner, invoice, "120.00")
    settle(owner)
    worker.stop()
    void_payment(owner, wrong.uuid)
    right = record_payment(owner, typed(invoice.customer, "120.00", [(invoice, "120.00")]))
    # The new one is planned first: a lane without order would send it into an invoice that's paid there.
    OutboxRow.objects.filter(record_uuid=wrong.uuid).update(priority=10)
    make_worker()
    settle(owner)

    assert record_of(ledger, wrong).standing == "void"
    assert balance_there(ledger, invoice) == Decimal(0)
    assert document_of(ledger, right).allocations[0].amount == Decimal("120.00")
    assert not OutboxRow.objects.exists()
    assert not Attempt.objects.filter(state="failed").exists()


@pytest.mark.parametrize(("policy", "standing"), [("void", "void"), ("delete", "deleted")])
def test_void_follows_the_policy_payments_before_invoices(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, policy: str, standing: str
) -> None:
    worker = make_worker()
    connect(owner, ledger)
    configure(owner)
    save_removal_policy(owner, policy)
    invoice = make_invoice(owner, is_issued=True)
    payment = make_payment(owner, invoice)
    settle(owner)
    worker.stop()
    void_payment(owner, payment.uuid)
    void_invoice(owner, invoice.uuid)
    make_worker()
    settle(owner)

    assert [(sending.kind, sending.request.line.split()[0]) for sending in ledger.sent[-2:]] == [
        ("payment", "void"),
        ("invoice", "void" if policy == "void" else "delete"),
    ]
    links = {link.record_uuid: link.standing for link in Link.objects.filter(kind__in=["invoice", "payment"])}
    assert links == {invoice.uuid: standing, payment.uuid: "void"}
    assert not OutboxRow.objects.exists()
    sends = len(ledger.sent)
    sync_record(owner, "invoice", invoice.uuid)
    settle(owner)
    assert len(ledger.sent) == sends, "what was taken back is never made again"


def test_left_there_until_a_person_says_its_removed_or_the_policy_changes(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, is_issued=True)
    payment, kept = make_payment(owner, invoice, "20.00"), make_payment(owner, invoice, "30.00")
    settle(owner)
    sends = len(ledger.sent)
    void_payment(owner, payment.uuid)
    settle(owner)
    assert code_of(payment) == CauseCode.VOIDED_HERE
    assert len(ledger.sent) == sends

    confirm_removed(owner, "payment", payment.uuid)
    assert Link.objects.get(record_uuid=payment.uuid).standing == "removed"
    void_payment(owner, kept.uuid)
    settle(owner)
    assert code_of(kept) == CauseCode.VOIDED_HERE
    save_removal_policy(owner, "void")
    settle(owner)
    assert record_of(ledger, kept).standing == "void"
    assert record_of(ledger, payment).standing == "live"


def test_invoice_with_a_payment_of_the_bookkeepers_is_not_taken_back(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    save_removal_policy(owner, "delete")
    invoice = make_invoice(owner, is_issued=True)
    payment = make_payment(owner, invoice, "20.00")
    settle(owner)
    void_payment(owner, payment.uuid)
    settle(owner)
    # The bookkeeper records one of their own there.
    theirs = replace(document_of(ledger, payment), uuid=invoice.uuid, revision=1)
    ledger.write("fake-company", ledger.prepare(_create(theirs), ledger.companies["fake-company"].facts))
    sends = len(ledger.sent)
    void_invoice(owner, invoice.uuid)
    settle(owner)

    assert code_of(invoice) == CauseCode.PAYMENT_APPLIED
    assert (len(ledger.sent), record_of(ledger, invoice).standing) == (sends, "live")
    row = OutboxRow.objects.get(record_uuid=invoice.uuid)
    assert row.cause is not None
    assert row.cause["params"] == {"paid": "20.00", "amounts_in": "GBP"}
    [card] = list_cause_cards(owner.workspace.pk)
    assert "£20.00 of it is paid" in card.cause.explanation


def _create(document: PaymentDocument) -> Create:
    return Create(document)


def test_closed_books_refuse_a_payment_and_a_void_before_anything_is_sent(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    save_removal_policy(owner, "void")
    customer = make_customer(owner)
    invoice, other = (make_invoice(owner, customer, is_issued=True) for _ in range(2))
    settle(owner)
    ledger.close_books(timezone.localdate())
    refresh_reference(owner)
    sends = len(ledger.sent)
    void_invoice(owner, invoice.uuid)
    payment = make_payment(owner, other, "20.00")
    settle(owner)
    assert (code_of(invoice), code_of(payment)) == (CauseCode.REMOVAL_PERIOD_CLOSED, CauseCode.PERIOD_CLOSED)
    assert len(ledger.sent) == sends


def test_deposited_payment_isnt_voided_and_says_why(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    save_removal_policy(owner, "void")
    payment = make_payment(owner, make_invoice(owner, is_issued=True), "20.00")
    settle(owner)
    why = {"explanation": "It's part of a bank deposit."}
    ledger.fail_next("payment", RejectedError(Answered(code="6540", message="deposited"), params=why))
    void_payment(owner, payment.uuid)
    settle(owner)
    sync = read_record_sync(owner.workspace.pk, "payment", payment.uuid)
    assert sync is not None
    assert sync.cause is not None
    assert sync.cause.explanation == (f"It's part of a bank deposit. Mend that in {ledger.name}, then press Sync now.")
    assert record_of(ledger, payment).standing == "live"


def test_payment_of_an_invoice_from_before_the_connection_follows_when_that_is_sent(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    customer = make_customer(owner)
    old, older = (make_invoice(owner, customer, is_issued=True) for _ in range(2))
    before = make_payment(owner, old, "20.00")
    make_worker()
    connect(owner, ledger)
    Invoice.objects.filter(pk=older.pk).update(issue_date=timezone.localdate() - timedelta(days=40))
    configure(owner)
    during, of_older = make_payment(owner, old, "30.00"), make_payment(owner, older, "10.00")
    settle(owner)
    assert not ledger.records("payment")

    send_existing_invoices(owner, timezone.localdate())
    settle(owner)
    assert balance_there(ledger, old) == Decimal("70.00")
    assert set(Link.objects.filter(kind="payment").values_list("record_uuid", flat=True)) == {before.uuid, during.uuid}

    mixed = record_payment(owner, typed(customer, "2.00", [(old, "1.00"), (older, "1.00")]))
    settle(owner)
    assert code_of(mixed) == CauseCode.INVOICE_NOT_THERE
    sync_record(owner, "invoice", older.uuid)
    settle(owner)
    assert balance_there(ledger, older) == Decimal("109.00")
    assert balance_there(ledger, old) == Decimal("69.00")
    assert Link.objects.filter(record_uuid=of_older.uuid).exists()


def test_record_that_was_voided_there_is_never_filled_again(
    owner: Actor, ledger: FakeLedger, synced_invoice: Invoice
) -> None:
    ledger.void_there("invoice", remote_id(synced_invoice))
    reprice(owner, synced_invoice, "7.00")
    settle(owner)
    assert code_of(synced_invoice) == CauseCode.REMOVED_THERE
    sync_record(owner, "invoice", synced_invoice.uuid)
    settle(owner)
    assert code_of(synced_invoice) == CauseCode.REMOVED_THERE
    document = record_of(ledger, synced_invoice).document
    assert isinstance(document, InvoiceDocument)
    assert document.total == Decimal("120.00")


def test_payment_recorded_while_nothing_answers_is_there_once(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    """Two payments that look alike are two: the mark tells them apart."""
    make_worker()
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, is_issued=True)
    held = Held("payment")
    ledger.before_send = held
    first = make_payment(owner, invoice, "20.00")
    assert held.is_asked.wait(10)
    second = make_payment(owner, invoice, "20.00")
    held.is_released.set()
    settle(owner)
    assert {record.document.uuid for record in ledger.records("payment")} == {first.uuid, second.uuid}
    assert balance_there(ledger, invoice) == Decimal("80.00")
    assert Connection.objects.get().state == "connected"
