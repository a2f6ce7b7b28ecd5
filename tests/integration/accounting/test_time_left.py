"""How long a run takes still, by the pace that it has had."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cone.accounting.runs.reading import view_run
from cone.accounting.runs.settling import settle_runs_of
from cone.books.models import Attempt, BackfillRun, Connection, Link, RunRecord
from cone.operations.actor import Actor
from cone.operations.pause_sync import pause_sync
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.test_runs import start

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("is_settled", [True, False])
@pytest.mark.parametrize(("age", "least", "most"), [(10, 10, 20), (600, 60, 60)])
def test_time_left_is_by_the_time_since_the_run_began_at_most_a_minute(
    owner: Actor, ledger: FakeLedger, age: int, least: int, most: int, *, is_settled: bool
) -> None:
    _, run = start(owner, ledger, 10)
    for number, each in enumerate(RunRecord.objects.filter(run=run, kind="invoice")[:5]):
        Link.objects.create(
            company=run.company,
            kind=each.kind,
            record_uuid=each.record_uuid,
            remote_id=str(number),
            remote_version="0",
            synced_revision=each.revision,
        )
    BackfillRun.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(seconds=age))
    run.refresh_from_db()
    if is_settled:
        settle_runs_of(run.company_id)

    progress = view_run(run).progress
    assert (progress.done, progress.left) == (5, 5)
    assert progress.time_left is not None
    assert timedelta(seconds=least) <= progress.time_left <= timedelta(seconds=most)


def undo_half(owner: Actor, ledger: FakeLedger, *, age: int) -> BackfillRun:
    """Ten sent by a run, five of them taken back since."""
    _, run = start(owner, ledger, 10)
    active = Connection.objects.get()
    records = RunRecord.objects.filter(run=run, kind="invoice").order_by("pk")
    records.update(outcome="created", undo="wanted")
    for each in records[:5]:
        RunRecord.objects.filter(pk=each.pk).update(undo="done")
        Attempt.objects.create(
            company=run.company,
            connection=active,
            kind=each.kind,
            record_uuid=each.record_uuid,
            revision=each.revision,
            operation="delete",
            generation=1,
            request_id=str(each.pk),
            request_line="POST /invoice?operation=delete",
            body=b"",
            lane_epoch=active.lane_epoch,
            state="succeeded",
            verdict="taken_back",
        )
    started_at = timezone.now() - timedelta(seconds=age)
    BackfillRun.objects.filter(pk=run.pk).update(state="undoing", undo_by="delete", undo_started_at=started_at)
    run.refresh_from_db()
    return run


@pytest.mark.parametrize(("age", "least", "most"), [(10, 10, 20), (600, 60, 60)])
def test_time_left_of_an_undo_is_by_what_was_taken_back_within_a_minute(
    owner: Actor, ledger: FakeLedger, age: int, least: int, most: int
) -> None:
    undo = view_run(undo_half(owner, ledger, age=age)).undo
    assert undo is not None
    assert (undo.done, undo.left) == (5, 5)
    assert undo.time_left is not None
    assert timedelta(seconds=least) <= undo.time_left <= timedelta(seconds=most)


def test_undo_that_does_not_move_has_no_time_left(owner: Actor, ledger: FakeLedger) -> None:
    run = undo_half(owner, ledger, age=10)
    Connection.objects.update(reads_not_before=timezone.now() + timedelta(days=3))
    held = view_run(run).undo
    Connection.objects.update(reads_not_before=None)
    pause_sync(owner)
    paused = view_run(run).undo
    assert (held and held.time_left, paused and paused.time_left) == (None, None)


def test_run_has_no_time_left_while_the_month_allows_no_requests(owner: Actor, ledger: FakeLedger) -> None:
    _, run = start(owner, ledger, 1)
    assert view_run(run).progress.time_left is not None
    Connection.objects.update(not_before=timezone.now() + timedelta(days=3), is_allowance_used=True)
    assert view_run(run).progress.time_left is None
