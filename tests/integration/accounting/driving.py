"""Drives a lane without a worker and lets time pass without waiting: each step ends before the next begins."""

import asyncio
from datetime import timedelta

import pytest
from django.db import connection as database_connection

from cone.accounting import lane as lane_module
from cone.accounting.attempts import Fence
from cone.accounting.budget import Budget, CompanyKey
from cone.accounting.database import make_pool
from cone.accounting.errands import Tools
from cone.accounting.lane import Lane
from cone.accounting.port.provider import RequestLimits
from cone.accounting.sql import lane as lane_sql
from cone.accounting.sql import sweep as sweep_sql
from cone.accounting.tokens import StoredAccess, own_connection
from cone.books.models import Connection
from tests.fakes.ledger import FakeLedger

_NO_LIMITS = RequestLimits(per_minute=600_000, per_second=10_000, batches_per_minute=60_000)
_LONGEST_RUN = timedelta(seconds=30)

# Everything that is compared with the clock becomes older; then what the worker sweeps.
_AGED = {
    "books_attempt": ("started_at", "last_sent_at", "looked_at", "finished_at"),
    "books_outboxrow": ("not_before", "changed_at"),
    "books_connection": ("not_before", "reads_not_before"),
    "books_batch": ("started_at",),
}
_SWEEP = (sweep_sql.RELEASE_STALE_BLOCKS, sweep_sql.RELEASE_LINKED_WAITS)


class Driver:
    """The worker of one connection, on the test's own time."""

    def __init__(self, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ledger = ledger
        ledger.limits = _NO_LIMITS
        monkeypatch.setattr(lane_module, "_LINGER", timedelta())

    def work(self) -> timedelta | None:
        """Do everything that is due; how long until something will be. None when nothing waits for a time."""
        active = Connection.objects.exclude(state="disconnected").first()
        return None if active is None else asyncio.run(self._work(active))

    async def _work(self, active: Connection) -> timedelta | None:
        async with make_pool() as pool, self._ledger.open() as client, asyncio.timeout(_LONGEST_RUN.total_seconds()):
            async with pool.connection() as database:
                taken = await (await database.execute(lane_sql.TAKE_LANE, {"connection": active.pk})).fetchone()
            if taken is None:
                return None
            fence = Fence(connection_id=active.pk, company_pk=active.company_id, epoch=taken["lane_epoch"])
            company = CompanyKey(active.provider, active.environment, active.company_id_remote)
            access = StoredAccess(
                connection_id=active.pk,
                company_id=active.company_id_remote,
                client=client,
                database=pool.connection,
                refreshing=own_connection,
            )
            budget = Budget(company=company, limits=self._ledger.limits, database=pool.connection)
            tools = Tools(pool=pool, provider=self._ledger, client=client, tokens=access, budget=budget)
            return await Lane(fence=fence, tools=tools).run()

    def pass_time(self, by: timedelta) -> None:
        """Let so much time pass, here and there, and sweep."""
        with database_connection.cursor() as cursor:
            for table, columns in _AGED.items():
                moved = ", ".join(f"{column} = {column} - %(milliseconds)s * interval '1 ms'" for column in columns)
                values = {"milliseconds": by // timedelta(milliseconds=1)}
                cursor.execute(f"update {table} set {moved}", values)  # noqa: S608  # made of constants
            for statement in _SWEEP:
                cursor.execute(statement)
        self._ledger.age(by)

    def settle(self, *, rounds: int = 60) -> None:
        """Work and let time pass until nothing waits for a time any more."""
        for _ in range(rounds):
            due = self.work()
            if due is None:
                return
            self.pass_time(due + timedelta(milliseconds=20))
        raise AssertionError("it never settled")
