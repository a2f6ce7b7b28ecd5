"""Starts a lane whenever a company has something due: on a notification, on a timer, and on the sweep.

Whatever a notification loses, the outbox heals: the sweep looks every 15 seconds. Losing the connection that holds the
lanes' locks cancels every lane of this process at once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

from cone.accounting.attempts import Fence
from cone.accounting.budget import Budget, CompanyKey
from cone.accounting.connections import State, sources_of
from cone.accounting.database import DATABASE_ERRORS, Database, DatabaseAwayError, Found, Pool, connect
from cone.accounting.errands import Tools
from cone.accounting.lane import Lane
from cone.accounting.locks import LaneLocks, open_locks
from cone.accounting.outbox import LANE_CHANNEL
from cone.accounting.port.provider import Provider, ProviderClient
from cone.accounting.registry import explain_mismatch, get_provider, list_providers
from cone.accounting.revocations import list_reachable
from cone.accounting.runs.settling import settle_runs
from cone.accounting.sql import outcomes as outcomes_sql
from cone.accounting.sql import sweep as sweep_sql
from cone.accounting.tokens import StoredAccess, own_connection
from cone.worker.jobs import Desk
from cone.worker.timetable import SWEEP, TIMETABLE, Entry, keep

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 1
_REFRESHES = 8
_SHORTEST_WAIT = timedelta(milliseconds=50)


class Dispatcher:
    """The lanes of one worker process."""

    def __init__(self, *, sweep: timedelta = SWEEP, timetable: Sequence[Entry] = TIMETABLE) -> None:
        self._sweep_every = sweep
        self._timetable = timetable
        self._lanes: dict[int, Lane] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()
        self._clients: dict[str, ProviderClient] = {}
        self.locks: LaneLocks
        self._pool: Pool
        # Refreshes hold a connection while the platform answers: outside the pool, and only so many at once.
        self._refreshes = asyncio.Semaphore(_REFRESHES)
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        async with AsyncExitStack() as stack:
            self._pool = await stack.enter_async_context(Pool())
            for provider in list_providers():
                if (availability := provider.availability()).environment is None:
                    # Nothing is sent to it then, which is otherwise only said on the page where one connects.
                    logger.warning("%s can't be used: %s", provider.name, availability.explanation)
                self._clients[provider.key] = await stack.enter_async_context(provider.open())
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep("lanes", self._hold_lanes))
                desk = Desk(pool=self._pool, clients=self._clients, refreshing=self._connect_to_refresh)
                for entry in self._timetable:
                    group.create_task(keep(entry, desk))

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Start `work` again whenever the database goes away under it."""
        while True:
            try:
                await work()
            except DATABASE_ERRORS as error:
                logger.warning("%s: the database is away (%s); trying again", name, error)
            await asyncio.sleep(_RETRY_SECONDS)

    # --- lanes -----------------------------------------------------------------------------------------------

    async def _hold_lanes(self) -> None:
        """Hold locks, listen and sweep until the locks' connection is lost; then let go of every lane."""
        async with open_locks() as locks:
            self.locks = locks
            helpers = [
                asyncio.create_task(locks.watch()),
                asyncio.create_task(self._listen()),
                asyncio.create_task(self._sweep()),
                asyncio.create_task(locks.lost.wait()),
            ]
            try:
                done, _ = await asyncio.wait(helpers, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                await self._stop([*helpers, *self._tasks.values()])
                self._lanes.clear()
                self._tasks.clear()

    @staticmethod
    async def _stop(tasks: Sequence[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        database = await connect()
        try:
            notifications = await database.listen(LANE_CHANNEL)
            self.ready.set()
            # What was committed before we listened is found by the sweep's first look, which comes after this.
            await self._look_for_work()
            async for payload in notifications:
                if payload.isdecimal():
                    self.wake(int(payload))
        finally:
            await database.close()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._sweep_every.total_seconds())
            await self._look_for_work()

    async def _look_for_work(self) -> None:
        """Heal what notifications and crashes left, each in a transaction of its own, and wake who has work."""
        try:
            async with self._pool.connection() as database:
                await database.execute(sweep_sql.RELEASE_STALE_BLOCKS)
            async with self._pool.connection() as database:
                await settle_runs(database)
            async with self._pool.connection() as database:
                await database.execute(sweep_sql.TRY_WRITING_AGAIN, {"reachable": list_reachable(self._clients)})
            async with self._pool.connection() as database:
                due = await (await database.execute(sweep_sql.CONNECTIONS_WITH_WORK)).fetchall()
                waiting = await (await database.execute(sweep_sql.CONNECTIONS_WITH_LINKED_WAITS)).fetchall()
        except DATABASE_ERRORS as error:
            # The lanes at work don't depend on this look; the next one comes in seconds.
            logger.warning("the sweep couldn't look (%s)", error)
            return
        for row in waiting:
            self.wake(row["id"], is_sweep=True)
        for row in due:
            self.wake(row["id"])

    def wake(self, connection_id: int, *, is_sweep: bool = False) -> None:
        """Have the connection's lane look again, a sweep also at what waits; start it when it isn't running here."""
        if (lane := self._lanes.get(connection_id)) is not None:
            lane.wake(is_sweep=is_sweep)
        elif connection_id in self._tasks:
            self._again.add(connection_id)
        else:
            task = asyncio.create_task(self._run_lane(connection_id))
            self._tasks[connection_id] = task
            task.add_done_callback(lambda done: self._ended(connection_id, done))

    def _ended(self, connection_id: int, task: asyncio.Task[None]) -> None:
        if self._tasks.get(connection_id) is task:
            del self._tasks[connection_id]
        if task.cancelled():
            return
        if isinstance(error := task.exception(), DatabaseAwayError):
            logger.warning("lane of connection %s: the database is away (%s)", connection_id, error)
        elif error is not None:
            # The edge for one company: its lane comes back with the next sweep, the others go on.
            logger.error("lane of connection %s broke", connection_id, exc_info=error)
        elif connection_id in self._again:
            self._again.discard(connection_id)
            self.wake(connection_id)

    async def _run_lane(self, connection_id: int) -> None:
        taken = await self.locks.acquire(connection_id)
        if taken is None:
            return
        try:
            lane = await self._make_lane(connection_id, taken)
            if lane is None:
                return
            self._lanes[connection_id] = lane
            next_due = await lane.run()
            if lane.is_woken:
                self._again.add(connection_id)
        finally:
            self._lanes.pop(connection_id, None)
            await self.locks.release(connection_id)
        if next_due is not None and next_due < self._sweep_every:
            seconds = max(next_due, _SHORTEST_WAIT).total_seconds()
            asyncio.get_running_loop().call_later(seconds, self.wake, connection_id)

    async def _make_lane(self, connection_id: int, taken: Found) -> Lane | None:
        """A lane for the connection; None when it was made in another environment than the configured one."""
        epoch: int = taken["lane_epoch"]
        if reason := explain_mismatch(taken["provider"], taken["environment"]):
            target = State.READ_ONLY
            move = {"connection": connection_id, "epoch": epoch, "target": target.value, "reason": reason}
            async with self._pool.connection() as database:
                await database.execute(outcomes_sql.MOVE_CONNECTION, {**move, "sources": sources_of(target)})
            return None
        provider: Provider = get_provider(taken["provider"])
        client = self._clients[provider.key]
        access = StoredAccess(
            connection_id=connection_id,
            company_id=taken["company_id_remote"],
            client=client,
            database=self._pool.connection,
            refreshing=self._connect_to_refresh,
        )
        fence = Fence(connection_id=connection_id, company_pk=taken["company_id"], epoch=epoch)
        company = CompanyKey(taken["provider"], taken["environment"], taken["company_id_remote"])
        return Lane(
            fence=fence,
            tools=Tools(
                pool=self._pool,
                provider=provider,
                client=client,
                tokens=access,
                budget=Budget(
                    company=company,
                    limits=provider.limits,
                    database=self._pool.connection,
                    known_id=taken["budget_id"],
                ),
            ),
        )

    @asynccontextmanager
    async def _connect_to_refresh(self) -> AsyncIterator[Database]:
        async with self._refreshes, own_connection() as database:
            yield database
