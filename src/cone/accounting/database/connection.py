"""How one connection speaks: statements with named values, transactions, and listening.

Whatever goes wrong while a task is cancelled, what the task sees is its cancellation.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

import asyncpg

from cone.accounting.database.errors import DRIVER_ERRORS, DatabaseAwayError, find_away

# A row by the names of its columns; jsonb comes and goes as values.
Found: TypeAlias = Mapping[str, Any]

_NOTHING: Mapping[str, object] = MappingProxyType({})
# How long a goodbye or an undoing may take; after that the line is cut.
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


class Database:
    """One connection. Each statement commits by itself: what belongs together says so with `transaction()`."""

    __slots__ = ("_line",)

    def __init__(self, line: asyncpg.Connection) -> None:
        self._line = line

    async def execute(self, query: str, values: Mapping[str, object] = _NOTHING, /) -> _Rows:
        """Run a statement with `%(name)s` placeholders, and `%%` for a percent sign. Raises DATABASE_ERRORS.

        A value has the type that the statement gives its placeholder: an int for bigint, a str for text, no other.
        """
        text, names = numbered(query)
        arguments = [values[name] for name in names]
        try:
            return _Rows(await self._line.fetch(text, *arguments))
        except DRIVER_ERRORS as error:
            if (lost := self._find_away(error)) is not None:
                raise lost from error
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
        except DRIVER_ERRORS:
            self._line.terminate()

    async def _tell(self, work: Awaitable[None]) -> None:
        try:
            await work
        except DRIVER_ERRORS as error:
            if (lost := self._find_away(error)) is not None:
                raise lost from error
            raise

    def _find_away(self, error: Exception) -> DatabaseAwayError | None:
        """The same as `find_away`, and a lost line is cut."""
        if (lost := find_away(error)) is not None:
            self._line.terminate()
        return lost

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
        except DRIVER_ERRORS:
            self._line.terminate()


@cache
def numbered(query: str) -> tuple[str, tuple[str, ...]]:
    """The statement as the server takes it, and which value stands for which number."""
    places: dict[str, int] = {}
    text = re.sub(r"%\((\w+)\)s", lambda found: f"${places.setdefault(found[1], len(places) + 1)}", query)
    return text.replace("%%", "%"), tuple(places)
