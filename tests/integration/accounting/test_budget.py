"""The request budget: no window of a minute or a second ever holds more than the platform takes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import DictRow, dict_row

from cone.accounting.budget import Budget, CompanyKey, Share, turn_values
from cone.accounting.port.provider import RequestLimits
from cone.accounting.port.verdicts import TryLaterError
from cone.accounting.sql import budget as budget_sql
from cone.accounting.tokens import own_connection
from cone.books.models import RequestBudget
from cone.kit.values import replace
from tests.integration.accounting.database import conninfo

pytestmark = pytest.mark.django_db(transaction=True)

LIMITS = RequestLimits(per_minute=500, per_second=10, batches_per_minute=40)
SECOND = 1_000_000
MINUTE = 60 * SECOND
# A minute that lasts an hour, and so a second that no slow machine outlasts.
LONG = replace(LIMITS, minute=timedelta(hours=1))
KEY = CompanyKey("quickbooks", "emulator", "4620816365")
START = 1_800_000_000 * SECOND


class Ledger:
    """The budget's row, asked at moments of our choosing."""

    def __init__(self, database: psycopg.Connection[DictRow], company_id: str) -> None:
        self.row = RequestBudget.objects.create(provider="p", environment="e", company_id_remote=company_id)
        self.granted: list[int] = []
        self.batches: list[int] = []
        self.database = database

    def ask(self, now: int, share: Share, *, is_batch: bool = False) -> int:
        """The wait in microseconds; zero notes the grant."""
        values = turn_values(LIMITS, share=share, is_batch=is_batch)
        row = self.database.execute(budget_sql.TURN, {**values, "budget": self.row.pk, "now": now}).fetchone()
        assert row is not None
        wait: int = row["wait"]
        if not wait:
            self.granted.append(now)
            if is_batch:
                self.batches.append(now)
        return wait


@pytest.fixture
def database() -> Iterator[psycopg.Connection[DictRow]]:
    """A connection of the test's own."""
    with psycopg.connect(conninfo(), autocommit=True, row_factory=dict_row) as opened:
        yield opened


def most_within(moments: list[int], span: int) -> int:
    """The most moments in any window of that span, both its ends included."""
    moments = sorted(moments)
    return max((sum(start <= moment <= start + span for moment in moments) for start in moments), default=0)


REQUESTS = st.lists(
    st.tuples(st.integers(0, 400_000), st.sampled_from(list(Share)), st.booleans()), min_size=1, max_size=60
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=REQUESTS, burst=st.integers(0, 30))
def test_no_second_holds_more_than_the_platform_takes(
    database: psycopg.Connection[DictRow], requests: list[tuple[int, Share, bool]], burst: int
) -> None:
    RequestBudget.objects.all().delete()
    ledger = Ledger(database, "any")
    now = START
    for _ in range(burst):
        ledger.ask(now, Share.LIVE)
    for pause, share, is_batch in requests:
        now += pause
        wait = ledger.ask(now, share, is_batch=is_batch)
        if wait:
            # Whoever is told to wait and comes back then is let in, when nobody else came.
            assert ledger.ask(now + wait, share, is_batch=is_batch) == 0
            now += wait

    assert most_within(ledger.granted, SECOND) <= LIMITS.per_second - 1
    assert most_within(ledger.granted, MINUTE) <= LIMITS.per_minute
    assert most_within(ledger.batches, MINUTE) <= LIMITS.batches_per_minute


def drive(ledger: Ledger, seconds: int, *, live_every: int | None = None) -> tuple[int, int, list[int]]:
    """Batches and singles of a backlog as fast as they may, with live requests in between: counts and live waits."""
    batch_at = single_at = START
    live_at = START + (live_every or 10 * seconds * SECOND)
    counts, waits = [0, 0], []
    end = START + seconds * SECOND
    live_wait = 0
    while (now := min(batch_at, single_at, live_at)) < end:
        if now == live_at:
            wait = ledger.ask(now, Share.LIVE)
            live_wait += wait
            if wait:
                live_at = now + wait
            else:
                waits.append(live_wait)
                live_wait, live_at = 0, now + (live_every or 0)
        elif now == batch_at:
            wait = ledger.ask(now, Share.BACKLOG, is_batch=True)
            counts[0] += not wait
            batch_at = now + (wait or 1)
        else:
            wait = ledger.ask(now, Share.BACKLOG)
            counts[1] += not wait
            single_at = now + (wait or 1)
    return counts[0], counts[1], waits


def test_backlog_uses_nearly_all_that_its_share_allows(database: psycopg.Connection[DictRow]) -> None:
    ledger = Ledger(database, "backlog")

    batches, singles, _ = drive(ledger, 180)

    ceiling = 3 * (40 * 30 + 460)
    assert (batches * 30 + singles) / ceiling > 0.95
    assert most_within(ledger.granted, SECOND) <= LIMITS.per_second - 1
    assert most_within(ledger.granted, MINUTE) <= LIMITS.per_minute
    assert most_within(ledger.batches, MINUTE) <= LIMITS.batches_per_minute


def test_live_request_waits_for_no_backlog(database: psycopg.Connection[DictRow]) -> None:
    ledger = Ledger(database, "live")

    _, singles, waits = drive(ledger, 60, live_every=SECOND)

    assert len(waits) >= 58
    assert max(waits) <= 250_000
    assert singles > 300


def test_heavy_live_traffic_has_the_backlog_stand_back(database: psycopg.Connection[DictRow]) -> None:
    ledger = Ledger(database, "heavy")

    batches, singles, waits = drive(ledger, 60, live_every=SECOND // 8)

    assert len(waits) > 400
    assert batches + singles < 80


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def started() -> None:
        await work()

    asyncio.run(started())


def test_all_processes_share_one_budget_and_it_outlives_them() -> None:
    async def take(count: int) -> None:
        budget = Budget(company=KEY, limits=LONG, database=own_connection)
        await asyncio.gather(*(budget.turn() for _ in range(count)))

    run(lambda: take(4))
    run(lambda: take(4))

    row = RequestBudget.objects.get(company_id_remote=KEY.company_id)
    assert (len(row.recent), most_within(row.recent, 60 * SECOND)) == (8, 8)

    async def impatient() -> None:
        budget = Budget(company=KEY, limits=LONG, database=own_connection)
        await budget.turn()
        with pytest.raises(TryLaterError):
            await budget.turn(longest=timedelta(0))

    run(impatient)


def test_companies_have_a_budget_each() -> None:
    async def take(company_id: str) -> None:
        budget = Budget(company=CompanyKey("q", "e", company_id), limits=LIMITS, database=own_connection)
        for _ in range(9):
            assert not await budget.ask()

    run(lambda: take("1"))
    run(lambda: take("2"))
    assert sorted(RequestBudget.objects.values_list("company_id_remote", flat=True)) == ["1", "2"]
