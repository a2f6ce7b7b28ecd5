"""The emulator's clock: real time until a test moves it or lets it run faster, and the two ways QuickBooks writes time.

All times in answers carry the offset of US Pacific time, whatever the company's own zone is (as recorded).
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from time import time_ns

from .jsonio import Json

_STANDARD = timezone(timedelta(hours=-8))
_DAYLIGHT = timezone(timedelta(hours=-7))
SECOND = 10**9  # in nanoseconds
# Dates of a far future would break whoever reads them, us among them.
_END = 4_102_444_800 * SECOND


def _sunday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))


def pacific(moment: datetime) -> datetime:
    """The moment in US Pacific time; computed here so that no zone database is needed."""
    year = moment.astimezone(UTC).year
    starts = datetime.combine(_sunday(year, 3, 2), datetime.min.time(), UTC) + timedelta(hours=10)
    ends = datetime.combine(_sunday(year, 11, 1), datetime.min.time(), UTC) + timedelta(hours=9)
    return moment.astimezone(_DAYLIGHT if starts <= moment < ends else _STANDARD)


def read_moment(text: str) -> datetime | None:
    """A moment as clients write it: Z, an offset, none, milliseconds, a plain date; None when it is none of these."""
    # A plus sign that was not encoded arrives as a blank before the offset.
    cleaned = re.sub(r" (\d\d:?\d\d)$", r"+\1", text.strip())
    try:
        moment = datetime.fromisoformat(cleaned)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Clock:
    """Shows real time, or what was real so long ago; a test may move it forward, at a speed which it may raise."""

    def __init__(self, *, behind_seconds: int = 0) -> None:
        self._behind = behind_seconds * SECOND
        self._shown = -self._behind
        self._real = 0
        self.speed = 1
        self.on_change: list[Callable[[], None]] = []

    def nanoseconds(self) -> int:
        """Nanoseconds since 1970, on this clock; it stands still at the end of 2099."""
        return min(self._shown + (time_ns() - self._real) * self.speed, _END)

    def now(self) -> datetime:
        seconds, nanoseconds = divmod(self.nanoseconds(), SECOND)
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=nanoseconds // 1000)

    def epoch(self) -> int:
        """Whole seconds since 1970, on this clock."""
        return self.nanoseconds() // SECOND

    @property
    def offset_seconds(self) -> int:
        """How far this clock is ahead of real time."""
        return (self.nanoseconds() - time_ns() + SECOND // 2) // SECOND

    async def wait(self, seconds: int) -> None:
        """Let so many seconds pass on this clock; a jump or another speed shortens the wait."""
        due = self.nanoseconds() + seconds * SECOND
        changed = asyncio.Event()
        self.on_change.append(changed.set)
        try:
            while (left := due - self.nanoseconds()) > 0:
                changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(1, left // self.speed // 10**6) / 1000):
                        await changed.wait()
        finally:
            self.on_change.remove(changed.set)

    def _set(self, shown: int, speed: int) -> None:
        self._shown, self._real, self.speed = shown, time_ns(), speed
        for tell in self.on_change:
            tell()

    def jump(self, by: timedelta) -> None:
        self._set(self.nanoseconds() + int(by.total_seconds()) * SECOND, self.speed)

    def run(self, speed: int) -> None:
        """Let so many seconds pass in each real one."""
        self._set(self.nanoseconds(), speed)

    def start_over(self) -> None:
        """Show again what it shows in a new emulator."""
        self._set(time_ns() - self._behind, 1)

    def as_fact(self) -> Json:
        """What the journal keeps; a clock that ran fast before a restart has gone on running."""
        return {"shown": self._shown, "real": self._real, "speed": self.speed}

    def load(self, fact: Json) -> None:
        if "speed" in fact:
            self._shown, self._real, self.speed = int(fact["shown"]), int(fact["real"]), int(fact["speed"])
        else:
            self.jump(timedelta(seconds=int(fact["offset_seconds"])))

    def today(self) -> date:
        """The date a transaction without TxnDate gets."""
        return pacific(self.now()).date()

    def stamp(self) -> str:
        """MetaData form: seconds and offset, no fraction."""
        return pacific(self.now()).isoformat(timespec="seconds")

    def envelope(self) -> str:
        """Envelope form: milliseconds and offset."""
        return pacific(self.now()).isoformat(timespec="milliseconds")
