"""The async side's way to the database that Django's settings name: the lanes' hot path speaks SQL, not ORM.

Its driver is asyncpg, which costs a third of what Django's takes for a small statement (ADR 21). No other module knows
it. Whatever goes wrong while a task is cancelled, what the task sees is its cancellation.
"""

import asyncio
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote, urlencode

import asyncpg
from django.db import connection


class DatabaseAwayError(Exception):
    """The database can't be reached, has hung up, or has no connection to spare; nothing says that a statement failed.

    What was under way may have been committed.
    """


# A row by the names of its columns; jsonb comes and goes as values.
Found: TypeAlias = Mapping[str, Any]
UniqueViolationError: TypeAlias = asyncpg.UniqueViolationError
LockNotAvailableError: TypeAlias = asyncpg.LockNotAvailableError
# All that a statement may raise: it was refused, or the database is away.
DATABASE_ERRORS = (asyncpg.PostgresError, DatabaseAwayError)

# What the driver raises: the server's words, and what becomes of a line that is lost, some of it as usage errors.
_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_NOTHING: Mapping[str, object] = MappingProxyType({})
# Enough for every statement of the engine, for as long as the connection lives.
_STATEMENTS = 500
# A dead peer must be noticed in seconds, by both sides: a lane's lock lives as long as its connection.
_IDLE_SECONDS, _INTERVAL_SECONDS, _PROBES, _UNANSWERED_MS = 5, 2, 3, 10_000
# Set by a statement, since poolers refuse parameters they don't know when a connection begins. Each statement is
# planned once for all its values: planning a look takes longer than looking.
_SETTINGS = {
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "tcp_keepalives_idle": str(_IDLE_SECONDS),
    "tcp_keepalives_interval": str(_INTERVAL_SECONDS),
    "tcp_keepalives_count": str(_PROBES),
    "tcp_user_timeout": str(_UNANSWERED_MS),
}
_SET = "select set_config(name, value, false) from unnest($1::text[], $2::text[]) as given(name, value)"
# How long a goodbye or an undoing may take; after that the line is cut.
_CLOSING_SECONDS = 5
# How long a borrower waits for one to be free, or for a server that restarts or is full.
_PATIENCE_SECONDS = 30
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(milliseconds=50), timedelta(seconds=1)


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
        if line.family == socket.AF_UNIX:
            return
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", _IDLE_SECONDS),
            ("TCP_KEEPINTVL", _INTERVAL_SECONDS),
            ("TCP_KEEPCNT", _PROBES),
            ("TCP_USER_TIMEOUT", _UNANSWERED_MS),
        ):
            # Not every system has them all.
            if (option := getattr(socket, name, None)) is not None:
                line.setsockopt(socket.IPPROTO_TCP, option, value)


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
        arguments = [values[name] for name in names]
        try:
            return _Rows(await self._line.fetch(text, *arguments))
        except _ERRORS as error:
            if (away := self._find_away(error)) is not None:
                raise away from error
            raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """All of it or nothing; within another, a savepoint. Raises DATABASE_ERRORS."""
        transaction = self._line.transaction()
        await self._tell(transaction.start())
        try:
            yield
        except BaseException:
            # What went wrong is what's told, also where it can't be undone: then the server does it.
            await self._undo(transaction)
            raise
        await self._tell(transaction.commit())

    async def _undo(self, transaction: Any) -> None:
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await transaction.rollback()
        except _ERRORS:
            self._line.terminate()

    async def _tell(self, work: Awaitable[None]) -> None:
        try:
            await work
        except _ERRORS as error:
            if (away := self._find_away(error)) is not None:
                raise away from error
            raise

    def _find_away(self, error: Exception) -> DatabaseAwayError | None:
        """What an error says of the line, which then is of no more use; None when it speaks of the statement."""
        if isinstance(error, asyncpg.PostgresError):
            is_fatal = getattr(error, "severity_en", None) in ("FATAL", "PANIC")
            is_line = is_fatal or isinstance(error, asyncpg.PostgresConnectionError)
        else:
            # A value of another type than its placeholder's is a usage error, too: a bug of ours.
            is_line = not isinstance(error, ValueError)
        if not is_line:
            return None
        self._line.terminate()
        return _away(error)

    async def listen(self, channel: str) -> AsyncIterator[str]:
        """Listen from now on: what is said on the channel until the connection is lost, which raises."""
        heard: asyncio.Queue[str | None] = asyncio.Queue()
        self._line.add_termination_listener(lambda _: heard.put_nowait(None))
        await self._tell(self._line.add_listener(channel, lambda *said: heard.put_nowait(said[-1])))
        return self._hear(heard)

    @staticmethod
    async def _hear(heard: "asyncio.Queue[str | None]") -> AsyncIterator[str]:
        while (said := await heard.get()) is not None:
            yield said
        raise DatabaseAwayError("the connection was lost while listening")

    @property
    def is_at_rest(self) -> bool:
        """Whether the next may use it: it's open, and in no transaction."""
        return not self._line.is_closed() and not self._line.is_in_transaction()

    def backend_pid(self) -> int:
        """The server's process for it."""
        pid: int = self._line.get_server_pid()
        return pid

    async def close(self) -> None:
        """Say goodbye, and tell the server of a statement that was cancelled; who doesn't answer is left."""
        try:
            await self._line.close(timeout=_CLOSING_SECONDS)
        except _ERRORS:
            self._line.terminate()


def _away(error: Exception) -> DatabaseAwayError:
    return DatabaseAwayError(f"{type(error).__name__}: {error}")


@cache
def numbered(query: str) -> tuple[str, tuple[str, ...]]:
    """The statement as the server takes it, and which value stands for which number."""
    places: dict[str, int] = {}
    text = re.sub(r"%\((\w+)\)s", lambda found: f"${places.setdefault(found[1], len(places) + 1)}", query)
    return text.replace("%%", "%"), tuple(places)


def address_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The driver's arguments for Django's parameters of a connection (libpq's names)."""
    address: dict[str, Any] = {
        "database": settings.get("dbname"),
        "user": settings.get("user"),
        "password": settings.get("password"),
        # Apart, since an IPv6 address in a URL is cut at its first colon.
        "host": str(settings["host"]).split(",") if settings.get("host") else None,
        "port": int(settings["port"]) if settings.get("port") else None,
    }
    named = {name: settings[name] for name in ("options", "sslmode", "sslrootcert") if settings.get(name)}
    if named.get("sslrootcert") == "system":
        # As libpq 16: the system's authorities, and the server's name is checked.
        del named["sslrootcert"]
        named.pop("sslmode", None)
        address["ssl"] = ssl.create_default_context()
    if named:
        address["dsn"] = "postgresql://?" + urlencode(named, quote_via=quote)
    return {name: value for name, value in address.items() if value is not None}


async def connect() -> Database:
    """Open one connection of our own to Django's default database, outside any pool. Raises DATABASE_ERRORS."""
    try:
        line = await asyncpg.connect(
            **address_of(connection.get_connection_params()),
            connection_class=_WatchfulConnection,
            statement_cache_size=_STATEMENTS,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
        )
    except _ERRORS as error:
        raise _away(error) from error
    try:
        for name in ("json", "jsonb"):
            await line.set_type_codec(name, schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
        await line.fetch(_SET, list(_SETTINGS), list(_SETTINGS.values()))
    except _ERRORS as error:
        line.terminate()
        raise _away(error) from error
    except BaseException:
        line.terminate()
        raise
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
        await asyncio.gather(*(one.close() for one in idle))

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
            database = self._idle.pop()
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
        if database.is_at_rest:
            self._idle.append(database)
        else:
            await database.close()
