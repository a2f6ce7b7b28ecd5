"""Invoices of new customers: kept in mind while those are on their way, written down once they don't come."""

from collections.abc import Mapping, Sequence, Set
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from django.db import connection

from cone.accounting import decided
from cone.accounting.decided import _expect
from cone.accounting.plan.decisions import Decision, WaitFor
from cone.accounting.plan.next_step import plan
from cone.accounting.port.documents import InvoiceDocument
from cone.accounting.port.verdicts import Answered, CauseCode, RejectedError
from cone.accounting.records import Reference, Situation, Subject
from cone.accounting.sql import sweep as sweep_sql
from cone.accounting.states import read_record_sync
from cone.accounting.values import Awaited, SyncState
from cone.accounting.waiting import Expecting
from cone.books.models import Attempt, Link, OutboxRow
from cone.operations.actor import Actor
from cone.operations.confirm_removed import confirm_removed
from cone.operations.pause_sync import pause_sync
from cone.operations.resume_sync import resume_sync
from cone.operations.save_invoice import save_invoice
from cone.operations.void_payment import void_payment
from cone.worker.dispatcher import Dispatcher
from tests.builders import get_tax_rate, make_customer, make_invoice, make_invoice_input, make_line, make_payment
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import (
    Held,
    MakeWorker,
    configure,
    connect,
    is_settled,
    release_values,
    wait_until,
)
from tests.integration.accounting.database import conninfo

pytestmark = pytest.mark.django_db(transaction=True)
NO_SWEEP = timedelta(minutes=5)

Waits = Sequence[tuple[Subject, WaitFor]]
Expected = tuple[list[Expecting], list[tuple[Subject, WaitFor]]]


def test_row_is_not_written_while_its_customer_is_on_its_way(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.before_send = held = Held("customer")
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, is_issued=True)
    before = OutboxRow.objects.get(record_uuid=invoice.uuid)
    make_worker(NO_SWEEP)
    assert held.is_asked.wait(10)
    wait_until(lambda: ledger.records("service"))

    during = OutboxRow.objects.get(record_uuid=invoice.uuid)
    assert (during.state, during.waits_for_uuid, during.changed_at) == ("due", None, before.changed_at)
    held.is_released.set()
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    assert ledger.count_sends("invoice") == 1


def test_edit_meanwhile_is_what_goes(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    ledger.before_send = held = Held("customer")
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, is_issued=True)
    make_worker(NO_SWEEP)
    assert held.is_asked.wait(10)
    typed = make_invoice_input(invoice.customer, [make_line(get_tax_rate(owner.workspace, 20), unit_price="250.00")])
    save_invoice(owner, typed, uuid=invoice.uuid)
    held.is_released.set()
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))

    (record,) = ledger.records("invoice")
    assert isinstance(record.document, InvoiceDocument)
    assert record.document.total == Decimal(300)
    assert list(Attempt.objects.filter(kind="invoice").values_list("state", flat=True)) == ["succeeded"]


def test_refused_customer_is_what_its_invoices_wait_for(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.fail_next("customer", RejectedError(Answered(http_status=400, message="no"), cause=CauseCode.REFUSED))
    connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner, "Refused Ltd")
    invoices = [make_invoice(owner, customer, is_issued=True) for _ in range(2)]
    make_worker(NO_SWEEP)
    wait_until(lambda: OutboxRow.objects.filter(kind="customer", state="blocked").exists() and is_settled(owner))

    for invoice in invoices:
        sync = read_record_sync(owner.workspace.pk, "invoice", invoice.uuid)
        assert sync is not None
        assert (sync.state, sync.waits_for) == (SyncState.NEEDS_ATTENTION, (Awaited("customer", "Refused Ltd"),))
    assert ledger.records("invoice") == []


def test_pause_while_the_customer_is_on_its_way_holds_the_invoice(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.before_send = held = Held("customer")
    connect(owner, ledger)
    configure(owner)
    make_invoice(owner, is_issued=True)
    make_worker(NO_SWEEP)
    assert held.is_asked.wait(10)
    pause_sync(owner)
    held.is_released.set()
    wait_until(lambda: ledger.records("customer") and not OutboxRow.objects.filter(kind="customer").exists())
    assert ledger.records("invoice") == []

    resume_sync(owner)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    assert ledger.count_sends("invoice") == 1


def test_customer_blocked_in_the_same_look_is_what_its_invoice_waits_for(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    configure(owner)
    pause_sync(owner)
    blocked = make_customer(owner, "Level: Two")
    make_customer(owner, "Beside")
    invoice = make_invoice(owner, blocked, is_issued=True)
    # A backfill has asked for the customer; the invoice is more urgent.
    OutboxRow.objects.filter(record_uuid=blocked.uuid).update(priority=10)
    resume_sync(owner)

    make_worker(NO_SWEEP)

    wait_until(lambda: OutboxRow.objects.filter(record_uuid=invoice.uuid, waits_for_uuid=blocked.uuid).exists())
    sync = read_record_sync(owner.workspace.pk, "invoice", invoice.uuid)
    assert sync is not None
    assert (sync.state, sync.waits_for) == (SyncState.NEEDS_ATTENTION, (Awaited("customer", "Level: Two"),))


def test_customer_that_cannot_be_planned_is_what_its_invoice_waits_for(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(owner, ledger)
    configure(owner)
    pause_sync(owner)
    broken = make_customer(owner, "Broken")
    make_customer(owner, "Beside")
    invoice = make_invoice(owner, broken, is_issued=True)
    # Only asked for when the invoice is looked at, so that it breaks a look later.
    OutboxRow.objects.filter(record_uuid=broken.uuid).delete()
    resume_sync(owner)

    def break_one(subject: Subject, situation: Situation) -> Decision:
        if subject.row.uuid == broken.uuid:
            raise ZeroDivisionError
        return plan(subject, situation)

    monkeypatch.setattr("cone.accounting.lane.plan", break_one)
    make_worker(NO_SWEEP)

    wait_until(lambda: OutboxRow.objects.filter(record_uuid=invoice.uuid, waits_for_uuid=broken.uuid).exists())


def test_what_a_stopped_run_takes_out_meanwhile_is_asked_for_again(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between asking for the invoice and writing down that the payment waits for it."""
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, is_issued=True)
    make_payment(owner, invoice)
    taken_out: list[int] = []

    def expect_later(waits: Waits, asked: Set[Reference], on_their_way: Mapping[Reference, int]) -> Expected:
        found = _expect(waits, asked, on_their_way)
        if found[1] and not taken_out:
            with psycopg.connect(conninfo(), autocommit=True) as other:
                out = other.execute("delete from books_outboxrow where record_uuid = %s", [invoice.uuid])
            taken_out.append(out.rowcount)
        return found

    monkeypatch.setattr(decided, "_expect", expect_later)
    make_worker(NO_SWEEP)
    wait_until(lambda: ledger.records("payment") and is_settled(owner))
    assert taken_out == [1]
    assert ledger.count_sends("invoice") == 1


def test_no_other_worker_s_sweep_makes_it_look_as_if_it_were_on_its_way(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payment waits for one that a person must see to. Its lane is another worker's, and doesn't look meanwhile."""
    make_worker(NO_SWEEP)
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, is_issued=True)
    wrong = make_payment(owner, invoice, "120.00")
    wait_until(lambda: ledger.records("payment") and is_settled(owner))
    void_payment(owner, wrong.uuid)
    right = make_payment(owner, invoice, "120.00")
    wait_until(lambda: OutboxRow.objects.filter(record_uuid=right.uuid, waits_for_uuid=wrong.uuid).exists())

    sweeps: list[Dispatcher] = []
    sweep = Dispatcher._look_for_work

    async def sweep_and_note(dispatcher: Dispatcher) -> None:
        await sweep(dispatcher)
        sweeps.append(dispatcher)

    monkeypatch.setattr(Dispatcher, "_look_for_work", sweep_and_note)
    make_worker(timedelta(milliseconds=50))
    wait_until(lambda: len(sweeps) >= 5)
    sync = read_record_sync(owner.workspace.pk, "payment", right.uuid)
    assert sync is not None
    assert sync.state is SyncState.NEEDS_ATTENTION

    pause_sync(owner)
    with connection.cursor() as cursor:
        cursor.execute(sweep_sql.RELEASE_LINKED_WAITS, release_values(owner))
        assert cursor.rowcount == 0
    resume_sync(owner)
    ledger.remove_there("payment", Link.objects.get(record_uuid=wrong.uuid).remote_id)
    confirm_removed(owner, "payment", wrong.uuid)
    wait_until(lambda: ledger.records("payment") and is_settled(owner))
    assert Link.objects.filter(record_uuid=right.uuid).exists()
