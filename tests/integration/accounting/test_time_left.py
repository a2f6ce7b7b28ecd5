"""How long a run takes still, by the pace that it has had."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cone.accounting.runs.reading import view_run
from cone.accounting.runs.settling import settle_runs_of
from cone.books.models import BackfillRun, Link, RunRecord
from cone.operations.actor import Actor
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
