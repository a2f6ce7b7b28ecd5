"""The way through: book → outbox → lane → ledger → link, on real Postgres with real workers."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest

from cone.accounting.port.documents import InvoiceDocument
from cone.accounting.port.verdicts import Answered, OutcomeUnknownError, StaleError, TryLaterError
from cone.accounting.states import read_record_sync, sync_states
from cone.accounting.values import SyncState
from cone.books.models import Attempt, Invoice, Link, OutboxRow
from cone.kit.values import replace as replace_value
from cone.operations.actor import Actor
from cone.operations.pause_sync import pause_sync
from cone.operations.resume_sync import resume_sync
from cone.operations.save_terms import save_terms
from cone.operations.sync_now import sync_record
from tests.builders import get_tax_rate, make_customer, make_invoice, make_line, make_service
from tests.fakes.ledger import FakeLedger, Sending
from tests.integration.accounting.conftest import (
    NO_SWEEP,
    Held,
    MakeWorker,
    configure,
    connect,
    hurry,
    is_settled,
    reprice,
    wait_until,
)
from tests.integration.accounting.database import conninfo

pytestmark = pytest.mark.django_db(transaction=True)


def documents(ledger: FakeLedger) -> list[InvoiceDocument]:
    """The invoices that stand in the ledger."""
    return [record.document for record in ledger.records("invoice") if isinstance(record.document, InvoiceDocument)]


def test_issued_invoice_stands_there_with_customer_and_item(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    service = make_service(owner, "Bookkeeping")
    rate = get_tax_rate(owner.workspace, 20)
    invoice = make_invoice(owner, is_issued=True, lines=[make_line(rate, quantity="2", service=service)])

    wait_until(lambda: ledger.records("invoice") and is_settled(owner))

    (document,) = documents(ledger)
    invoice.refresh_from_db()
    assert (document.number, document.total, document.tax) == (invoice.number, Decimal("240.00"), Decimal("40.00"))
    assert document.deposit_account_id == "35"
    assert [record.document.name for record in ledger.records("service")] == ["Bookkeeping"]  # type: ignore[union-attr]  # these kinds have names
    assert len(ledger.records("customer")) == 1
    sync = read_record_sync(owner.workspace.pk, "invoice", invoice.uuid)
    assert sync is not None
    assert (sync.state, sync.remote_total, len(sync.history)) == (SyncState.SYNCED, Decimal("240.00"), 1)


def test_edit_after_sending_changes_the_same_record(owner: Actor, ledger: FakeLedger, synced_invoice: Invoice) -> None:
    reprice(owner, synced_invoice, "250.00")
    wait_until(lambda: is_settled(owner) and documents(ledger)[0].total == Decimal(300))

    assert len(ledger.records("invoice")) == 1
    assert list(Attempt.objects.filter(kind="invoice").order_by("id").values_list("operation", flat=True)) == [
        "create",
        "update",
    ]


def test_drafts_stay_in_cone(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    draft = make_invoice(owner)
    wait_until(lambda: ledger.records("customer") and is_settled(owner))
    assert ledger.records("invoice") == []
    assert sync_states(owner.workspace.pk, "invoice", [draft.uuid]) == {draft.uuid: SyncState.NOT_SENT}


def test_thirty_invoices_of_thirty_new_customers_at_first_send(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    configure(owner)
    for number in range(30):
        make_invoice(owner, make_customer(owner, f"Customer {number}"), is_issued=True)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 30 and is_settled(owner), seconds=30)

    assert len(ledger.records("customer")) == 30
    assert len(ledger.records("service")) == 1
    assert ledger.count_sends("invoice") == 30
    assert OutboxRow.objects.count() == 0
    customers = {document.customer_id for document in documents(ledger)}
    assert len(customers) == 30


def test_lost_answer_is_found_there_soon_and_nothing_is_sent_again(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.request_timeout /= 10
    make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("invoice", OutcomeUnknownError(Answered(message="no answer")), commit=True)
    make_invoice(owner, is_issued=True)
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner))

    assert ledger.count_sends("invoice") == 1
    assert len(ledger.records("invoice")) == 1


def test_lost_request_is_repeated_byte_for_byte_once_a_look_counts(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    hurry(ledger, 500)
    ledger.looks_count_after *= 3
    make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("invoice", OutcomeUnknownError(Answered(message="no answer")))
    make_invoice(owner, is_issued=True)
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner))

    sends = [sending for sending in ledger.sent if sending.kind == "invoice"]
    assert len(sends) == 2
    assert sends[0] == sends[1]
    # One look early, one that counts.
    assert ledger.calls[ledger.calls.index("invoice") :].count("find") == 2
    assert len(ledger.records("invoice")) == 1


def test_edit_while_the_answer_is_lost_goes_out_as_an_update(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    hurry(ledger, 1000)
    make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("invoice", OutcomeUnknownError(Answered(message="no answer")), commit=True)
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: Attempt.objects.filter(kind="invoice", verdict="unknown").exists())
    reprice(owner, invoice, "500.00")
    wait_until(lambda: ledger.records("invoice") and is_settled(owner) and documents(ledger)[0].total == Decimal(600))

    lines = [sending.request.line.split()[0] for sending in ledger.sent if sending.kind == "invoice"]
    assert lines == ["create", "update"]
    assert len(ledger.records("invoice")) == 1


def test_stale_version_is_read_again_and_our_fields_win(
    owner: Actor, ledger: FakeLedger, synced_invoice: Invoice
) -> None:
    ledger.edit_there("invoice", ledger.records("invoice")[0].remote_id)
    reprice(owner, synced_invoice, "9.99")
    wait_until(lambda: is_settled(owner) and documents(ledger)[0].total == Decimal("11.99"))
    assert list(Attempt.objects.filter(kind="invoice").order_by("id").values_list("verdict", flat=True)) == [
        "sent",
        "stale",
        "sent",
    ]


def test_record_that_was_put_off_goes_when_its_time_has_come_though_another_is_under_way(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    ledger.before_send = held = Held("customer")
    make_worker(NO_SWEEP)
    sync_record(owner, "customer", make_customer(owner, "Slow Ltd").uuid)
    assert held.is_asked.wait(10)
    ledger.fail_next("customer", TryLaterError(Answered(http_status=500), scope="record", delay=timedelta(seconds=2)))
    later = make_customer(owner, "Later & Co")
    sync_record(owner, "customer", later.uuid)
    wait_until(lambda: Link.objects.filter(record_uuid=later.uuid).exists(), seconds=7)
    assert len(ledger.records("customer")) == 1
    held.is_released.set()
    wait_until(lambda: is_settled(owner) and len(ledger.records("customer")) == 2)


def test_stale_version_after_many_lost_answers_is_sent_anew_at_once(
    owner: Actor, ledger: FakeLedger, synced_invoice: Invoice
) -> None:
    """Answers that were lost tell nothing of how often somebody changes the record there."""
    pause_sync(owner)
    for _ in range(2):
        ledger.fail_next("invoice", StaleError())
    reprice(owner, synced_invoice, "9.99")
    OutboxRow.objects.update(tries=12)
    resume_sync(owner)
    # Again and again it pauses, but for seconds: a second such answer says that somebody is at it.
    wait_until(lambda: is_settled(owner) and documents(ledger)[0].total == Decimal("11.99"))
    verdicts = Attempt.objects.filter(kind="invoice").order_by("id").values_list("verdict", flat=True)
    assert list(verdicts) == ["sent", "stale", "stale", "sent"]
    first, second, third = (
        Attempt.objects.filter(kind="invoice").order_by("id").values_list("started_at", flat=True)[1:]
    )
    assert second - first < timedelta(seconds=1) < third - second


def test_throttled_connection_waits_and_then_sends(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("customer", TryLaterError(Answered(http_status=429)), times=2)
    make_invoice(owner, is_issued=True)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner), seconds=20)
    assert len(ledger.records("customer")) == 1


def test_pause_holds_three_edits_and_resume_sends_one_write(
    owner: Actor, ledger: FakeLedger, synced_invoice: Invoice
) -> None:
    pause_sync(owner)
    before = ledger.count_sends("invoice")
    for price in ("10.00", "20.00", "30.00"):
        reprice(owner, synced_invoice, price)
    assert sync_states(owner.workspace.pk, "invoice", [synced_invoice.uuid]) == {synced_invoice.uuid: SyncState.HELD}
    assert ledger.count_sends("invoice") == before
    resume_sync(owner)
    wait_until(lambda: is_settled(owner) and documents(ledger)[0].total == Decimal(36))
    assert ledger.count_sends("invoice") == before + 1


def test_lock_connection_terminated_in_mid_flight_makes_no_second_invoice(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    hurry(ledger, 500)
    worker = make_worker()
    connect(owner, ledger)
    configure(owner)
    seen: list[Sending] = []

    async def terminate(sending: Sending) -> None:
        if sending.kind == "invoice" and not seen:
            seen.append(sending)
            with psycopg.connect(conninfo(), autocommit=True) as other:
                other.execute("select pg_terminate_backend(%s)", [worker.dispatcher.locks.backend_pid()])

    ledger.before_send = terminate
    make_invoice(owner, is_issued=True)
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner), seconds=20)
    assert seen
    assert len(ledger.records("invoice")) == 1
    assert Attempt.objects.filter(kind="invoice", state="unknown").count() == 0


def test_two_workers_hold_one_lane_for_one_company(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    workers = [make_worker(), make_worker()]
    active = connect(owner, ledger)
    configure(owner)
    for number in range(12):
        make_invoice(owner, make_customer(owner, f"Customer {number}"), is_issued=True)
    for worker in workers:
        for _ in range(5):
            worker.wake(active.pk)
    wait_until(lambda: len(ledger.records("invoice")) == 12 and is_settled(owner), seconds=20)
    assert ledger.count_sends("invoice") == 12
    assert ledger.count_sends("customer") == 12


def test_total_that_differs_needs_attention_with_both_figures(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.total_is_off_by = Decimal("0.01")
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: OutboxRow.objects.filter(state="blocked").exists())
    sync = read_record_sync(owner.workspace.pk, "invoice", invoice.uuid)
    assert sync is not None
    assert sync.cause is not None
    assert sync.state is SyncState.NEEDS_ATTENTION
    assert "£120.00" in sync.cause.explanation
    assert "£120.01" in sync.cause.explanation
    assert replace(sync.cause, explanation="").title == f"{invoice.number} differs in Fake Ledger"


def test_total_that_differs_by_their_own_sales_tax_is_mended_by_the_setting(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    company = ledger.companies["fake-company"]
    company.facts = replace_value(company.facts, computes_tax_itself=True)
    make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.total_is_off_by = Decimal(8)
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: OutboxRow.objects.filter(state="blocked").exists())
    sync = read_record_sync(owner.workspace.pk, "invoice", invoice.uuid)
    assert sync is not None
    assert sync.cause is not None
    assert (sync.cause.target, sync.cause.action) == ("terms", "Choose whose sales tax counts")

    # Chosen already, it wouldn't mend what differs all the same.
    save_terms(owner, {"tax_source": "ours"})
    wait_until(lambda: OutboxRow.objects.filter(state="blocked", cause__params__mended_by__isnull=True).exists())
    sync = read_record_sync(owner.workspace.pk, "invoice", invoice.uuid)
    assert sync is not None
    assert sync.cause is not None
    assert sync.cause.target == "invoice"
