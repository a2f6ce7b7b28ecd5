"""Which lanes are ours: session advisory locks on one dedicated connection, outside any pool.

A session lock on a pooled connection outlives its return to the pool, and session locks are re-entrant (both
measured): hence a connection of our own, and a map in the process that refuses a second lane for one company.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cone.accounting.database import DATABASE_ERRORS, Database, Found, connect
from cone.accounting.sql import lane as lane_sql

# The first key of the two-key advisory lock space that belongs to lanes.
_LANES = 0x0C0E

_UNLOCK = "select pg_advisory_unlock(%(lanes)s, %(connection)s)"


def _key(connection_id: int) -> dict[str, object]:
    return {"lanes": _LANES, "connection": connection_id}


class LaneLocks:
    """The lanes this process holds. Losing the connection loses them all; `lost` says so once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self._held: set[int] = set()
        self.lost = asyncio.Event()

    async def acquire(self, connection_id: int) -> Found | None:
        """Take the lane of a connection: its new epoch and what else `TAKE_LANE` tells.

        None when it's held (here or elsewhere) or not connected.
        """
        if connection_id in self._held or self.lost.is_set():
            return None
        self._held.add(connection_id)
        taken = None
        try:
            taken = await self._take(connection_id)
        finally:
            if taken is None:
                self._held.discard(connection_id)
        return taken

    async def _take(self, connection_id: int) -> Found | None:
        try:
            async with self._turn:
                taken = await (await self._database.execute(lane_sql.TAKE_LANE, _key(connection_id))).fetchone()
                if taken is None or not taken["is_ours"]:
                    return None
                if taken["lane_epoch"] is None:
                    await self._database.execute(_UNLOCK, _key(connection_id))
                    return None
                return taken
        except DATABASE_ERRORS:
            self.lost.set()
            return None

    async def release(self, connection_id: int) -> None:
        """Give the lane back."""
        try:
            async with self._turn:
                await self._database.execute(_UNLOCK, _key(connection_id))
        except DATABASE_ERRORS:
            self.lost.set()
        finally:
            self._held.discard(connection_id)

    async def watch(self, *, every_seconds: int = 1) -> None:
        """Look after the connection until it's lost; then set `lost` and return."""
        while not self.lost.is_set():
            await asyncio.sleep(every_seconds)
            try:
                async with self._turn:
                    await self._database.execute("select 1")
            except DATABASE_ERRORS:
                self.lost.set()

    def backend_pid(self) -> int:
        """The server process that holds the locks: for logs, and for the test that kills it."""
        return self._database.backend_pid()


@asynccontextmanager
async def open_locks() -> AsyncIterator[LaneLocks]:
    """Open the dedicated connection; closing it releases every lane."""
    database = await connect()
    try:
        yield LaneLocks(database)
    finally:
        await database.close()
