"""The async side's way to the database that Django's settings name: the lanes' hot path speaks SQL, not ORM."""

import asyncio
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol, TypeAlias

import psycopg
from django.db import connection
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

Database: TypeAlias = psycopg.AsyncConnection[DictRow]


class Pool(AsyncConnectionPool[Database]):
    """The driver's pool, which never forgets that who waits for a connection was cancelled.

    It waits by `asyncio.wait_for`, which loses a cancellation that comes at the same time as the connection until
    Python 3.12 (https://github.com/python/cpython/issues/86296): a worker that is told to stop wouldn't.
    """

    async def getconn(self, timeout: Any = None) -> Database:  # noqa: ASYNC109  # the driver's own parameter, in seconds
        """As the driver's. Raises CancelledError when the task was cancelled meanwhile; the connection goes back."""
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        database = await super().getconn(timeout)
        if task and task.cancelling() > before:
            await self.putconn(database)
            raise asyncio.CancelledError
        return database


class Rows(Protocol):
    """What a statement found."""

    async def fetchone(self) -> DictRow | None: ...

    async def fetchall(self) -> list[DictRow]: ...


class Reader(Protocol):
    """Whatever runs a reading statement: a lane's connection, or a page's."""

    async def execute(self, query: str, params: Mapping[str, object], /) -> Rows: ...


class LongStatements:
    """Runs statements that are too long for the driver's cache of parsed ones: their placeholders are numbered once.

    The driver parses a statement of more than 4,096 characters for each run, which takes longer than sending it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def execute(self, query: str, params: Mapping[str, object], /) -> Rows:
        """Run a statement with `%(name)s` placeholders and no other percent signs."""
        text, names = _numbered(query)
        return await psycopg.AsyncRawCursor(self._database).execute(text, [params[name] for name in names])


@cache
def _numbered(query: str) -> tuple[bytes, tuple[str, ...]]:
    places: dict[str, int] = {}
    text = re.sub(r"%\((\w+)\)[sb]", lambda found: f"${places.setdefault(found[1], len(places) + 1)}", query)
    return text.encode(), tuple(places)


# A dead peer must be noticed in seconds: a lane's lock lives as long as its connection.
_KEEPALIVE: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def conninfo() -> str:
    """The libpq connection string of Django's default database (in tests: the test database)."""
    settings: dict[str, Any] = connection.get_connection_params()
    known = ("dbname", "user", "password", "host", "port", "options", "sslmode", "sslrootcert")
    return make_conninfo(**{key: settings[key] for key in known if settings.get(key)}, **_KEEPALIVE)


async def connect(*, autocommit: bool = False) -> Database:
    """Open one connection of our own, outside any pool."""
    return await psycopg.AsyncConnection.connect(conninfo(), autocommit=autocommit, row_factory=dict_row)


async def _configure(database: Database) -> None:
    """Plan each statement once for all its values: planning a look takes longer than looking."""
    await database.execute("set jit = off")
    await database.execute("set plan_cache_mode = force_generic_plan")


def make_pool(*, size: int = 8) -> Pool:
    """A pool, not yet open: use it as an async context manager.

    Its connections commit each statement by themselves: what belongs together says so with `transaction()`.
    """
    return Pool(
        conninfo(),
        min_size=1,
        max_size=size,
        open=False,
        configure=_configure,
        connection_class=psycopg.AsyncConnection[DictRow],
        kwargs={"row_factory": dict_row, "autocommit": True, "prepare_threshold": 0},
    )
