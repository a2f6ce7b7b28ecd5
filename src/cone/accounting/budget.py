"""The request budget: every request to a company, of lanes and pages alike, takes its turn in one ledger first.

The ledger is a row in the database, counted by the database's clock, so it holds for all processes and survives their
restarts. Live requests go first: a backlog stays within nine tenths of a minute's requests, evenly spaced, and
stands back while live ones have used more than the rest.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from cone.accounting.database import Database
from cone.accounting.port.provider import RequestLimits
from cone.accounting.port.verdicts import Answered, TryLaterError
from cone.accounting.sql import budget as budget_sql

Connect: TypeAlias = Callable[[], AbstractAsyncContextManager[Database]]

_MICROSECOND = timedelta(microseconds=1)
# The event loop's timers count whole milliseconds, and may fire one early: who slept less would only ask again.
_TICK_US = 1000
# A request that was granted its turn still has a way to go: what counts there is when it arrives.
_MARGIN = timedelta(milliseconds=50)
# Bursts: live requests may run ahead of their even pace by a tenth of a minute's; a backlog only while they don't.
_BACKLOG_TENTHS = 9
_BACKLOG_STANDS_BACK_AT = 10
_BATCH_BURST = 8


class Share(StrEnum):
    """Whose request it is: what a person just did (or waits for on a page), or one of many that catch up."""

    LIVE = "live"
    BACKLOG = "backlog"


def turn_values(limits: RequestLimits, *, share: Share, is_batch: bool) -> dict[str, Any]:
    """The limits as the statement counts them, in microseconds.

    One request fewer a second than allowed, in a second that's a little longer: two that were granted a second apart
    may arrive closer together.
    """
    minute = limits.minute // _MICROSECOND
    interval = minute * 10 // (limits.per_minute * _BACKLOG_TENTHS)
    burst = limits.per_minute * (10 - _BACKLOG_TENTHS) // 10
    is_backlog = share is Share.BACKLOG
    return {
        "is_backlog": is_backlog,
        "is_batch": is_batch,
        "per_second": max(limits.per_second - 1, 1),
        "second": (limits.minute / 60 + _MARGIN) // _MICROSECOND,
        "interval": interval,
        "most_owed": interval * (min(_BACKLOG_STANDS_BACK_AT, burst - 1) if is_backlog else burst - 1),
        "batches_per_minute": limits.batches_per_minute,
        "minute": minute + 2 * (_MARGIN // _MICROSECOND),
        "batch_interval": minute // limits.batches_per_minute,
        "most_batches_owed": minute // limits.batches_per_minute * _BATCH_BURST,
    }


@dataclass(frozen=True, slots=True)
class CompanyKey:
    """Which company's budget: limits count per company, whoever asks."""

    provider: str
    environment: str
    company_id: str


class Budget:
    """The turns of one company. `known_id`: its row in the ledger, where it was read before."""

    def __init__(
        self, *, company: CompanyKey, limits: RequestLimits, database: Connect, known_id: int | None = None
    ) -> None:
        self._company = company
        self._limits = limits
        self._database = database
        self._id = known_id
        self._values: dict[tuple[Share, bool], dict[str, Any]] = {}
        # The even pace of our own backlog, mirrored: until then asking would only be told to wait.
        self._owed_until_ns: dict[bool, int] = {False: 0, True: 0}

    async def turn(
        self, share: Share = Share.LIVE, *, is_batch: bool = False, longest: timedelta | None = None
    ) -> None:
        """Return when the next request may leave. Raises TryLaterError when that would take more than `longest`."""
        waited = timedelta()
        while wait := await self.ask(share, is_batch=is_batch):
            waited += wait
            if longest is not None and waited > longest:
                raise TryLaterError(Answered(message="Too many requests are under way; try again in a minute."))
            await asyncio.sleep(wait.total_seconds())

    async def ask(self, share: Share = Share.LIVE, *, is_batch: bool = False) -> timedelta:
        """Take a turn now (zero), or learn how long to wait before asking again."""
        key = share, is_batch
        if key not in self._values:
            self._values[key] = turn_values(self._limits, share=share, is_batch=is_batch)
        values = self._values[key]
        if share is Share.BACKLOG and (early := self._too_early(values, is_batch=is_batch)):
            return early
        async with self._database() as database:
            found = self._id or await self._find(database)
            cursor = await database.execute(budget_sql.TURN, {**values, "budget": found, "now": None})
            row = await cursor.fetchone()
        # Only now that it stands there is it another request's, too.
        self._id = found
        if row is None:
            raise LookupError("the budget's row is gone")
        if not row["wait"] and share is Share.BACKLOG:
            self._owe(values, is_batch=is_batch)
        return _sleepable(row["wait"])

    def _too_early(self, values: dict[str, Any], *, is_batch: bool) -> timedelta:
        now = time.monotonic_ns()
        early = self._owed_until_ns[False] - values["interval"] * 1000 - now
        if is_batch:
            early = max(early, self._owed_until_ns[True] - values["most_batches_owed"] * 1000 - now)
        return _sleepable(max(early, 0) // 1000)

    def _owe(self, values: dict[str, Any], *, is_batch: bool) -> None:
        now = time.monotonic_ns()
        self._owed_until_ns[False] = max(self._owed_until_ns[False], now) + values["interval"] * 1000
        if is_batch:
            self._owed_until_ns[True] = max(self._owed_until_ns[True], now) + values["batch_interval"] * 1000

    async def _find(self, database: Database) -> int:
        key = {
            "provider": self._company.provider,
            "environment": self._company.environment,
            "company_id": self._company.company_id,
        }
        row = await (await database.execute(budget_sql.ENSURE_BUDGET, key)).fetchone()
        if row is None:
            row = await (await database.execute(budget_sql.FIND_BUDGET, key)).fetchone()
        if row is None:
            raise LookupError("the budget's row is gone")
        found: int = row["id"]
        return found


def _sleepable(wait_us: int) -> timedelta:
    return timedelta(microseconds=(wait_us // _TICK_US + 2) * _TICK_US if wait_us else 0)


class TokenSource(Protocol):
    """Where the tokens of one company come from: stored ones, or a fresh grant."""

    @property
    def company_id(self) -> str: ...

    async def token(self) -> str: ...

    async def renew(self, *, rejected: str) -> str: ...


class PacedAccess:
    """A right to talk to one company that takes a turn for every request.

    `paid` turns were taken before, by a lane that wanted to know that a request may leave before it wrote down that it
    leaves. `longest` is how long a page waits for a turn.
    """

    def __init__(
        self,
        tokens: TokenSource,
        budget: Budget,
        *,
        share: Share = Share.LIVE,
        paid: int = 0,
        longest: timedelta | None = None,
    ) -> None:
        self.company_id = tokens.company_id
        self._tokens = tokens
        self._budget = budget
        self.share = share
        self._paid = paid
        self._longest = longest

    async def token(self) -> str:
        return await self._tokens.token()

    async def renew(self, *, rejected: str) -> str:
        return await self._tokens.renew(rejected=rejected)

    async def turn(self) -> None:
        if self._paid:
            self._paid -= 1
            return
        await self._budget.turn(self.share, longest=self._longest)
