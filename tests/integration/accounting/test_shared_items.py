"""Two services that one item could be, since one of them is archived or renamed: it's one's, and both know whose."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from cone.accounting.causes import list_cause_cards
from cone.accounting.looking import Looker
from cone.accounting.port.documents import RemoteRecord, ServiceDocument
from cone.accounting.port.verdicts import (
    Answered,
    CauseCode,
    GoneError,
    OutcomeUnknownError,
    RejectedError,
    TryLaterError,
)
from cone.accounting.sql import sweep as sweep_sql
from cone.accounting.states import read_record_sync
from cone.accounting.values import Awaited, SyncState
from cone.books.models import Attempt, Connection, Link, OutboxRow, Service
from cone.domain.services import ServiceInput
from cone.kit.values import replace
from cone.operations.actor import Actor
from cone.operations.archive_service import archive_service
from cone.operations.save_service import save_service
from cone.operations.sync_now import sync_record
from tests.builders import make_service
from tests.fakes.books import FakeRecord
from tests.fakes.ledger import INCOME, FakeLedger, FakeLedgerClient, Sending

from .conftest import NO_SWEEP, Held, MakeWorker, hurry, is_settled, release_values, wait_until
from .test_items import FEES, advice, items
from .test_moving_items import Post, bill, post, refusing_the_item, send_another

__all__ = ["advice", "post"]

NO_ANSWER = OutcomeUnknownError(Answered(message="no answer"))


def lose_the_making(owner: Actor, ledger: FakeLedger, service: Service, *, commit: bool) -> None:
    """Bill a service and lose the answer to its item's create, which was made or refused there."""
    ledger.fail_next("service", NO_ANSWER, commit=commit)
    bill(owner, service)
    wait_until(lambda: Attempt.objects.filter(record_uuid=service.uuid, state="unknown", verdict="unknown").exists())


def put_off(service: Service, delay: timedelta) -> None:
    OutboxRow.objects.filter(record_uuid=service.uuid).update(not_before=timezone.now() + delay)


def waits_for(service: Service) -> bool:
    """Whether another service waits for it."""
    return OutboxRow.objects.filter(kind="service", waits_for_uuid=service.uuid).exists()


@pytest.mark.parametrize("sees", ["the older first", "the newer first", "the newer first, by its repeat"])
def test_item_is_one_services_of_two_whose_making_got_no_answer(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    advice: Service,
    sees: Literal["the older first", "the newer first", "the newer first, by its repeat"],
) -> None:
    """The newer one's was refused for the older one's item, which nobody heard either: looks show it to both."""

    async def see_from_the_repeat_on(_: Sending) -> None:
        if ledger.count_sends("service") == 2:
            ledger.looks_are_blind_for = timedelta()

    hurry(ledger, 1000)
    save_service(owner, ServiceInput("Advice"), uuid=advice.uuid, income_account_id=FEES)
    make_worker()
    lose_the_making(owner, ledger, advice, commit=True)
    if sees != "the older first":
        put_off(advice, timedelta(hours=1))
    if sees == "the newer first, by its repeat":
        ledger.looks_are_blind_for = None
    archive_service(owner, advice.uuid)
    again = make_service(owner, "Advice")
    # The lists were read before, so that this one goes without a look.
    Connection.objects.update(missing_items=["advice"])
    lose_the_making(owner, ledger, again, commit=False)
    ledger.before_send = see_from_the_repeat_on
    if sees != "the older first":
        wait_until(lambda: Link.objects.filter(kind="service").exists() or waits_for(advice))
        put_off(advice, timedelta())

    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner), seconds=30)
    assert items(ledger) == {"Advice": FEES}
    links = Link.objects.filter(kind="service", remote_id=ledger.records("service")[0].remote_id)
    assert dict(links.values_list("record_uuid", "is_made_here")) == {advice.uuid: True, again.uuid: False}


@pytest.mark.parametrize("finds_it", ["by a look first", "by a refusal", "by a look for its own"])
def test_item_about_to_be_renamed_isnt_taken_for_a_new_service_of_its_former_name(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    advice: Service,
    post: Post,
    finds_it: Literal["by a look first", "by a refusal", "by a look for its own"],
) -> None:
    """Its lines would stand under the other one's new name, and on its account. Asked for by a run, it's urgent now."""
    hurry(ledger, 1000)
    make_worker()
    lose_the_making(owner, ledger, advice, commit=True)
    put_off(advice, timedelta(hours=1))
    save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid, income_account_id=FEES)
    put_off(advice, timedelta(hours=1))
    OutboxRow.objects.filter(record_uuid=advice.uuid).update(priority=10)
    again = make_service(owner, "Advice")
    if finds_it != "by a look first":
        Connection.objects.update(missing_items=["advice"])
    if finds_it == "by a look for its own":
        lose_the_making(owner, ledger, again, commit=False)
    else:
        bill(owner, again)
    wait_until(lambda: waits_for(advice))
    assert OutboxRow.objects.get(record_uuid=advice.uuid).priority == 0
    ledger.before_send = post
    put_off(advice, timedelta())
    assert post.held.is_asked.wait(10)
    send_another(owner, ledger)
    send_another(owner, ledger)
    assert not Link.objects.filter(record_uuid=again.uuid).exists()

    post.held.is_released.set()
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner), seconds=30)
    assert items(ledger) == {"Counsel": FEES, "Advice": INCOME}
    assert dict(Link.objects.filter(kind="service").values_list("record_uuid", "is_made_here")) == {
        advice.uuid: True,
        again.uuid: True,
    }


@pytest.mark.parametrize("is_renamed", [False, True])
def test_item_that_was_linked_before_the_answer_to_its_making_came_stays_the_other_ones(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service, *, is_renamed: bool
) -> None:
    """The older one's create never arrived; its look found what the newer one's had made, whose answer came late."""
    hurry(ledger, 500)
    save_service(owner, ServiceInput("Advice"), uuid=advice.uuid, income_account_id=FEES)
    make_worker()
    lose_the_making(owner, ledger, advice, commit=False)
    put_off(advice, timedelta(hours=1))
    if is_renamed:
        save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid, income_account_id=FEES)
        put_off(advice, timedelta(hours=1))
    else:
        archive_service(owner, advice.uuid)
    again = make_service(owner, "Advice")
    Connection.objects.update(missing_items=["advice"])
    ledger.after_send = held = Held("service")
    bill(owner, again)
    assert held.is_asked.wait(10)
    put_off(advice, timedelta())
    followed = {"Counsel": FEES} if is_renamed else {"Advice": FEES}
    wait_until(lambda: items(ledger) == followed and not OutboxRow.objects.filter(record_uuid=advice.uuid).exists())

    held.is_released.set()
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner), seconds=20)
    assert items(ledger) == followed | ({"Advice": INCOME} if is_renamed else {})
    made = {advice.uuid: True, again.uuid: is_renamed}
    assert dict(Link.objects.filter(kind="service").values_list("record_uuid", "is_made_here")) == made
    assert not OutboxRow.objects.filter(state="blocked").exists()


def test_service_waits_without_looking_again_until_the_item_it_found_is_renamed(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    """Looks are metered, and each sweep came to one as long as QuickBooks put the new name off."""
    bill(owner, advice)
    make_worker(NO_SWEEP)
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    ledger.fail_next("service", TryLaterError(Answered(message="busy"), scope="record", delay=timedelta(hours=1)))
    save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid)
    wait_until(lambda: OutboxRow.objects.filter(record_uuid=advice.uuid, not_before__gt=timezone.now()).exists())
    again = make_service(owner, "Advice")
    bill(owner, again)
    wait_until(lambda: waits_for(advice))
    with connection.cursor() as cursor:
        cursor.execute(sweep_sql.CONNECTIONS_WITH_LINKED_WAITS)
        assert cursor.fetchall() == []
        cursor.execute(sweep_sql.RELEASE_LINKED_WAITS, release_values(owner))
        assert cursor.rowcount == 0

    sync_record(owner, "service", advice.uuid)
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert items(ledger) == {"Counsel": INCOME, "Advice": INCOME}


def test_service_waits_for_an_item_whose_new_name_has_but_another_blank_within(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    """Both may stand there beside each other, for all that's known: its lines would stand under the other's name."""
    save_service(owner, ServiceInput("Legal advice"), uuid=advice.uuid)
    bill(owner, advice)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    ledger.fail_next("service", TryLaterError(Answered(message="busy"), scope="record", delay=timedelta(hours=1)))
    save_service(owner, ServiceInput("Legal  advice"), uuid=advice.uuid)
    wait_until(lambda: OutboxRow.objects.filter(record_uuid=advice.uuid, not_before__gt=timezone.now()).exists())
    again = make_service(owner, "Legal advice")
    bill(owner, again)
    wait_until(lambda: waits_for(advice))

    sync_record(owner, "service", advice.uuid)
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert items(ledger) == {"Legal  advice": INCOME, "Legal advice": INCOME}


def test_new_service_of_the_former_name_waits_for_a_person_to_mend_what_keeps_the_item_from_being_renamed(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    """Its lines would stand under the other one's new name as soon as that's mended."""
    bill(owner, advice)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    with refusing_the_item(ledger):
        save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid)
    again = make_service(owner, "Advice")
    bill(owner, again)
    wait_until(lambda: waits_for(advice))
    [card] = list_cause_cards(owner.workspace.pk)
    # The service, and its invoice.
    assert (card.cause.key, card.count) == (f"refused:{advice.uuid}", 3)
    sync = read_record_sync(owner.workspace.pk, "service", again.uuid)
    assert sync is not None
    assert (sync.state, sync.is_cause_awaited) == (SyncState.NEEDS_ATTENTION, True)
    assert sync.waits_for == (Awaited("service", "Counsel"),)

    sync_record(owner, "service", advice.uuid)
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert items(ledger) == {"Counsel": INCOME, "Advice": INCOME}


def test_new_service_that_waits_for_a_person_goes_under_another_name(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    bill(owner, advice)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    with refusing_the_item(ledger):
        save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid)
    again = make_service(owner, "Advice")
    bill(owner, again)
    wait_until(lambda: waits_for(advice))

    save_service(owner, ServiceInput("Guidance"), uuid=again.uuid)
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert items(ledger) == {"Advice": INCOME, "Guidance": INCOME}


def lose_the_item(ledger: FakeLedger, how: Literal["inactive", "merged"]) -> FakeRecord:
    """Have the bookkeeper take the one item out of use, so that its next change is refused."""
    [record] = ledger.records("service")
    if how == "merged":
        del ledger.companies["fake-company"].records["service", record.remote_id]
    else:
        assert isinstance(record.document, ServiceDocument)
        record.document = replace(record.document, name=f"{record.document.name} (deleted)")
        record.is_active = False
        ledger.fail_next("service", GoneError(Answered(http_status=400, code="610", message="Object Not Found")))
    return record


def is_lost(service: Service) -> bool:
    return OutboxRow.objects.filter(record_uuid=service.uuid, cause__code=CauseCode.REMOVED_THERE).exists()


@pytest.mark.parametrize("how", ["inactive", "merged"])
@pytest.mark.parametrize("moves", [False, True])
def test_service_doesnt_wait_for_an_item_that_is_gone_for_good(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    advice: Service,
    how: Literal["inactive", "merged"],
    *,
    moves: bool,
) -> None:
    """Nothing would ever rename it, and nobody who looks at the new service could do a thing about that."""
    bill(owner, advice)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    ledger.fail_next("service", TryLaterError(Answered(message="busy"), scope="record", delay=timedelta(hours=1)))
    save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid, income_account_id=FEES if moves else None)
    wait_until(lambda: OutboxRow.objects.filter(record_uuid=advice.uuid, not_before__gt=timezone.now()).exists())
    again = make_service(owner, "Advice")
    bill(owner, again)
    wait_until(lambda: waits_for(advice))

    former = lose_the_item(ledger, how)
    sync_record(owner, "service", advice.uuid)
    wait_until(lambda: is_lost(advice))
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert Link.objects.get(record_uuid=again.uuid).is_made_here
    assert Link.objects.get(record_uuid=again.uuid).remote_id != former.remote_id
    assert is_lost(advice)


def test_item_that_stands_there_again_is_renamed_before_a_new_service_of_its_former_name_takes_it(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    """Linked at once, its lines would stand under the other's new name as soon as somebody syncs that."""
    bill(owner, advice)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    former = lose_the_item(ledger, "inactive")
    save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid)
    wait_until(lambda: is_lost(advice))
    assert isinstance(former.document, ServiceDocument)
    former.document, former.is_active = replace(former.document, name="Advice"), True
    again = make_service(owner, "Advice")
    bill(owner, again)
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert items(ledger) == {"Counsel": INCOME, "Advice": INCOME}
    assert Link.objects.get(record_uuid=advice.uuid).remote_id == former.remote_id


def test_item_that_was_renamed_since_the_look_that_shows_it_is_looked_for_again(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    advice: Service,
    post: Post,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The look and the new name crossed, and the answer to the latter came first."""
    is_seen, is_told = threading.Event(), threading.Event()

    async def find_late(client: FakeLedgerClient, *given: Any) -> RemoteRecord | None:
        found = await find(client, *given)
        is_seen.set()
        await asyncio.to_thread(is_told.wait, 10)
        return found

    bill(owner, advice)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    ledger.before_send = post
    save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid)
    assert post.held.is_asked.wait(10)
    find = FakeLedgerClient.find
    monkeypatch.setattr(FakeLedgerClient, "find", find_late)
    again = make_service(owner, "Advice")
    bill(owner, again)
    assert is_seen.wait(10)
    post.held.is_released.set()
    wait_until(lambda: not OutboxRow.objects.filter(record_uuid=advice.uuid).exists())

    is_told.set()
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert items(ledger) == {"Counsel": INCOME, "Advice": INCOME}


def test_item_whose_other_finder_is_gone_meanwhile_is_looked_for_again(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was on its way when it was to wait, and nobody would have taken it up."""
    asked: list[UUID] = []

    async def find_one_gone(*_: Any, **__: Any) -> UUID | None:
        asked.append(uuid4())
        return asked[0] if len(asked) == 1 else None

    async def see_from_the_repeat_on(_: Sending) -> None:
        if ledger.count_sends("service") == 1:
            ledger.looks_are_blind_for = timedelta()

    monkeypatch.setattr(Looker, "find_maker", find_one_gone)
    hurry(ledger, 500)
    make_worker()
    lose_the_making(owner, ledger, advice, commit=True)
    taken = Answered(http_status=400, code="6240", message="taken")
    ledger.fail_next("service", RejectedError(taken, cause=CauseCode.NAME_TAKEN))
    ledger.looks_are_blind_for, ledger.before_send = None, see_from_the_repeat_on
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner), seconds=20)
    assert len(asked) == 2
    assert Link.objects.get(kind="service").is_made_here


@contextmanager
def upgrading() -> Iterator[None]:
    """Have the database hold what an earlier version wrote within; then upgrade it."""
    [made_for_one] = [each for each in Link._meta.constraints if each.name == "link_made_for_one"]
    decide, _ = import_module("cone.books.migrations.0024_made_for_one").Migration.operations
    with connection.schema_editor() as editor:
        editor.remove_constraint(Link, made_for_one)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(decide.sql)
        with connection.schema_editor() as editor:
            editor.add_constraint(Link, made_for_one)


def test_item_cant_be_made_for_two_services(owner: Actor, ledger: FakeLedger, advice: Service) -> None:
    company = Connection.objects.get().company
    of_item = {"company": company, "kind": "service", "remote_id": "1", "remote_version": "1", "synced_revision": 1}
    Link.objects.create(**of_item, record_uuid=advice.uuid, is_made_here=True)
    Link.objects.create(**of_item, record_uuid=uuid4())
    with pytest.raises(IntegrityError, match="link_made_for_one"):
        Link.objects.create(**of_item, record_uuid=uuid4(), is_made_here=True)


def test_what_holds_that_an_item_is_made_for_one_costs_no_other_link_anything(transactional_db: None) -> None:
    """Every customer, invoice and payment would have an entry in a second unique index, on the hot path."""
    with connection.cursor() as cursor:
        cursor.execute("select indexdef from pg_indexes where indexname = 'link_made_for_one'")
        [[definition]] = cursor.fetchall()
    assert "(kind)::text = 'service'::text" in definition


@pytest.mark.parametrize("is_called_otherwise", [False, True])
def test_item_that_two_took_for_theirs_is_the_first_ones_after_the_upgrade(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    advice: Service,
    post: Post,
    *,
    is_called_otherwise: bool,
) -> None:
    """It has the other one's account and name, and the first one's link tells its own: lines wait until that's so."""
    bill(owner, advice)
    worker = make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    archive_service(owner, advice.uuid)
    again = make_service(owner, "Advice")
    audit = make_service(owner, "Audit")
    bill(owner, again)
    bill(owner, audit)
    wait_until(lambda: len(ledger.records("invoice")) == 3 and is_settled(owner))
    assert items(ledger) == {"Advice": INCOME, "Audit": INCOME}
    name = "Counsel" if is_called_otherwise else "Advice"
    with upgrading():
        Link.objects.filter(record_uuid=again.uuid).update(is_made_here=True, linked_at=timezone.now())
        save_service(owner, ServiceInput(name), uuid=again.uuid, income_account_id=FEES)
        wait_until(lambda: items(ledger) == {name: FEES, "Audit": INCOME} and is_settled(owner))
        worker.stop()
    former = dict(Link.objects.filter(kind="service").values_list("record_uuid", "is_made_here"))
    assert former == {advice.uuid: True, audit.uuid: True} | ({} if is_called_otherwise else {again.uuid: False})
    assert list(OutboxRow.objects.values_list("record_uuid", flat=True)) == [advice.uuid]

    ledger.before_send = post
    bill(owner, again)
    make_worker()
    assert post.held.is_asked.wait(10)
    send_another(owner, ledger)
    send_another(owner, ledger)
    assert not post.posted
    post.held.is_released.set()
    wait_until(lambda: len(ledger.records("invoice")) == 4 and is_settled(owner), seconds=20)
    apart = {"Advice": INCOME, "Audit": INCOME} | ({"Counsel": FEES} if is_called_otherwise else {})
    assert items(ledger) == apart
    assert post.posted == [apart]


def test_what_waits_for_a_record_that_is_gone_from_the_queue_goes_with_the_next_sweep(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    bill(owner, advice)
    OutboxRow.objects.filter(kind="invoice").update(waits_for_kind="service", waits_for_uuid=advice.uuid)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
