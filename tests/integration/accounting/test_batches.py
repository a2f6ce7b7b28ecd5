"""A backlog in batches: each record once, whatever becomes of the batch that carried it."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from cone.accounting.delivered import Delivered
from cone.accounting.port.verdicts import Answered, CauseCode, OutcomeUnknownError, RejectedError, TryLaterError
from cone.accounting.records import Situation
from cone.accounting.sending import Sender
from cone.books.models import Attempt, Batch, Connection, Link, OutboxRow
from cone.operations.actor import Actor
from cone.operations.pause_sync import pause_sync
from cone.operations.resume_sync import resume_sync
from tests.builders import make_customer, make_invoice
from tests.fakes.ledger import FakeLedger, Sending
from tests.integration.accounting.conftest import Held, MakeWorker, configure, connect, hurry, is_settled, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waiting(owner: Actor, ledger: FakeLedger) -> Connection:
    """A connection with twelve customers that wait."""
    hurry(ledger, 400)
    active = connect(owner, ledger)
    configure(owner)
    for number in range(12):
        make_customer(owner, f"Customer {number}")
    return active


def all_stand_there(owner: Actor, ledger: FakeLedger, count: int = 12) -> bool:
    return len(ledger.records("customer")) == count and is_settled(owner) and Link.objects.count() == count


def names(ledger: FakeLedger) -> list[str]:
    return sorted(getattr(record.document, "name", "") for record in ledger.records("customer"))


@pytest.mark.usefixtures("waiting")
def test_backlog_goes_in_one_request_and_each_record_has_its_attempt(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker()
    wait_until(lambda: all_stand_there(owner, ledger))

    (batch,) = Batch.objects.all()
    assert [len(items) for items in ledger.batches] == [12]
    attempts = Attempt.objects.filter(batch=batch)
    assert set(attempts.values_list("state", "sends", "verdict")) == {("succeeded", 1, "sent")}
    assert list(attempts.order_by("batch_place").values_list("batch_place", flat=True)) == list(range(1, 13))
    assert len(batch.request_id) <= 36
    assert OutboxRow.objects.count() == 0


@pytest.mark.usefixtures("waiting")
def test_lost_answer_is_looked_for_in_one_request_and_nothing_is_sent_again(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.fail_next("batch", OutcomeUnknownError(Answered(message="no answer")), commit=True)
    make_worker()
    wait_until(lambda: Link.objects.count() == 12 and is_settled(owner))

    assert ledger.calls.count("find") == 1
    assert set(Attempt.objects.filter(operation="create").values_list("state", "verdict", "sends")) == {
        ("succeeded", "found", 1)
    }
    assert names(ledger) == sorted(f"Customer {number}" for number in range(12))


@pytest.mark.usefixtures("waiting")
def test_lost_batch_is_repeated_whole_under_its_id_once_a_look_counts(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.looks_count_after *= 4
    ledger.fail_next("batch", OutcomeUnknownError(Answered(message="no answer")))
    make_worker()
    wait_until(lambda: all_stand_there(owner, ledger))

    first, second = ledger.batches
    assert ledger.calls.count("find") == 2
    assert first == second
    assert names(ledger) == sorted(f"Customer {number}" for number in range(12))
    assert set(Attempt.objects.values_list("state", "sends")) == {("succeeded", 2)}


@pytest.mark.usefixtures("waiting")
def test_one_refused_record_holds_up_none_of_the_others(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.fail_next("customer", RejectedError(Answered(http_status=400, code="6000"), cause=CauseCode.REFUSED))
    make_worker()
    wait_until(lambda: len(ledger.records("customer")) == 11 and is_settled(owner))

    (blocked,) = OutboxRow.objects.filter(state="blocked")
    assert blocked.cause is not None
    assert blocked.cause["code"] == "refused"
    assert Attempt.objects.filter(state="failed").count() == 1
    assert Link.objects.count() == 11


@pytest.mark.usefixtures("waiting")
def test_item_without_an_answer_is_found_and_the_rest_stays_settled(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.fail_next("customer", OutcomeUnknownError(Answered(message="no word of it")), commit=True)
    make_worker()
    wait_until(lambda: all_stand_there(owner, ledger))

    assert len(ledger.batches) == 1
    creates = Attempt.objects.filter(operation="create").order_by("verdict")
    assert list(creates.values_list("verdict", "sends")) == [("found", 1)] + [("sent", 1)] * 11


@pytest.mark.usefixtures("waiting")
def test_item_that_never_arrived_goes_under_an_id_of_its_own_and_its_batch_never_again(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.fail_next("customer", OutcomeUnknownError(Answered(message="no word of it")))
    make_worker()
    wait_until(lambda: all_stand_there(owner, ledger))

    assert len(ledger.batches) == 1
    attempts = Attempt.objects.exclude(verdict="sent", generation=1)
    assert list(attempts.order_by("generation").values_list("generation", "verdict")) == [(1, "not_there"), (2, "sent")]


@pytest.mark.usefixtures("waiting")
def test_item_without_an_answer_is_repeated_with_its_batch_where_looks_see_nothing(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.looks_are_blind_for = None
    ledger.fail_next("customer", OutcomeUnknownError(Answered(message="no word of it")), commit=True)
    make_worker()
    wait_until(lambda: all_stand_there(owner, ledger))

    assert ledger.batches[0] == ledger.batches[1]
    assert len(ledger.batches) == 2
    assert sorted(Attempt.objects.values_list("sends", flat=True)) == [1] * 11 + [2]


@pytest.mark.usefixtures("waiting")
def test_refusal_of_the_whole_batch_blames_no_record(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    ledger.fail_next("batch", RejectedError(Answered(http_status=400, code="1040")), times=3)
    ledger.fail_next("batch", RejectedError(Answered(http_status=413)), times=20)
    make_worker()
    wait_until(lambda: all_stand_there(owner, ledger), seconds=60)

    assert not OutboxRow.objects.filter(state="blocked").exists()
    assert len(names(ledger)) == 12


@pytest.mark.usefixtures("waiting")
def test_throttled_batch_goes_again_later(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    ledger.fail_next("batch", TryLaterError(Answered(http_status=429)))
    make_worker()
    wait_until(lambda: all_stand_there(owner, ledger), seconds=20)
    assert set(Attempt.objects.values_list("state", flat=True)) == {"failed", "succeeded"}


@pytest.mark.parametrize("point", ["before it leaves", "done there, no answer", "answered, not committed"])
def test_crash_with_a_batch_on_its_way_leaves_each_record_once(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
    waiting: Connection,
    point: str,
) -> None:
    held = Held("customer")
    with monkeypatch.context() as patch:
        if point == "before it leaves":
            ledger.before_send = held
        elif point == "done there, no answer":
            ledger.after_send = held
        else:
            deliver = Sender.deliver

            async def hold(self: Sender, delivered: Sequence[Delivered], situation: Situation) -> None:
                await held(Sending("", "customer", "", delivered[0].attempt.request))
                await deliver(self, delivered, situation)

            patch.setattr(Sender, "deliver", hold)
        worker = make_worker()
        assert held.is_asked.wait(10)
        worker.stop()
        held.is_released.set()
    ledger.before_send = ledger.after_send = None
    assert Attempt.objects.filter(state="unknown").count() == 12
    assert Link.objects.count() == 0

    make_worker()
    wait_until(lambda: all_stand_there(owner, ledger), seconds=20)

    creates = set(Attempt.objects.filter(operation="create").values_list("state", "verdict", "sends"))
    if point == "before it leaves":
        assert creates == {("succeeded", "sent", 2)}
        assert len(set(ledger.batches)) == 1
    elif point == "answered, not committed":
        assert creates == {("succeeded", "found", 1)}
    else:
        # One had been done when the worker died: it's found, and proves that the others never were.
        assert creates == {("succeeded", "found", 1), ("failed", "not_there", 1), ("succeeded", "sent", 1)}
        assert Attempt.objects.filter(verdict="not_there").count() == 11
    assert OutboxRow.objects.filter(company=waiting.company).count() == 0


@pytest.mark.usefixtures("waiting")
def test_pause_while_a_batch_is_on_its_way_settles_it_and_sends_nothing_more(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    held = Held("customer")
    ledger.before_send = held
    make_worker()
    assert held.is_asked.wait(10)
    pause_sync(owner)
    more = make_customer(owner, "One more")
    held.is_released.set()
    wait_until(lambda: Link.objects.count() == 12)
    assert OutboxRow.objects.get().record_uuid == more.uuid

    ledger.before_send = None
    resume_sync(owner)
    wait_until(lambda: all_stand_there(owner, ledger, 13))


def test_batches_only_sends_few_records_in_a_batch_too(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    active = connect(owner, ledger)
    configure(owner)
    Connection.objects.filter(pk=active.pk).update(backlog_pace="batches")
    customers = [make_customer(owner, f"Customer {number}") for number in range(70)]
    make_worker()
    wait_until(lambda: all_stand_there(owner, ledger, len(customers)), seconds=20)

    assert sorted(len(items) for items in ledger.batches) == [10, 30, 30]
    assert not Attempt.objects.filter(batch=None).exists()


def test_setting_changed_after_the_plan_has_it_planned_anew(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    """Invoices planned under a mapping that is changed before they leave carry the new code."""
    ledger.largest_batch = 1
    connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner)
    for _ in range(12):
        make_invoice(owner, customer, is_issued=True)
    is_released = threading.Event()
    asked = threading.Event()

    async def hold(sending: Sending) -> None:
        if sending.kind == "invoice":
            asked.set()
            await asyncio.to_thread(is_released.wait, 10)

    ledger.before_send = hold
    make_worker()
    assert asked.wait(10)
    Connection.objects.update(deposit_account_id="36", settings_revision=99)
    under_way = Attempt.objects.filter(kind="invoice").count()
    is_released.set()
    wait_until(lambda: len(ledger.records("invoice")) == 12 and is_settled(owner), seconds=20)

    accounts = [getattr(record.document, "deposit_account_id", "") for record in ledger.records("invoice")]
    assert accounts.count("36") >= 12 - under_way
