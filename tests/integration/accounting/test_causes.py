"""Why records wait, said before anything is sent wherever that can be known; and the one act that lets them go.

Nothing but notifications wakes these workers: what a person mends must go at once, not with the next sweep.
"""

import asyncio
import threading
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import transaction
from django.utils import timezone

from cone.accounting import lane
from cone.accounting.causes import list_cause_cards
from cone.accounting.port.documents import Address, CustomerDocument, Kind
from cone.accounting.port.verdicts import Answered, OutcomeUnknownError, RejectedError
from cone.accounting.snapshot import Snapshot, read_snapshot
from cone.accounting.states import read_record_sync, sync_states
from cone.accounting.values import CauseCard, SyncState
from cone.books.models import Attempt, Customer, Invoice, Link, OutboxRow
from cone.domain.customers import CustomerInput
from cone.domain.errors import NotAllowedError, RecordNotFoundError
from cone.domain.permissions import Role
from cone.kit.values import replace
from cone.operations.actor import Actor
from cone.operations.confirm_removed import confirm_removed
from cone.operations.pause_sync import pause_sync
from cone.operations.refresh_reference import refresh_reference
from cone.operations.save_accounts import save_accounts
from cone.operations.save_customer import save_customer
from cone.operations.save_invoice import save_invoice
from cone.operations.save_tax_mappings import save_tax_mappings
from cone.operations.sync_now import SyncPausedError, sync_all, sync_cause, sync_record
from cone.operations.void_invoice import void_invoice
from tests.builders import (
    get_tax_rate,
    make_customer,
    make_invoice,
    make_invoice_input,
    make_line,
    make_member,
    make_owner,
    make_tax_rate,
)
from tests.fakes.ledger import BANK, INCOME, REDUCED, RETIRED, SAVINGS, STANDARD, FakeLedger, FakeRecord
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

pytestmark = pytest.mark.django_db(transaction=True)


def cards(actor: Actor) -> dict[str, CauseCard]:
    """The cards by their cause's key."""
    return {card.cause.key: card for card in list_cause_cards(actor.workspace.pk)}


def state(actor: Actor, kind: Kind, uuid: UUID) -> SyncState:
    return sync_states(actor.workspace.pk, kind, [uuid])[uuid]


def has_sent(ledger: FakeLedger, actor: Actor, invoices: int) -> bool:
    return len(ledger.records("invoice")) == invoices and is_settled(actor)


def test_m07_invoices_wait_for_the_default_account_while_customers_go(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker(NO_SWEEP)
    connect(owner, ledger)
    save_tax_mappings(owner, {get_tax_rate(owner.workspace, 20).uuid: STANDARD})
    invoices = [make_invoice(owner, make_customer(owner, name), is_issued=True) for name in ("A", "B")]
    wait_until(lambda: len(ledger.records("customer")) == 2 and is_settled(owner))

    assert {state(owner, "invoice", invoice.uuid) for invoice in invoices} == {SyncState.WAITING}
    (card,) = cards(owner).values()
    assert (card.cause.key, card.cause.target, card.count) == ("default_account_missing", "accounts", 2)
    assert [label for _, _, label in card.examples] == [invoice.number for invoice in invoices]
    assert ledger.count_sends("invoice") == 0

    save_accounts(owner, deposit_account_id=BANK, income_account_id=INCOME)
    wait_until(lambda: has_sent(ledger, owner, 2))
    assert cards(owner) == {}


def test_m08_unmapped_rate_fails_with_its_name_and_saving_the_mapping_sends_all(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker(NO_SWEEP)
    connect(owner, ledger)
    configure(owner)
    fuel = make_tax_rate(owner, "Fuel & power")
    customer = make_customer(owner)
    invoices = [make_invoice(owner, customer, lines=[make_line(fuel)], is_issued=True) for _ in range(7)]
    fine = make_invoice(owner, customer, is_issued=True)
    wait_until(lambda: has_sent(ledger, owner, 1))

    assert state(owner, "invoice", fine.uuid) is SyncState.SYNCED
    assert {state(owner, "invoice", invoice.uuid) for invoice in invoices} == {SyncState.NEEDS_ATTENTION}
    (card,) = cards(owner).values()
    assert (card.cause.title, card.cause.action) == ("Fuel & power is not mapped", "Map Fuel & power")
    assert (card.cause.target, card.cause.target_uuid, card.count) == ("tax_mapping", fuel.uuid, 7)
    assert len(card.examples) == 5
    sync = read_record_sync(owner.workspace.pk, "invoice", invoices[0].uuid)
    assert sync is not None
    assert (sync.cause, sync.history) == (card.cause, ())

    save_tax_mappings(owner, {fuel.uuid: REDUCED})
    wait_until(lambda: has_sent(ledger, owner, 8))
    assert (cards(owner), OutboxRow.objects.count()) == ({}, 0)
    assert ledger.count_sends("invoice") == 8


@pytest.mark.parametrize("moment", ["between snapshot and settling", "while settling"])
def test_mapping_saved_while_the_worker_plans_strands_nothing(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    connect(owner, ledger)
    configure(owner)
    fuel = make_tax_rate(owner, "Fuel")
    invoice = make_invoice(owner, lines=[make_line(fuel)], is_issued=True)
    has_read, may_go_on = threading.Event(), threading.Event()

    async def read_then_wait(*given: Any, **named: Any) -> Snapshot:
        snapshot = await read_snapshot(*given, **named)
        if any(subject.row.uuid == invoice.uuid for subject in snapshot.subjects) and not has_read.is_set():
            has_read.set()
            await asyncio.to_thread(may_go_on.wait, 10)
        return snapshot

    monkeypatch.setattr(lane, "read_snapshot", read_then_wait)
    make_worker(NO_SWEEP)
    assert has_read.wait(10)
    with transaction.atomic():
        save_tax_mappings(owner, {fuel.uuid: REDUCED})
        if moment == "while settling":
            may_go_on.set()
            wait_until(_is_someone_waiting_for_a_lock)
    may_go_on.set()

    wait_until(lambda: has_sent(ledger, owner, 1))
    assert cards(owner) == {}


def _is_someone_waiting_for_a_lock() -> bool:
    with psycopg.connect(conninfo(), autocommit=True) as other:
        row = other.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).fetchone()
    return row is not None and row[0] > 0


def test_inactive_code_is_one_card_whether_foreseen_or_refused(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker(NO_SWEEP)
    connect(owner, ledger)
    configure(owner)
    rate = get_tax_rate(owner.workspace, 20)
    company = ledger.companies["fake-company"]
    company.tax_codes = tuple(
        replace(code, is_active=code.remote_id == RETIRED or (code.is_active and code.remote_id != STANDARD))
        for code in company.tax_codes
    )
    customer = make_customer(owner)
    refused = make_invoice(owner, customer, is_issued=True)  # the cached list doesn't know yet
    wait_until(lambda: state(owner, "invoice", refused.uuid) is SyncState.NEEDS_ATTENTION)
    key = f"tax_code_inactive:{rate.uuid}"
    assert (cards(owner)[key].cause.target_uuid, cards(owner)[key].count) == (rate.uuid, 1)
    assert cards(owner)[key].cause.provider_says == "no such tax code"

    refresh_reference(owner)
    foreseen = make_invoice(owner, customer, is_issued=True)
    wait_until(lambda: key in cards(owner) and cards(owner)[key].count == 2)
    assert cards(owner).keys() == {key}
    assert cards(owner)[key].cause.title == f"The tax code for {rate.name} is inactive"
    assert state(owner, "invoice", foreseen.uuid) is SyncState.NEEDS_ATTENTION

    save_tax_mappings(owner, {rate.uuid: RETIRED})
    wait_until(lambda: has_sent(ledger, owner, 2))


def test_inactive_account_is_said_after_refresh_and_another_one_lets_all_go(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker(NO_SWEEP)
    connect(owner, ledger)
    configure(owner)
    company = ledger.companies["fake-company"]
    company.accounts = tuple(
        replace(account, is_active=False, can_receive_deposits=False) if account.remote_id == BANK else account
        for account in company.accounts
    )
    refresh_reference(owner)
    make_invoice(owner, is_issued=True)
    wait_until(lambda: f"account_inactive:{BANK}" in cards(owner))
    (card,) = cards(owner).values()
    assert (card.cause.target, card.count) == ("accounts", 1)
    assert card.cause.explanation.startswith("Current account is inactive in Fake Ledger")
    assert ledger.count_sends("invoice") == 0
    save_accounts(owner, deposit_account_id=SAVINGS, income_account_id=INCOME)
    wait_until(lambda: has_sent(ledger, owner, 1))


def test_closed_period_is_a_cause_and_a_later_date_lets_the_invoice_go(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    today = timezone.localdate()
    ledger.close_books(today)
    make_worker(NO_SWEEP)
    connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner)
    line = make_line(get_tax_rate(owner.workspace, 20))
    first, second = (make_invoice(owner, customer, lines=[line], is_issued=True) for _ in range(2))
    wait_until(lambda: f"period_closed:{today}" in cards(owner) and is_settled(owner))
    assert cards(owner)[f"period_closed:{today}"].count == 2
    assert ledger.count_sends("invoice") == 0

    later = today + timedelta(days=1)
    save_invoice(owner, make_invoice_input(customer, [line], issue_date=later), uuid=first.uuid)
    wait_until(lambda: has_sent(ledger, owner, 1))
    assert state(owner, "invoice", first.uuid) is SyncState.SYNCED

    # The bookkeeper opens the period: one refresh sends what waited.
    ledger.close_books(date(2000, 1, 1))
    refresh_reference(owner)
    wait_until(lambda: has_sent(ledger, owner, 2))
    assert state(owner, "invoice", second.uuid) is SyncState.SYNCED


def test_taken_name_blocks_the_customer_and_its_invoices_under_one_card(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner, "Taken Ltd")
    _put_there(ledger, customer)
    invoices = [make_invoice(owner, customer, is_issued=True) for _ in range(2)]
    other = make_invoice(owner, make_customer(owner, "Free Ltd"), is_issued=True)
    make_worker(NO_SWEEP)
    wait_until(lambda: has_sent(ledger, owner, 1))

    assert state(owner, "invoice", other.uuid) is SyncState.SYNCED
    (card,) = cards(owner).values()
    assert (card.cause.key, card.cause.target) == (f"name_taken:{customer.uuid}", "customer")
    assert (card.cause.target_uuid, card.count) == (customer.uuid, 3)
    assert {state(owner, "invoice", invoice.uuid) for invoice in invoices} == {SyncState.NEEDS_ATTENTION}
    assert ledger.count_sends("customer") == 2

    # Asking again changes nothing while the name stays.
    sync_cause(owner, card.cause.key)
    wait_until(lambda: ledger.count_sends("customer") == 3 and is_settled(owner))
    assert cards(owner)[card.cause.key].count == 3

    save_customer(owner, CustomerInput(name="Taken Ltd (Leeds)"), uuid=customer.uuid)
    wait_until(lambda: has_sent(ledger, owner, 3))
    assert cards(owner) == {}


def _put_there(ledger: FakeLedger, customer: Customer) -> None:
    """The same name, made there by the bookkeeper."""
    document = CustomerDocument(
        uuid=UUID(int=0),
        revision=1,
        name=customer.name,
        email="",
        phone="",
        tax_number="",
        address=Address(),
        currency="GBP",
        notes="",
    )
    ledger.companies["fake-company"].records["customer", "900"] = FakeRecord("customer", "900", document)


def test_record_edited_while_blocked_is_planned_anew(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    make_worker(NO_SWEEP)
    connect(owner, ledger)
    configure(owner)
    fuel = make_tax_rate(owner, "Fuel")
    invoice = make_invoice(owner, lines=[make_line(fuel)], is_issued=True)
    wait_until(lambda: state(owner, "invoice", invoice.uuid) is SyncState.NEEDS_ATTENTION)
    line = make_line(get_tax_rate(owner.workspace, 20))
    save_invoice(owner, make_invoice_input(invoice.customer, [line]), uuid=invoice.uuid)
    wait_until(lambda: has_sent(ledger, owner, 1))
    assert state(owner, "invoice", invoice.uuid) is SyncState.SYNCED


def test_foreign_currency_is_refused_before_sending(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    make_worker(NO_SWEEP)
    connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner, "Ortiz SL", typed=CustomerInput(name="", currency="EUR"))
    make_invoice(owner, customer, is_issued=True)
    wait_until(lambda: "currency_unsupported:EUR" in cards(owner))
    explained = cards(owner)["currency_unsupported:EUR"].cause
    assert explained.title == "Fake Ledger keeps this company's books in GBP only"
    assert ledger.count_sends("invoice") == 0


def test_refusal_shows_the_providers_own_words(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    make_worker(NO_SWEEP)
    connect(owner, ledger)
    configure(owner)
    answered = Answered(http_status=400, code="2010", message="Refused: Too <b>odd</b>", said="Too <b>odd</b>")
    ledger.fail_next("invoice", RejectedError(answered))
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: state(owner, "invoice", invoice.uuid) is SyncState.NEEDS_ATTENTION)
    sync = read_record_sync(owner.workspace.pk, "invoice", invoice.uuid)
    assert sync is not None
    assert sync.cause is not None
    assert sync.cause.provider_says == "Too <b>odd</b>"
    assert [(entry.outcome, entry.http_status) for entry in sync.history] == [("failed", 400)]
    assert sync_all(owner) == 1
    wait_until(lambda: has_sent(ledger, owner, 1))
    generations = Attempt.objects.filter(kind="invoice").order_by("id").values_list("generation", "state")
    assert list(generations) == [(1, "failed"), (2, "succeeded")]


def test_void_after_sending_asks_to_remove_it_there_until_confirmed(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker(NO_SWEEP)
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, is_issued=True)
    unsent = make_invoice(owner, invoice.customer, lines=[make_line(make_tax_rate(owner))], is_issued=True)
    wait_until(lambda: has_sent(ledger, owner, 1))
    with pytest.raises(RecordNotFoundError):
        confirm_removed(owner, "invoice", invoice.uuid)
    void_invoice(owner, invoice.uuid)
    void_invoice(owner, unsent.uuid)
    wait_until(lambda: cards(owner).keys() == {f"voided_here:{invoice.uuid}"})
    wait_until(lambda: state(owner, "invoice", unsent.uuid) is SyncState.NOT_SENT)
    assert ledger.count_sends("invoice") == 1

    stranger = make_owner("Outside Ltd")
    ledger.add_company("theirs")
    connect(stranger, ledger, "theirs")
    with pytest.raises(RecordNotFoundError):
        confirm_removed(stranger, "invoice", invoice.uuid)
    with pytest.raises(NotAllowedError):
        confirm_removed(make_member(owner.workspace, Role.BOOKKEEPER), "invoice", invoice.uuid)

    confirm_removed(make_member(owner.workspace, Role.BILLER), "invoice", invoice.uuid)
    assert cards(owner) == {}
    assert Link.objects.filter(record_uuid=invoice.uuid).count() == 1
    sync_record(owner, "invoice", invoice.uuid)
    wait_until(lambda: is_settled(owner))
    assert cards(owner) == {}


def test_void_while_the_answer_is_on_its_way_is_noticed(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    hurry(ledger, 500)
    make_worker(NO_SWEEP)
    connect(owner, ledger)
    configure(owner)
    ledger.after_send = held = Held("invoice")
    ledger.fail_next("invoice", OutcomeUnknownError(Answered(message="no answer")), commit=True)
    invoice = make_invoice(owner, is_issued=True)
    assert held.is_asked.wait(10)
    void_invoice(owner, invoice.uuid)
    with pytest.raises(RecordNotFoundError):
        confirm_removed(owner, "invoice", invoice.uuid)
    held.is_released.set()
    wait_until(lambda: cards(owner).keys() == {f"voided_here:{invoice.uuid}"})
    # It was looked for, not sent again: a voided invoice must not be made by a repeat.
    assert len(ledger.records("invoice")) == 1
    assert [sending.request.line for sending in ledger.sent if sending.kind == "invoice"] == ["create invoice"]


def test_sync_now_is_for_those_who_may_and_not_while_paused(owner: Actor, ledger: FakeLedger) -> None:
    connect(owner, ledger)
    invoice: Invoice = make_invoice(owner, is_issued=True)
    for verb in (lambda actor: sync_record(actor, "invoice", invoice.uuid), sync_all):
        with pytest.raises(NotAllowedError):
            verb(make_member(owner.workspace, Role.BOOKKEEPER))
        verb(make_member(owner.workspace, Role.BILLER))
    pause_sync(owner)
    with pytest.raises(SyncPausedError):
        sync_record(owner, "invoice", invoice.uuid)
    with pytest.raises(SyncPausedError):
        sync_cause(owner, "default_account_missing")
