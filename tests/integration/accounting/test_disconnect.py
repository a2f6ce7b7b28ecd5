"""Leaving and returning: settings and tokens go, what is known of the company's records stays."""

import threading
import time
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from django.db import connections
from django.db.models.functions import Now

from cone.accounting.causes import list_cause_cards
from cone.accounting.connections import ConnectionBusyError, NotConnectedError
from cone.accounting.manage import read_manage
from cone.accounting.port.verdicts import Answered, CauseCode, OutcomeUnknownError, RejectedError, TryLaterError
from cone.accounting.states import sync_states
from cone.accounting.values import SyncState
from cone.books.models import (
    Activity,
    Attempt,
    Connection,
    ConnectionTokens,
    Customer,
    Link,
    OutboxRow,
    ReferenceRecord,
    RemoteCompany,
    Revocation,
    TaxMapping,
)
from cone.domain.errors import NotAllowedError
from cone.domain.permissions import Role
from cone.operations.actor import Actor
from cone.operations.disconnect_provider import disconnect_provider, finish_disconnects
from cone.operations.pause_sync import pause_sync
from cone.operations.save_invoice import save_invoice
from cone.operations.save_removal_policy import save_removal_policy
from tests.builders import (
    get_tax_rate,
    make_customer,
    make_invoice,
    make_invoice_input,
    make_line,
    make_member,
)
from tests.fakes.ledger import DEFAULT_COMPANY, FakeLedger
from tests.integration.accounting.conftest import (
    NO_SWEEP,
    Held,
    MakeWorker,
    configure,
    connect,
    hurry,
    is_settled,
    wait_until,
)
from tests.integration.accounting.database import conninfo
from tests.integration.accounting.test_lane import documents

pytestmark = pytest.mark.django_db(transaction=True)


def edit(actor: Actor, invoice_uuid: UUID, customer: Customer, price: str) -> None:
    """Give an invoice another price."""
    line = make_line(get_tax_rate(actor.workspace, 20), unit_price=price)
    save_invoice(actor, make_invoice_input(customer, [line]), uuid=invoice_uuid)


def test_m13_leaving_removes_settings_and_returning_duplicates_nothing(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    save_removal_policy(owner, "void")
    pause_sync(owner)
    late = make_customer(owner, "Waits")
    links, attempts = list(Link.objects.order_by("id").values()), list(Attempt.objects.order_by("id").values())

    disconnect_provider(owner)

    active = Connection.objects.get()
    assert (active.state, active.deposit_account_id, active.income_account_id) == ("disconnected", "", "")
    assert (active.send_from_date, active.paused_at, active.removal_policy) == (None, None, "leave")
    assert ledger.revoked == ["refresh-2"]
    gone = (ConnectionTokens, TaxMapping, ReferenceRecord, Revocation)
    assert [model._default_manager.count() for model in gone] == [0, 0, 0, 0]
    assert list(Link.objects.order_by("id").values()) == links
    assert list(Attempt.objects.order_by("id").values()) == attempts
    assert list(OutboxRow.objects.values_list("record_uuid", flat=True)) == [late.uuid]
    assert sync_states(owner.workspace.pk, "invoice", [invoice.uuid]) == {}

    edit(owner, invoice.uuid, invoice.customer, "7.00")
    sends = ledger.count_sends("invoice")
    connect(owner, ledger)
    view = read_manage(owner.workspace.pk)
    assert (view.deposit_account_id, [row.saved_id for row in view.rows]) == ("", [""] * len(view.rows))
    wait_until(lambda: len(ledger.records("customer")) == 2)
    wait_until(lambda: OutboxRow.objects.filter(cause_key="default_account_missing").exists())
    assert ledger.count_sends("invoice") == sends
    configure(owner)
    wait_until(lambda: is_settled(owner) and documents(ledger)[0].total == Decimal("8.40"))
    assert len(ledger.records("invoice")) == 1
    assert len(ledger.records("service")) == 1


def test_unknown_outcome_is_resolved_first_after_returning_and_then_the_edit_goes(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    hurry(ledger, 1000)
    make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("invoice", OutcomeUnknownError(Answered(message="no answer")), commit=True)
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: Attempt.objects.filter(kind="invoice", verdict="unknown").exists())

    disconnect_provider(owner)
    edit(owner, invoice.uuid, invoice.customer, "7.00")
    connect(owner, ledger)
    configure(owner)

    wait_until(lambda: documents(ledger)[0].total == Decimal("8.40") and is_settled(owner))
    sends = [sending for sending in ledger.sent if sending.kind == "invoice"]
    assert [sending.request.line.split()[0] for sending in sends] == ["create", "update"]
    assert len(ledger.records("invoice")) == 1
    assert Attempt.objects.filter(state="unknown").count() == 0


def test_causes_of_the_former_connection_are_planned_anew_after_returning(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker(NO_SWEEP)
    connect(owner, ledger)
    taken = RejectedError(Answered(http_status=400, message="taken"), cause=CauseCode.NAME_TAKEN)
    ledger.fail_next("customer", taken)
    customer = make_customer(owner, "Taken Ltd")
    wait_until(lambda: OutboxRow.objects.filter(cause_key=f"name_taken:{customer.uuid}").exists())
    disconnect_provider(owner)
    # The new connection counts its settings from the beginning: no sweep would ever find the old block stale.
    connect(owner, ledger)
    wait_until(lambda: ledger.records("customer") and is_settled(owner))
    assert list_cause_cards(owner.workspace.pk) == ()


def test_another_company_starts_clean(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    ledger.add_company("second")
    make_worker()
    connect(owner, ledger)
    configure(owner)
    old = make_invoice(owner, is_issued=True)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    disconnect_provider(owner)

    connect(owner, ledger, "second")
    configure(owner)
    edit(owner, old.uuid, old.customer, "7.00")  # older than this connection: not asked for there
    new = make_invoice(owner, old.customer, is_issued=True)
    wait_until(lambda: ledger.records("invoice", "second") and is_settled(owner))

    assert [record.document.uuid for record in ledger.records("invoice", "second")] == [new.uuid]
    assert len(ledger.records("customer", "second")) == 1
    assert [record.document.uuid for record in ledger.records("invoice")] == [old.uuid]
    assert documents(ledger)[0].total == Decimal(120)
    assert RemoteCompany.objects.count() == 2


def test_failing_revocation_is_retried_until_answered(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    ledger.fail_next("revoke", TryLaterError(), times=2)
    disconnect_provider(owner)
    assert Connection.objects.get().state == "disconnected"
    assert ledger.revoked == []
    Revocation.objects.update(not_before=Now())
    # One that was sealed with a key that is gone: nobody can use it either, and it must not stop the worker.
    Revocation.objects.create(provider=ledger.key, environment="emulator", company_id_remote="x", token=b"sealed")
    make_worker()
    wait_until(lambda: not Revocation.objects.exists())
    assert ledger.revoked == ["refresh-2"]
    assert ledger.calls.count("revoke") == 3


def test_disconnect_waits_for_the_answer_in_flight(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.after_send = held = Held("invoice")
    make_invoice(owner, is_issued=True)
    assert held.is_asked.wait(10)

    def leave() -> None:
        try:
            disconnect_provider(owner)
        finally:
            connections.close_all()

    leaving = threading.Thread(target=leave)
    began = time.monotonic()
    leaving.start()
    wait_until(lambda: Connection.objects.get().state == "disconnecting")
    with pytest.raises(ConnectionBusyError):
        pause_sync(owner)
    make_customer(owner, "Too late")  # wakes the lane, which must let the other one finish
    held.is_released.set()
    leaving.join(20)

    assert time.monotonic() - began < 5
    assert Connection.objects.get().state == "disconnected"
    assert Link.objects.filter(kind="invoice").count() == 1
    assert Attempt.objects.exclude(state="succeeded").count() == 0
    assert len(ledger.records("customer")) == 1


def test_pause_between_plan_and_send_holds_that_one_and_lets_the_other_finish(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.after_send = held = Held("invoice")
    first = make_invoice(owner, is_issued=True)
    assert held.is_asked.wait(10)
    prepare = ledger.prepare
    is_planned = threading.Event()

    def pause_then_prepare(*given: object) -> object:
        with psycopg.connect(conninfo(), autocommit=True) as other:
            other.execute("update books_connection set paused_at = now()")
        is_planned.set()
        return prepare(*given)  # type: ignore[arg-type]  # a stand-in with the original's arguments

    monkeypatch.setattr(ledger, "prepare", pause_then_prepare)
    second = make_invoice(owner, first.customer, is_issued=True)
    assert is_planned.wait(10)
    held.is_released.set()

    wait_until(lambda: Link.objects.filter(record_uuid=first.uuid).exists())
    assert ledger.count_sends("invoice") == 1
    assert list(Attempt.objects.filter(kind="invoice").values_list("state", flat=True)) == ["succeeded"]
    assert sync_states(owner.workspace.pk, "invoice", [first.uuid, second.uuid]) == {
        first.uuid: SyncState.SYNCED,
        second.uuid: SyncState.HELD,
    }


def test_interrupted_disconnect_is_finished_by_asking_again(owner: Actor, ledger: FakeLedger) -> None:
    connect(owner, ledger)
    configure(owner)
    Connection.objects.update(state="disconnecting")
    disconnect_provider(owner)
    assert Connection.objects.get().state == "disconnected"
    assert ConnectionTokens.objects.count() == 0
    with pytest.raises(NotConnectedError):
        disconnect_provider(owner)
    assert connect(owner, ledger).company.remote_id == DEFAULT_COMPANY


def test_disconnect_of_a_process_that_died_is_finished_by_the_worker(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    configure(owner)
    Connection.objects.update(state="disconnecting")
    make_worker(NO_SWEEP)
    wait_until(lambda: Connection.objects.get().state == "disconnected")
    assert (ConnectionTokens.objects.count(), TaxMapping.objects.count(), Revocation.objects.count()) == (0, 0, 1)
    noted = Activity.objects.get(verb="disconnected")
    assert noted.detail == {"provider": ledger.name, "company": f"Books of {DEFAULT_COMPANY}"}
    assert (noted.workspace, noted.actor) == (owner.workspace, None)
    assert connect(owner, ledger).company.remote_id == DEFAULT_COMPANY


def test_worker_leaves_a_disconnect_alone_that_waits_for_an_answer(owner: Actor, ledger: FakeLedger) -> None:
    connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner)
    row = OutboxRow.objects.get(record_uuid=customer.uuid)
    OutboxRow.objects.update(state="sending")
    Attempt.objects.create(
        company=row.company,
        connection=Connection.objects.get(),
        kind="customer",
        record_uuid=customer.uuid,
        revision=1,
        operation="create",
        generation=1,
        request_id="in-flight",
        request_line="customer",
        body=b"{}",
        lane_epoch=1,
    )
    Connection.objects.update(state="disconnecting")
    finish_disconnects()
    assert Connection.objects.get().state == "disconnecting"
    Attempt.objects.update(last_sent_at=Now() - timedelta(seconds=31))
    finish_disconnects()
    assert Connection.objects.get().state == "disconnected"
    assert OutboxRow.objects.get().state == "due"


@pytest.mark.parametrize("role", [Role.BILLER, Role.BOOKKEEPER])
def test_only_the_owner_disconnects_or_pauses(owner: Actor, ledger: FakeLedger, role: Role) -> None:
    connect(owner, ledger)
    member = make_member(owner.workspace, role)
    for verb in (disconnect_provider, pause_sync, configure):
        with pytest.raises(NotAllowedError):
            verb(member)
    active = Connection.objects.get()
    assert (active.state, active.paused_at, TaxMapping.objects.count()) == ("connected", None, 0)
