"""What the worker does by the clock: the daily look, aging tokens, mail to the owners, old history."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone

from cone.accounting.database import connect as connect_database
from cone.accounting.history import list_attempts
from cone.accounting.network import run
from cone.accounting.port.company import CompanyFacts, Reference
from cone.accounting.port.provider import Access
from cone.accounting.port.verdicts import Answered, MisconfiguredError, RejectedError, TryLaterError
from cone.accounting.pruning import prune
from cone.accounting.states import read_record_sync
from cone.books.models import Attempt, Connection, ConnectionTokens, Link, Notice, OutboxRow, ReferenceRecord
from cone.domain.customers import CustomerInput
from cone.domain.permissions import Role
from cone.operations.actor import Actor
from cone.operations.save_customer import save_customer
from cone.operations.sync_now import try_writing_again
from tests.builders import make_customer, make_member, make_owner
from tests.fakes.ledger import FakeLedger, FakeLedgerClient
from tests.integration.accounting.conftest import MakeWorker, connect, is_settled, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_lists_that_are_a_day_old_are_read_again_and_only_changes_move_settings(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    active = connect(owner, ledger)
    before = active.settings_revision
    Connection.objects.update(facts_read_at=timezone.now() - timedelta(hours=25))
    worker = make_worker()
    wait_until(Connection.objects.filter(facts_read_at__gt=timezone.now() - timedelta(hours=1)).exists)
    active.refresh_from_db()
    assert active.settings_revision == before
    worker.stop()

    ReferenceRecord.objects.filter(kind="account").first().delete()  # type: ignore[union-attr]  # the chart has some
    count = ReferenceRecord.objects.count()
    a_day_ago = timezone.now() - timedelta(hours=25)
    Connection.objects.update(facts_read_at=a_day_ago, refresh_not_before=a_day_ago)
    make_worker()
    wait_until(Connection.objects.filter(settings_revision__gt=before).exists)
    assert ReferenceRecord.objects.count() == count + 1


@pytest.mark.parametrize("hold", ["paused_at", "reads_not_before"])
def test_daily_look_stays_away_while_paused_or_without_reads(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, hold: str
) -> None:
    connect(owner, ledger)
    later = timezone.now() + timedelta(days=1)
    Connection.objects.update(facts_read_at=timezone.now() - timedelta(hours=25), **{hold: later})
    calls = ledger.calls.count("read_company")
    # An aging token is refreshed in the same round, after the lists would have been read.
    ConnectionTokens.objects.update(
        refresh_expires_at=timezone.now() + timedelta(days=9),
        refreshed_at=timezone.now() - timedelta(days=91),
        access_expires_at=timezone.now() - timedelta(days=91),
    )
    make_worker()
    wait_until(ConnectionTokens.objects.filter(refresh_expires_at__gt=timezone.now() + timedelta(days=90)).exists)
    assert ledger.calls.count("read_company") == calls


def test_company_whose_lists_break_the_look_stops_no_other(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(owner, ledger)
    other = make_owner("Other")
    ledger.add_company("other-company")
    connect(other, ledger, "other-company")
    now = timezone.now()
    Connection.objects.update(facts_read_at=now - timedelta(hours=25))
    Connection.objects.filter(workspace=owner.workspace).update(facts_read_at=now - timedelta(hours=26))
    read_books = FakeLedgerClient.read_books

    async def read_or_break(
        client: FakeLedgerClient, access: Access, *, item_names: Sequence[str]
    ) -> tuple[CompanyFacts, Reference]:
        if access.company_id == "fake-company":
            raise KeyError("CompanyInfo")
        return await read_books(client, access, item_names=item_names)

    monkeypatch.setattr(FakeLedgerClient, "read_books", read_or_break)
    make_worker()
    wait_until(Connection.objects.filter(workspace=other.workspace, facts_read_at__gte=now).exists)
    assert Connection.objects.filter(workspace=owner.workspace, facts_read_at__lt=now - timedelta(hours=25)).exists()


def break_connection(owner: Actor, ledger: FakeLedger) -> None:
    ledger.disconnect_there()
    make_customer(owner, "Customer")
    wait_until(Connection.objects.filter(state="needs_reconnect").exists)


def test_owners_are_mailed_once_per_event_and_again_after_it_was_over(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_member(owner.workspace, Role.BILLER)
    connect(owner, ledger)
    worker = make_worker()
    break_connection(owner, ledger)
    worker.stop()
    worker = make_worker()
    wait_until(Notice.objects.filter(sent_at__isnull=False).exists)
    (sent,) = mail.outbox
    assert sent.to == [owner.user.email]
    assert "needs you to connect again" in sent.subject
    assert f"{settings.BASE_URL}/settings/integrations" in sent.body
    worker.stop()
    # A later event of another kind is mailed, and the first one isn't mailed again before it.
    Notice.objects.create(connection=Connection.objects.get(), event="allowance:2026-01")
    worker = make_worker()
    wait_until(lambda: not Notice.objects.filter(sent_at__isnull=True).exists())
    assert [each.subject for each in mail.outbox].count(sent.subject) == 1
    assert len(mail.outbox) == 2

    # Signed in again, and something was accepted: that event is over.
    connect(owner, ledger)
    wait_until(lambda: is_settled(owner) and Link.objects.exists())
    worker.stop()
    worker = make_worker()
    wait_until(lambda: not Notice.objects.filter(event__startswith="needs").exists())
    break_connection_again(owner, ledger)
    worker.stop()
    make_worker()
    wait_until(lambda: len(mail.outbox) == 3)
    assert "Nothing can be sent" in mail.outbox[2].subject
    assert "The subscription ended." in mail.outbox[2].body


def break_connection_again(owner: Actor, ledger: FakeLedger) -> None:
    ledger.fail_next("customer", MisconfiguredError(Answered(http_status=403, message="The subscription ended.")))
    make_customer(owner, "Another")
    wait_until(Connection.objects.filter(state="read_only").exists)


def test_mail_of_another_environment_promises_no_try(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    connect(owner, ledger)
    ledger.environment = "production"
    make_customer(owner)
    worker = make_worker()
    wait_until(Connection.objects.filter(state="read_only").exists)
    # Events are looked for when a worker starts, and only now and then afterwards.
    worker.stop()
    make_worker()
    wait_until(lambda: len(mail.outbox) == 1)
    assert "Nothing can be sent" in mail.outbox[0].subject
    assert "connected in the emulator" in mail.outbox[0].body
    assert "every hour" not in mail.outbox[0].body
    assert "refuses changes" not in mail.outbox[0].body


def test_company_that_can_be_written_to_again_gets_what_waits_and_nothing_else(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    active = connect(owner, ledger)
    make_worker()
    break_connection_again(owner, ledger)
    stuck = make_customer(owner, "Uncertain")
    OutboxRow.objects.filter(record_uuid=stuck.uuid).update(
        state="blocked",
        cause_key=f"outcome_uncertain:{stuck.uuid}",
        cause={"code": "outcome_uncertain", "params": {}},
        blocked_settings_revision=active.settings_revision,
    )
    later = timezone.now() + timedelta(days=9)
    Connection.objects.update(reads_not_before=later)

    try_writing_again(owner)

    wait_until(lambda: Link.objects.count() == 1)
    assert [row.state for row in OutboxRow.objects.all()] == ["blocked"]
    # That the month's reads are used up is another matter.
    assert Connection.objects.get().reads_not_before == later
    assert "find" not in ledger.calls


def test_mail_that_fails_is_owed_until_it_is_taken(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(owner, ledger)
    Connection.objects.update(state="needs_reconnect")

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", refuse)
        worker = make_worker()
        wait_until(Notice.objects.filter(tries=1, sent_at__isnull=True).exists)
        worker.stop()
    Notice.objects.update(not_before=timezone.now())
    make_worker()
    wait_until(Notice.objects.filter(sent_at__isnull=False).exists)
    assert len(mail.outbox) == 1


def test_history_says_what_was_sent_and_what_came_of_it(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    ledger.fail_next("customer", RejectedError(Answered(http_status=400, tid="1-2-3", message="no")))
    make_worker()
    customer = make_customer(owner, "Early Ltd")
    wait_until(Attempt.objects.filter(verdict="rejected").exists)
    save_customer(owner, CustomerInput(name="Late Ltd"), uuid=customer.uuid)
    wait_until(lambda: Link.objects.exists() and is_settled(owner))

    found = read_record_sync(owner.workspace.pk, "customer", customer.uuid)
    assert found is not None
    latest, first = found.history
    assert (first.verdict, first.http_status, first.tid, first.message) == ("refused", 400, "1-2-3", "no")
    assert (latest.verdict, latest.outcome, latest.sends) == ("accepted", "succeeded", 1)
    assert latest.milliseconds is not None
    changed = {change.name: (change.before, change.after) for change in latest.changes}
    assert changed["name"] == ("Early Ltd", "Late Ltd")
    assert "currency" not in changed

    everything = list_attempts(owner.workspace.pk, outcome="", page=1)
    assert [(each.label, each.outcome) for each in everything.items] == [
        ("Late Ltd", "succeeded"),
        ("Late Ltd", "failed"),
    ]
    assert [each.outcome for each in list_attempts(owner.workspace.pk, outcome="failed", page=1).items] == ["failed"]
    stranger = make_member(make_customer(owner, "X").workspace)  # of the same firm
    assert list_attempts(stranger.workspace.pk + 1000, outcome="", page=1).items == ()


def make_attempt(active: Connection, uuid: UUID, generation: int, state: str, *, days: int = 500) -> int:
    at = timezone.now() - timedelta(days=days)
    return Attempt.objects.create(
        company_id=active.company_id,
        connection=active,
        kind="invoice",
        record_uuid=uuid,
        revision=1,
        operation="create" if generation == 1 else "update",
        generation=generation,
        request_id=str(uuid4()),
        request_line="create invoice",
        body=b"{}",
        lane_epoch=1,
        state=state,
        started_at=at,
        last_sent_at=at,
    ).pk


def test_pruning_keeps_what_anything_depends_on(owner: Actor, ledger: FakeLedger) -> None:
    active = connect(owner, ledger)
    linked, unlinked, open_one = uuid4(), uuid4(), uuid4()
    for uuid in (linked, open_one):
        Link.objects.create(
            company_id=active.company_id,
            kind="invoice",
            record_uuid=uuid,
            remote_id=str(uuid),
            remote_version="0",
            synced_revision=1,
        )
    for generation in (1, 2):
        make_attempt(active, linked, generation, "succeeded")
        make_attempt(active, unlinked, generation, "failed")
    make_attempt(active, linked, 3, "failed")
    make_attempt(active, linked, 4, "failed")
    make_attempt(active, open_one, 1, "unknown")
    make_attempt(active, open_one, 2, "failed", days=1)

    async def work() -> list[int]:
        database = await connect_database()
        try:
            return [await prune(database, kept_for=timedelta(days=400)) for _ in range(2)]
        finally:
            await database.close()

    assert run(work) == [2, 0]
    kept = Attempt.objects.order_by("record_uuid", "generation").values_list("record_uuid", "generation")
    assert set(kept) == {(linked, 2), (linked, 4), (unlinked, 1), (unlinked, 2), (open_one, 1), (open_one, 2)}


def test_used_up_allowance_is_mailed_once_a_month(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    connect(owner, ledger)
    ledger.fail_next("read_company", TryLaterError(Answered(http_status=429), allowance="reads"))
    Connection.objects.update(facts_read_at=timezone.now() - timedelta(hours=25))
    worker = make_worker()
    wait_until(Connection.objects.filter(reads_not_before__gt=timezone.now()).exists)
    worker.stop()
    make_worker()
    wait_until(lambda: mail.outbox)
    assert "monthly allowance" in mail.outbox[0].subject
