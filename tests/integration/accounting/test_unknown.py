"""What is said to a repeat says nothing of the first send: an unknown outcome never becomes a second record."""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from cone.accounting.port.documents import CustomerDocument
from cone.accounting.port.verdicts import (
    Answered,
    CauseCode,
    MisconfiguredError,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    TryLaterError,
    VerdictError,
)
from cone.accounting.states import read_record_sync
from cone.accounting.values import SyncState
from cone.books.models import Attempt, Connection, Invoice, Link, OutboxRow
from cone.domain.customers import CustomerInput
from cone.kit.values import replace
from cone.operations.actor import Actor
from cone.operations.refresh_reference import refresh_reference
from cone.operations.resolve_uncertain import send_again
from cone.operations.save_customer import save_customer
from cone.operations.sync_now import sync_all, sync_cause, sync_record
from tests.builders import make_customer, make_invoice
from tests.fakes.ledger import FakeLedger, Sending
from tests.integration.accounting.conftest import Worker, configure, connect, hurry, is_settled, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
MakeWorker = Callable[[], Worker]


def lose_first_answer(ledger: FakeLedger, kind: Any, second: VerdictError) -> None:
    """The first send is done there and unanswered, no look sees it, and the repeat meets `second`."""
    hurry(ledger, 200)
    ledger.looks_are_blind_for = None
    ledger.fail_next(kind, OutcomeUnknownError(Answered(message="no answer")), commit=True)
    ledger.fail_next(kind, second)


@pytest.mark.parametrize("kind", ["customer", "invoice"])
@pytest.mark.parametrize(
    "second",
    [
        TryLaterError(Answered(http_status=429), delay=timedelta(milliseconds=50)),
        ReconnectError(Answered(http_status=401, message="dead")),
        MisconfiguredError(Answered(http_status=403, message="not now")),
    ],
    ids=["try later", "reconnect", "misconfigured"],
)
def test_gateway_verdict_on_a_repeat_leaves_the_attempt_open(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, kind: Any, second: VerdictError
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    lose_first_answer(ledger, kind, second)
    make_invoice(owner, is_issued=True)
    wait_until(lambda: ledger.count_sends(kind) == 2)
    if isinstance(second, ReconnectError):
        wait_until(lambda: Connection.objects.get().state == "needs_reconnect")
        connect(owner, ledger)
    elif isinstance(second, MisconfiguredError):
        wait_until(lambda: Connection.objects.get().state == "read_only")
        refresh_reference(owner)

    wait_until(lambda: Link.objects.filter(kind=kind).exists() and is_settled(owner))
    sends = [sending for sending in ledger.sent if sending.kind == kind]
    assert len(sends) == 3
    assert len({(sending.request_id, sending.request) for sending in sends}) == 1
    assert len(ledger.records(kind)) == 1
    assert list(Attempt.objects.filter(kind=kind).values_list("state", "sends")) == [("succeeded", 3)]


@pytest.mark.parametrize(
    "second",
    [
        RejectedError(Answered(http_status=400, code="6140"), cause=CauseCode.NUMBER_TAKEN),
        RejectedError(Answered(http_status=400, code="600"), cause=CauseCode.OUTCOME_UNCERTAIN),
    ],
    ids=["number taken", "duplicate request"],
)
def test_forgotten_request_id_finds_our_own_lost_create_by_its_mark(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, second: VerdictError
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    lose_first_answer(ledger, "invoice", second)

    async def see_again(sending: Sending) -> None:
        if sending.kind == "invoice" and ledger.count_sends("invoice") == 1:
            ledger.looks_are_blind_for = timedelta()
        await asyncio.sleep(0)

    ledger.before_send = see_again
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner))

    assert len(ledger.records("invoice")) == 1
    sync = read_record_sync(owner.workspace.pk, "invoice", invoice.uuid)
    assert sync is not None
    assert sync.state is SyncState.SYNCED
    assert [(entry.operation, entry.verdict, entry.sends) for entry in sync.history] == [("create", "found there", 2)]


def test_uncertain_outcome_is_never_created_again_by_itself(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    uncertain = RejectedError(Answered(http_status=400, code="600"), cause=CauseCode.OUTCOME_UNCERTAIN)
    hurry(ledger, 200)
    ledger.fail_next("invoice", OutcomeUnknownError(Answered(message="no answer")))
    ledger.fail_next("invoice", uncertain)
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: OutboxRow.objects.filter(cause_key=f"outcome_uncertain:{invoice.uuid}").exists())
    assert Attempt.objects.get(kind="invoice").state == "unknown"
    assert ledger.records("invoice") == []

    # A person says that it isn't there: a new generation, under an id of its own.
    send_again(owner, "invoice", invoice.uuid)
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner))
    assert len({sending.request_id for sending in ledger.sent if sending.kind == "invoice"}) == 2
    assert len(ledger.records("invoice")) == 1


def age(attempt: Attempt, *, hours: int) -> None:
    """Let an open attempt be that old, and its row be due."""
    before = attempt.started_at - timedelta(hours=hours)
    Attempt.objects.filter(pk=attempt.pk).update(started_at=before, last_sent_at=before)
    OutboxRow.objects.update(not_before=before)


def lose_create(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, *, is_there: bool
) -> tuple[Worker, Invoice, Attempt]:
    """An invoice whose create wasn't answered, at a platform that knows no request ids."""
    ledger.memory.is_kept = False
    worker = make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("invoice", OutcomeUnknownError(Answered(message="no answer")), commit=is_there)
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: Attempt.objects.filter(kind="invoice", verdict="unknown").exists())
    return worker, invoice, Attempt.objects.get(kind="invoice")


def test_id_that_may_be_forgotten_is_looked_up_instead_of_repeated(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    worker, invoice, attempt = lose_create(owner, ledger, make_worker, is_there=True)
    age(attempt, hours=2)
    worker.wake(Connection.objects.get().pk)
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner))
    assert len(ledger.records("invoice")) == 1
    attempt.refresh_from_db()
    assert (attempt.state, attempt.verdict) == ("succeeded", "found")
    assert Link.objects.get(kind="invoice").record_uuid == invoice.uuid


def test_look_up_that_finds_nothing_asks_a_person_who_may_send_it_again(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    worker, invoice, attempt = lose_create(owner, ledger, make_worker, is_there=False)
    age(attempt, hours=2)
    worker.wake(Connection.objects.get().pk)
    wait_until(lambda: OutboxRow.objects.filter(cause_key=f"outcome_uncertain:{invoice.uuid}").exists())
    attempt.refresh_from_db()
    assert attempt.state == "unknown"
    # Whatever releases everything else releases nothing by itself: it's looked for again, and never made.
    sync_all(owner)
    wait_until(lambda: OutboxRow.objects.filter(cause_key=f"outcome_uncertain:{invoice.uuid}").exists())
    assert ledger.count_sends("invoice") == 1

    # Nor does asking for it by name: only saying that it isn't there sends it, as a new request.
    sync_record(owner, "invoice", invoice.uuid)
    wait_until(lambda: OutboxRow.objects.filter(cause_key=f"outcome_uncertain:{invoice.uuid}").exists())
    assert ledger.count_sends("invoice") == 1
    send_again(owner, "invoice", invoice.uuid)
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner))
    sends = [sending for sending in ledger.sent if sending.kind == "invoice"]
    assert len(sends) == 2
    assert sends[0].request_id != sends[1].request_id
    attempt.refresh_from_db()
    assert (attempt.state, attempt.verdict) == ("failed", "given_up")


def test_renamed_customer_with_a_lost_create_is_not_made_again(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.memory.is_kept = False
    worker = make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("customer", OutcomeUnknownError(Answered(message="no answer")), commit=True)
    customer = make_customer(owner, "Early Ltd")
    wait_until(lambda: Attempt.objects.filter(kind="customer", verdict="unknown").exists())
    save_customer(owner, CustomerInput(name="Late Ltd"), uuid=customer.uuid)
    age(Attempt.objects.get(kind="customer"), hours=2)
    worker.wake(Connection.objects.get().pk)
    # Looked for by the name that was sent, linked, and renamed: what it's called here now was never asked for there.
    wait_until(lambda: Link.objects.filter(kind="customer").exists() and is_settled(owner))
    (record,) = ledger.records("customer")
    assert isinstance(record.document, CustomerDocument)
    assert record.document.name == "Late Ltd"


def test_namesake_does_not_take_the_customer_whose_answer_is_out(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    hurry(ledger, 1000)
    make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("customer", OutcomeUnknownError(Answered(message="no answer")), commit=True)
    first = make_customer(owner, "J. Smith")
    wait_until(lambda: Attempt.objects.filter(kind="customer", verdict="unknown").exists())
    second = make_customer(owner, "J. Smith")
    wait_until(lambda: Link.objects.filter(record_uuid=first.uuid).exists())
    wait_until(lambda: OutboxRow.objects.filter(cause_key=f"name_taken:{second.uuid}").exists())
    assert len(ledger.records("customer")) == 1


def test_duplicate_said_of_an_update_is_read_and_planned_again(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner, "Early Ltd")
    wait_until(lambda: Link.objects.exists() and is_settled(owner))
    uncertain = RejectedError(Answered(http_status=400, code="600"), cause=CauseCode.OUTCOME_UNCERTAIN)
    ledger.fail_next("customer", uncertain)
    save_customer(owner, CustomerInput(name="Late Ltd"), uuid=customer.uuid)
    wait_until(lambda: is_settled(owner) and Link.objects.get().synced_revision == 2)
    assert [record.document.name for record in ledger.records("customer")] == ["Late Ltd"]  # type: ignore[union-attr]  # these kinds have names


def test_page_of_a_gateway_to_a_repeat_leaves_the_attempt_open(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    lose_first_answer(ledger, "invoice", RejectedError(Answered(http_status=413, message="a proxy's page")))
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: OutboxRow.objects.filter(cause_key=f"refused:{invoice.uuid}").exists())
    assert Attempt.objects.get(kind="invoice").state == "unknown"
    sync_record(owner, "invoice", invoice.uuid)
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner))
    assert len(ledger.records("invoice")) == 1


def test_update_unknown_for_a_day_asks_a_person(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    hurry(ledger, 200)
    customer = make_customer(owner, "Early Ltd")
    wait_until(lambda: Link.objects.exists() and is_settled(owner))
    ledger.fail_next("customer", OutcomeUnknownError(Answered(message="no answer")), times=9)
    save_customer(owner, CustomerInput(name="Late Ltd"), uuid=customer.uuid)
    wait_until(lambda: Attempt.objects.filter(operation="update", verdict="unknown").exists())
    attempt = Attempt.objects.get(operation="update")
    Attempt.objects.filter(pk=attempt.pk).update(started_at=attempt.started_at - timedelta(hours=25))
    wait_until(lambda: OutboxRow.objects.filter(cause_key=f"outcome_uncertain:{customer.uuid}").exists())
    assert Attempt.objects.get(operation="update").state == "unknown"


def test_customer_of_the_same_address_is_linked_and_another_is_not(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    """Two records here can't be the one record there, and a name alone proves nothing."""
    make_worker()
    connect(owner, ledger)
    configure(owner)
    first = make_customer(owner, "J. Smith")
    wait_until(lambda: Link.objects.filter(record_uuid=first.uuid).exists() and is_settled(owner))
    second = make_customer(owner, "J. Smith")
    wait_until(lambda: OutboxRow.objects.filter(cause_key=f"name_taken:{second.uuid}").exists())

    Link.objects.all().delete()
    sync_record(owner, "customer", second.uuid)
    wait_until(lambda: Link.objects.filter(record_uuid=second.uuid).exists() and is_settled(owner))
    assert len(ledger.records("customer")) == 1


def test_reopened_period_is_noticed_when_a_person_asks_again(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.close_books(date(2099, 12, 31))
    make_worker()
    connect(owner, ledger)
    configure(owner)
    make_invoice(owner, is_issued=True)
    wait_until(lambda: OutboxRow.objects.filter(cause_key="period_closed:2099-12-31").exists())
    company = ledger.companies["fake-company"]
    company.facts = replace(company.facts, books_closed_through_date=None)

    sync_cause(owner, "period_closed:2099-12-31")
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))


def test_invoice_from_before_the_connection_goes_when_asked_for_by_name(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    invoice = make_invoice(owner, is_issued=True)
    other = make_invoice(owner, invoice.customer, is_issued=True)
    make_worker()
    connect(owner, ledger)
    configure(owner)
    sync_record(owner, "invoice", invoice.uuid)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    assert [record.document.uuid for record in ledger.records("invoice")] == [invoice.uuid]
    assert not Link.objects.filter(record_uuid=other.uuid).exists()
