"""What "not now" does to a company: a back-off that its connection counts, and a month without reads."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from cone.accounting import lane
from cone.accounting.overview import find_connection
from cone.accounting.port.verdicts import Answered, OutcomeUnknownError, StaleError, TryLaterError
from cone.accounting.states import read_record_sync, sync_states
from cone.accounting.values import SyncState
from cone.books.models import Attempt, Connection, Invoice, Link, OutboxRow
from cone.operations.actor import Actor
from cone.operations.disconnect_provider import disconnect_provider
from cone.operations.refresh_reference import RefreshFailedError, refresh_reference
from cone.operations.sync_now import sync_all
from tests.builders import get_tax_rate, make_customer, make_invoice, make_line, make_service
from tests.fakes.ledger import FakeLedger, Sending
from tests.integration.accounting.conftest import (
    NO_SWEEP,
    Held,
    HeldLook,
    MakeWorker,
    configure,
    connect,
    hurry,
    is_settled,
    wait_until,
)

pytestmark = pytest.mark.django_db(transaction=True)

SLOW_DOWN = TryLaterError(Answered(http_status=429))
NO_MORE_READS = TryLaterError(Answered(http_status=429, message="quota"), allowance="reads")
NOTHING_MORE = TryLaterError(Answered(http_status=429, message="quota"), allowance="everything")


def make_invoice_of_new_service(owner: Actor) -> Invoice:
    """Issue an invoice whose item is looked for first: its service came after the lists were read."""
    line = make_line(get_tax_rate(owner.workspace), service=make_service(owner))
    return make_invoice(owner, lines=[line], is_issued=True)


def held_for(active: Connection) -> timedelta:
    active.refresh_from_db()
    return active.not_before - timezone.now()


def test_refusals_in_a_row_back_off_on_the_connection_until_a_success(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    """Each of another record: a record's own tries say nothing of how busy the platform is."""
    worker = make_worker()
    active = connect(owner, ledger)
    waits = []
    for tries in range(1, 4):
        ledger.fail_next("customer", SLOW_DOWN)
        make_customer(owner, f"Customer {tries}")
        wait_until(Connection.objects.filter(throttle_tries=tries).exists)
        waits.append(held_for(active))
        OutboxRow.objects.all().delete()
        Connection.objects.update(not_before=timezone.now())
    assert waits[0] <= timedelta(seconds=1)
    assert timedelta(milliseconds=1400) < waits[1] <= timedelta(seconds=2)
    assert timedelta(milliseconds=2900) < waits[2] <= timedelta(seconds=4)

    make_customer(owner, "Welcome")
    worker.wake(active.pk)
    wait_until(Link.objects.all().exists)
    active.refresh_from_db()
    assert active.throttle_tries == 0


def test_refusals_of_requests_in_flight_together_count_once(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    active = connect(owner, ledger)
    for number in range(4):
        make_customer(owner, f"Customer {number}")
    ledger.fail_next("customer", SLOW_DOWN, times=4)
    arrived: list[Sending] = []
    all_there = asyncio.Event()
    is_released = threading.Event()

    async def together(sending: Sending) -> None:
        arrived.append(sending)
        if len(arrived) == 4:
            all_there.set()
        elif len(arrived) > 4:
            await asyncio.to_thread(is_released.wait, 10)
        await all_there.wait()

    ledger.before_send = together
    make_worker()
    wait_until(lambda: Attempt.objects.filter(verdict="trylater").count() == 4)
    active.refresh_from_db()
    assert active.throttle_tries == 1
    is_released.set()
    wait_until(lambda: is_settled(owner), seconds=20)
    assert len(ledger.records("customer")) == 4


@pytest.mark.parametrize(("tries", "longest"), [(5, 32), (6, 60), (10, 60)])
def test_back_off_ends_at_a_minute(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, tries: int, longest: int
) -> None:
    active = connect(owner, ledger)
    Connection.objects.update(throttle_tries=tries)
    ledger.fail_next("customer", SLOW_DOWN)
    make_worker()
    make_customer(owner, "Customer")
    wait_until(lambda: held_for(active) > timedelta(seconds=1))
    assert timedelta(seconds=longest * 0.7) < held_for(active) <= timedelta(seconds=longest)


def test_what_the_platform_asks_for_goes_before_our_own_back_off(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    active = connect(owner, ledger)
    ledger.fail_next("customer", TryLaterError(Answered(http_status=429), delay=timedelta(seconds=90)))
    make_worker()
    make_customer(owner, "Customer")
    wait_until(lambda: held_for(active) > timedelta(seconds=1))
    assert timedelta(seconds=85) < held_for(active) <= timedelta(seconds=90)


def test_throttled_create_is_sent_again_without_a_metered_look(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    ledger.fail_next("customer", SLOW_DOWN)
    make_worker()
    make_customer(owner, "Customer")
    wait_until(lambda: ledger.records("customer") and is_settled(owner))
    assert (ledger.calls.count("find"), ledger.count_sends("customer")) == (0, 2)


def next_month() -> tuple[datetime, datetime]:
    """When the next month has begun everywhere, and an hour later: companies don't come back at once."""
    now = datetime.now(UTC)
    begins = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, 12, tzinfo=UTC)
    return begins, begins + timedelta(hours=1)


def test_without_reads_new_records_go_and_what_begins_with_a_look_waits(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    """An invoice needs its item, which is looked for first; a customer doesn't."""
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("find", NO_MORE_READS)
    make_worker()
    make_invoice_of_new_service(owner)
    wait_until(lambda: ledger.records("customer") and Connection.objects.get().reads_not_before)
    earliest, latest = next_month()
    active = Connection.objects.get()
    assert active.reads_not_before is not None
    assert earliest <= active.reads_not_before <= latest
    item = OutboxRow.objects.get(kind="service")
    assert (item.state, item.not_before) == ("due", active.reads_not_before)
    wait_until(lambda: OutboxRow.objects.filter(kind="invoice", waits_for_kind="service").exists())
    sync = read_record_sync(owner.workspace.pk, "invoice", Invoice.objects.get().uuid)
    assert sync is not None
    assert (sync.state, sync.held_until) == (SyncState.PUT_OFF, active.reads_not_before)

    make_customer(owner, "Another")
    wait_until(lambda: len(ledger.records("customer")) == 2)
    assert ledger.calls.count("find") == 1
    view = find_connection(owner.workspace.pk)
    assert view is not None
    assert (view.held, view.held_until) == ("reads", active.reads_not_before)

    # The allowance was raised: a person says so, and everything goes.
    sync_all(owner)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    assert Connection.objects.get().reads_not_before is None


def test_reconnecting_ends_the_hold_of_the_former_connection(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    """What it put off until the next month isn't told by the new one, and "Sync now" had nothing to lift."""
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("find", NO_MORE_READS)
    make_worker()
    make_invoice_of_new_service(owner)
    wait_until(lambda: OutboxRow.objects.filter(not_before__gt=timezone.now() + timedelta(hours=1)).exists())
    disconnect_provider(owner)

    connect(owner, ledger)
    configure(owner)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))


@pytest.mark.parametrize("was_held", [True, False])
def test_look_that_is_refused_after_a_person_asked_to_try_now_holds_nothing(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, was_held: bool
) -> None:
    """It left before, and so tells of the allowance as it was."""
    connect(owner, ledger)
    configure(owner)
    is_refused, may_arrive = threading.Event(), threading.Event()

    async def arrive_late() -> None:
        is_refused.set()
        await asyncio.to_thread(may_arrive.wait, 10)

    ledger.after_look = arrive_late
    ledger.fail_next("find", NO_MORE_READS)
    make_worker(NO_SWEEP)
    make_invoice_of_new_service(owner)
    assert is_refused.wait(10)
    if was_held:
        Connection.objects.update(reads_not_before=next_month()[0])
    sync_all(owner)
    may_arrive.set()

    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    assert Connection.objects.get().reads_not_before is None


def test_write_that_is_refused_after_a_person_asked_to_try_now_holds_nothing(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    ledger.before_send = held = Held("customer")
    ledger.fail_next("customer", NOTHING_MORE)
    make_worker(NO_SWEEP)
    make_customer(owner, "Customer")
    assert held.is_asked.wait(10)
    sync_all(owner)
    held.is_released.set()

    wait_until(lambda: ledger.records("customer") and is_settled(owner))
    active = Connection.objects.get()
    assert not active.is_allowance_used
    assert active.not_before <= timezone.now()


def test_refusal_of_what_left_after_a_person_asked_to_try_now_holds_again(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("find", NO_MORE_READS, times=2)
    make_worker()
    make_invoice_of_new_service(owner)
    wait_until(lambda: Connection.objects.get().reads_not_before)
    sync_all(owner)
    wait_until(lambda: ledger.calls.count("find") == 2 and Connection.objects.get().reads_not_before)


def test_what_was_put_off_by_a_hold_that_is_lifted_meanwhile_goes(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planned while reads were held, settled after: until when it waits is asked of the connection, not of the plan."""
    connect(owner, ledger)
    configure(owner)
    Connection.objects.update(reads_not_before=next_month()[0])
    monkeypatch.setattr(lane, "read_snapshot", held := HeldLook("service"))
    make_worker(NO_SWEEP)
    make_invoice_of_new_service(owner)
    assert held.is_asked.wait(10)
    sync_all(owner)
    held.is_released.set()

    wait_until(lambda: ledger.records("invoice") and is_settled(owner))


def test_lists_read_again_end_the_hold(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    """They're reads: an answer to them is a better word on the allowance than the refusal before."""
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("find", NO_MORE_READS)
    make_worker()
    make_invoice_of_new_service(owner)
    wait_until(lambda: OutboxRow.objects.filter(not_before__gt=timezone.now() + timedelta(hours=1)).exists())
    refresh_reference(owner)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    assert Connection.objects.get().reads_not_before is None


def test_without_reads_an_unknown_outcome_that_needs_a_look_is_left_as_it_is(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    hurry(ledger, 200)
    ledger.memory.is_kept = False
    worker = make_worker()
    active = connect(owner, ledger)
    ledger.fail_next("customer", OutcomeUnknownError(), commit=True)
    make_customer(owner, "Customer")
    wait_until(lambda: Attempt.objects.filter(verdict="unknown").exists())
    long_ago = timezone.now() - timedelta(hours=2)
    Attempt.objects.update(started_at=long_ago, last_sent_at=long_ago)
    OutboxRow.objects.update(not_before=long_ago)
    ledger.fail_next("find", NO_MORE_READS)
    worker.wake(active.pk)
    wait_until(lambda: Connection.objects.get().reads_not_before)
    wait_until(lambda: OutboxRow.objects.get().not_before > timezone.now() + timedelta(hours=1))
    assert Attempt.objects.get().state == "unknown"
    customer = OutboxRow.objects.get().record_uuid
    sync = read_record_sync(owner.workspace.pk, "customer", customer)
    assert sync is not None
    held_until = Connection.objects.get().reads_not_before
    assert (sync.state, sync.held, sync.held_until) == (SyncState.PUT_OFF, "reads", held_until)
    assert sync.looks_again_at == held_until
    assert sync_states(owner.workspace.pk, "customer", [customer]) == {customer: SyncState.PUT_OFF}

    sync_all(owner)
    wait_until(lambda: Link.objects.exists() and is_settled(owner))
    assert len(ledger.records("customer")) == 1


def test_without_reads_a_stale_update_waits_instead_of_asking_again(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    worker = make_worker()
    active = connect(owner, ledger)
    customer = make_customer(owner, "Customer")
    wait_until(lambda: Link.objects.exists() and is_settled(owner))
    ledger.fail_next("customer", StaleError())
    ledger.fail_next("read", NO_MORE_READS)
    customer.revision += 1
    customer.save()
    sync_all(owner)
    OutboxRow.objects.create(
        company_id=active.company_id, kind="customer", record_uuid=customer.uuid, wanted_revision=2
    )
    worker.wake(active.pk)
    wait_until(lambda: Connection.objects.get().reads_not_before)
    wait_until(lambda: OutboxRow.objects.get().not_before > timezone.now() + timedelta(hours=1))
    assert (ledger.count_sends("customer"), ledger.calls.count("read")) == (2, 1)


def test_refused_write_for_want_of_allowance_holds_everything_until_a_person_says_so(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    worker = make_worker()
    active = connect(owner, ledger)
    configure(owner)
    ledger.fail_next("customer", NOTHING_MORE)
    make_invoice_of_new_service(owner)
    wait_until(lambda: held_for(active) > timedelta(hours=1))
    earliest, latest = next_month()
    assert earliest <= active.not_before <= latest
    worker.wake(active.pk)
    view = find_connection(owner.workspace.pk)
    assert view is not None
    assert (view.held, ledger.records("customer"), Invoice.objects.count()) == ("everything", [], 1)

    sync_all(owner)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    active.refresh_from_db()
    assert not active.is_allowance_used


def test_page_that_is_refused_a_read_says_so_and_holds_the_others(owner: Actor, ledger: FakeLedger) -> None:
    connect(owner, ledger)
    ledger.fail_next("read_company", NO_MORE_READS)
    with pytest.raises(RefreshFailedError, match="allowance of reads is used up"):
        refresh_reference(owner)
    earliest, latest = next_month()
    held_until = Connection.objects.get().reads_not_before
    assert held_until is not None
    assert earliest <= held_until <= latest
