"""Connections that are shared: lent one use at a time, and none that isn't at rest."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from cone.accounting.database.connection import Database
from cone.accounting.database.errors import DatabaseAwayError
from cone.accounting.database.opening import connect

# How long a borrower waits for one to be free, or for a server that restarts or is full.
_PATIENCE_SECONDS = 30
# What isn't used so long is closed, since each is a process of the server's, of some megabytes. These stay: a record
# that comes after a quiet night then finds its statements planned.
_IDLE_NS = 300_000_000_000
_KEPT = 2
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(milliseconds=50), timedelta(seconds=1)


class Pool:
    """Up to `size` connections, opened as they're needed and lent one use at a time, the latest first.

    Those that a rush needed go after it, one each time another is given back: a worker's sweep always comes by.

    Not the driver's own pool: that takes two tasks, a timer and a proxy for each use, more than a statement costs.
    """

    def __init__(self, *, size: int = 8) -> None:
        self._turns = asyncio.Semaphore(size)
        # The latest last, each with the time since when it waits.
        self._idle: list[tuple[int, Database]] = []

    async def __aenter__(self) -> "Pool":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close what isn't lent."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(database.close() for _, database in idle))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Database]:
        """A connection for one use, waited for while all are lent. Raises DATABASE_ERRORS."""
        if self._turns.locked():
            await self._wait_for_turn()
        else:
            await self._turns.acquire()
        try:
            database = self._find_idle() or await self._open()
            try:
                yield database
            except Exception:
                await self._take_back(database)
                raise
            except BaseException:
                # Cancelled, perhaps within a statement.
                await database.close()
                raise
            else:
                await self._take_back(database)
        finally:
            self._turns.release()

    async def _wait_for_turn(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._turns.acquire()
        except TimeoutError as error:
            raise DatabaseAwayError(f"all connections were in use for {_PATIENCE_SECONDS} seconds") from error

    def _find_idle(self) -> Database | None:
        while self._idle:
            _, database = self._idle.pop()
            if database.is_at_rest:
                return database
        return None

    async def _open(self) -> Database:
        """A new one; while the server is full or away, whichever comes first: a new one, or one that's given back."""
        loop, pause = asyncio.get_running_loop(), _FIRST_PAUSE
        until = loop.time() + _PATIENCE_SECONDS
        while True:
            try:
                return await connect()
            except DatabaseAwayError:
                if loop.time() > until:
                    raise
            await asyncio.sleep(pause.total_seconds())
            pause = min(2 * pause, _LONGEST_PAUSE)
            if (database := self._find_idle()) is not None:
                return database

    async def _take_back(self, database: Database) -> None:
        if not database.is_at_rest:
            await database.close()
            return
        now = time.monotonic_ns()
        self._idle.append((now, database))
        if len(self._idle) > _KEPT and now - self._idle[0][0] > _IDLE_NS:
            _, longest = self._idle.pop(0)
            await longest.close()
