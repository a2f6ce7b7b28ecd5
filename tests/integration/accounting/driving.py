"""Drives a lane without a worker and lets time pass without waiting: each step ends before the next begins."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any, Literal, TypeAlias

import pytest
from django.db import connection as database_connection

from cone.accounting import sending
from cone.accounting.attempts import Fence
from cone.accounting.budget import Budget, CompanyKey
from cone.accounting.database import Pool
from cone.accounting.delivered import Landed, settle_delivered
from cone.accounting.errands import Tools
from cone.accounting.lane import Lane
from cone.accounting.port.provider import RequestLimits
from cone.accounting.sql import sweep as sweep_sql
from cone.accounting.tokens import StoredAccess, own_connection
from cone.books.models import Connection
from cone.operations.actor import Actor
from tests.fakes.ledger import FakeLedger, Sending

_NO_LIMITS = RequestLimits(per_minute=600_000, per_second=500, batches_per_minute=6_000)
_LONGEST_RUN = timedelta(seconds=30)

# Everything that is compared with the clock becomes older; then what the worker sweeps.
_AGED = {
    "books_attempt": ("started_at", "last_sent_at", "looked_at", "finished_at"),
    "books_outboxrow": ("not_before", "changed_at"),
    "books_connection": ("not_before", "reads_not_before"),
    "books_batch": ("started_at",),
}
_LOSE_LANE = "update books_connection set lane_epoch = lane_epoch + 1 where id = %(connection)s"
_TAKE_LANE = """
update books_connection set lane_epoch = lane_epoch + 1 where id = %(connection)s and state = 'connected'
returning lane_epoch
"""

Moment: TypeAlias = Literal["before it's done there", "done there, no answer", "answered, not written down"]


class Driver:
    """The worker of one firm, on the test's own time. It must be closed."""

    def __init__(self, ledger: FakeLedger, actor: Actor) -> None:
        self._ledger = ledger
        self._actor = actor
        ledger.limits = _NO_LIMITS
        self._runner = asyncio.Runner()
        self._pool: Pool = Pool()

    def close(self) -> None:
        """End its connections."""
        self._runner.run(self._pool.close())
        self._runner.close()

    def work(self) -> timedelta | None:
        """Do everything that is due; how long until something will be. None when nothing waits for a time."""
        active = self._find_active()
        return None if active is None else self._runner.run(self._work(active))

    def crash(self, moment: Moment, *, after: int) -> None:
        """Work, and die at the n-th write; where there aren't so many, just work."""
        active = self._find_active()
        if active is not None:
            self._runner.run(self._crash(active, moment, after))

    def lose_lane(self, *, after: int) -> None:
        """Work, and lose the lane to another worker while the n-th write is there."""
        active = self._find_active()
        if active is not None:
            self._runner.run(self._lose_lane(active, after))

    def pass_time(self, by: timedelta) -> None:
        """Let so much time pass, here and there, and sweep."""
        with database_connection.cursor() as cursor:
            for table, columns in _AGED.items():
                moved = ", ".join(f"{column} = {column} - %(milliseconds)s * interval '1 ms'" for column in columns)
                values = {"milliseconds": by // timedelta(milliseconds=1)}
                cursor.execute(f"update {table} set {moved}", values)  # noqa: S608  # made of constants
            cursor.execute(sweep_sql.RELEASE_STALE_BLOCKS)
        self._ledger.age(by)

    def settle(self, *, rounds: int = 60) -> None:
        """Work and let time pass until nothing waits for a time any more."""
        for _ in range(rounds):
            due = self.work()
            if due is None:
                return
            self.pass_time(due + timedelta(milliseconds=20))
        raise AssertionError("it never settled")

    def _find_active(self) -> Connection | None:
        return Connection.objects.filter(workspace=self._actor.workspace, state="connected").first()

    async def _work(self, active: Connection) -> timedelta | None:
        async with self._ledger.open() as client, asyncio.timeout(_LONGEST_RUN.total_seconds()):
            async with self._pool.connection() as database:
                taken = await (await database.execute(_TAKE_LANE, {"connection": active.pk})).fetchone()
            if taken is None:
                return None
            fence = Fence(connection_id=active.pk, company_pk=active.company_id, epoch=taken["lane_epoch"])
            company = CompanyKey(active.provider, active.environment, active.company_id_remote)
            access = StoredAccess(
                connection_id=active.pk,
                company_id=active.company_id_remote,
                client=client,
                database=self._pool.connection,
                refreshing=own_connection,
            )
            budget = Budget(company=company, limits=self._ledger.limits, database=self._pool.connection)
            tools = Tools(pool=self._pool, provider=self._ledger, client=client, tokens=access, budget=budget)
            return await Lane(fence=fence, tools=tools).run()

    async def _crash(self, active: Connection, moment: Moment, after: int) -> None:
        left = after
        work = asyncio.create_task(self._work(active))

        async def die(_: Sending | None = None) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                work.cancel()
                await asyncio.sleep(_LONGEST_RUN.total_seconds())

        async def settle_or_die(*given: Any, **named: Any) -> Landed:
            await die()
            return await settle_delivered(*given, **named)

        with pytest.MonkeyPatch.context() as patched, suppress(asyncio.CancelledError):
            if moment == "before it's done there":
                self._ledger.before_send = die
            elif moment == "done there, no answer":
                self._ledger.after_send = die
            else:
                patched.setattr(sending, "settle_delivered", settle_or_die)
            await work
        self._ledger.before_send = self._ledger.after_send = None

    async def _lose_lane(self, active: Connection, after: int) -> None:
        left = after

        async def lose(_: Sending) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                async with self._pool.connection() as database:
                    await database.execute(_LOSE_LANE, {"connection": active.pk})

        self._ledger.after_send = lose
        await self._work(active)
        self._ledger.after_send = None
