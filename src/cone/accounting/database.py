"""The async side's way to the database that Django's settings name: the lanes' hot path speaks SQL, not ORM.

Its driver is asyncpg, which costs a third of what Django's takes for a small statement (ADR 21).
"""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote, urlencode

import asyncpg
from django.db import connection

# A row by the names of its columns; jsonb comes and goes as values.
Found: TypeAlias = Mapping[str, Any]

# All that a statement may raise: the database is away, hangs up, or refuses it.
DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
UniqueViolationError: TypeAlias = asyncpg.UniqueViolationError
LockNotAvailableError: TypeAlias = asyncpg.LockNotAvailableError

_NOTHING: Mapping[str, object] = MappingProxyType({})
# Enough for every statement of the engine, for as long as the connection lives.
_STATEMENTS = 500
# Each statement is planned once for all its values: planning a look takes longer than looking.
_SERVER_SETTINGS = {"jit": "off", "plan_cache_mode": "force_generic_plan"}
# A dead peer must be noticed in seconds, by both sides: a lane's lock lives as long as its connection.
_IDLE_SECONDS, _INTERVAL_SECONDS, _PROBES, _UNANSWERED_MS = 5, 2, 3, 10_000
_KEEPALIVE_THERE = {
    "tcp_keepalives_idle": str(_IDLE_SECONDS),
    "tcp_keepalives_interval": str(_INTERVAL_SECONDS),
    "tcp_keepalives_count": str(_PROBES),
    "tcp_user_timeout": str(_UNANSWERED_MS),
}
_CLOSING_SECONDS = 5


class Rows(Protocol):
    """What a statement found."""

    async def fetchone(self) -> Found | None: ...

    async def fetchall(self) -> Sequence[Found]: ...


class Reader(Protocol):
    """Whatever runs a reading statement: a lane's connection, or a page's."""

    async def execute(self, query: str, values: Mapping[str, object], /) -> Rows: ...


class _Rows:
    __slots__ = ("_found",)

    def __init__(self, found: list[Found]) -> None:
        self._found = found

    async def fetchone(self) -> Found | None:
        return self._found[0] if self._found else None

    async def fetchall(self) -> list[Found]:
        return self._found


class _WatchfulConnection(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """The driver's connection, which notices in seconds that its peer is gone."""

    __slots__ = ()

    def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        line = transport.get_extra_info("socket")
        if line.family != socket.AF_UNIX:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE_SECONDS)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _INTERVAL_SECONDS)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNANSWERED_MS)


class Database:
    """One connection. Each statement commits by itself: what belongs together says so with `transaction()`."""

    __slots__ = ("_line",)

    def __init__(self, line: _WatchfulConnection) -> None:
        self._line = line

    async def execute(self, query: str, values: Mapping[str, object] = _NOTHING, /) -> _Rows:
        """Run a statement with `%(name)s` placeholders, and `%%` for a percent sign. Raises DATABASE_ERRORS.

        A value has the type that the statement gives its placeholder: an int for bigint, a str for text, no other.
        """
        text, names = numbered(query)
        return _Rows(await self._line.fetch(text, *[values[name] for name in names]))

    def transaction(self) -> AbstractAsyncContextManager[object]:
        """All of it or nothing; within another, a savepoint."""
        transaction: AbstractAsyncContextManager[object] = self._line.transaction()
        return transaction

    async def listen(self, channel: str) -> AsyncIterator[str]:
        """Listen from now on: what is said on the channel until the connection is lost, which raises."""
        heard: asyncio.Queue[str | None] = asyncio.Queue()
        self._line.add_termination_listener(lambda _: heard.put_nowait(None))
        await self._line.add_listener(channel, lambda *said: heard.put_nowait(said[-1]))
        return self._hear(heard)

    @staticmethod
    async def _hear(heard: "asyncio.Queue[str | None]") -> AsyncIterator[str]:
        while (said := await heard.get()) is not None:
            yield said
        raise asyncpg.ConnectionDoesNotExistError("the connection was lost while listening")

    @property
    def is_at_rest(self) -> bool:
        """Whether the next may use it: it's open, and in no transaction."""
        return not self._line.is_closed() and not self._line.is_in_transaction()

    def backend_pid(self) -> int:
        """The server's process for it."""
        pid: int = self._line.get_server_pid()
        return pid

    async def close(self) -> None:
        """Say goodbye; a server that doesn't answer is left."""
        await self._line.close(timeout=_CLOSING_SECONDS)

    def terminate(self) -> None:
        """Hang up, whatever is under way."""
        self._line.terminate()


@cache
def numbered(query: str) -> tuple[str, tuple[str, ...]]:
    """The statement as the server takes it, and which value stands for which number."""
    places: dict[str, int] = {}
    text = re.sub(r"%\((\w+)\)s", lambda found: f"${places.setdefault(found[1], len(places) + 1)}", query)
    return text.replace("%%", "%"), tuple(places)


def conninfo() -> str:
    """The address of Django's default database (in tests: the test database), as libpq and asyncpg read it."""
    settings: dict[str, Any] = connection.get_connection_params()
    known = ("dbname", "user", "password", "host", "port", "options", "sslmode", "sslrootcert")
    return "postgresql://?" + urlencode({key: settings[key] for key in known if settings.get(key)}, quote_via=quote)


async def connect() -> Database:
    """Open one connection of our own, outside any pool. Raises DATABASE_ERRORS."""
    line = await asyncpg.connect(
        conninfo(),
        connection_class=_WatchfulConnection,
        statement_cache_size=_STATEMENTS,
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=0,
        server_settings=_SERVER_SETTINGS | _KEEPALIVE_THERE,
    )
    for name in ("json", "jsonb"):
        await line.set_type_codec(name, schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    return Database(line)


class Pool:
    """Up to `size` connections, opened as they're needed and lent one use at a time, the latest first.

    Not the driver's own pool: that takes two tasks, a timer and a proxy for each use, more than a statement costs.
    """

    def __init__(self, *, size: int = 8) -> None:
        self._turns = asyncio.Semaphore(size)
        self._idle: list[Database] = []

    async def __aenter__(self) -> "Pool":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close what isn't lent."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(one.close() for one in idle), return_exceptions=True)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Database]:
        """A connection for one use, waited for while all are lent. Raises DATABASE_ERRORS."""
        async with self._turns:
            database = await self._take()
            try:
                yield database
            except Exception:
                self._take_back(database)
                raise
            except BaseException:
                # Cancelled, perhaps within a statement: the server is told before the connection goes.
                await database.close()
                raise
            else:
                self._take_back(database)

    async def _take(self) -> Database:
        while self._idle:
            database = self._idle.pop()
            if database.is_at_rest:
                return database
        return await connect()

    def _take_back(self, database: Database) -> None:
        if database.is_at_rest:
            self._idle.append(database)
        else:
            database.terminate()
