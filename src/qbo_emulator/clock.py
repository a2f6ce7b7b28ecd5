"""The emulator's clock: real time plus a jump, and the two ways QuickBooks writes time.

All times in answers carry the offset of US Pacific time, whatever the company's own zone is (as recorded).
"""

from datetime import UTC, date, datetime, timedelta, timezone
from time import time_ns

_STANDARD = timezone(timedelta(hours=-8))
_DAYLIGHT = timezone(timedelta(hours=-7))
_NANOSECONDS = 10**9


def _sunday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))


def pacific(moment: datetime) -> datetime:
    """The moment in US Pacific time; computed here so that no zone database is needed."""
    year = moment.astimezone(UTC).year
    starts = datetime.combine(_sunday(year, 3, 2), datetime.min.time(), UTC) + timedelta(hours=10)
    ends = datetime.combine(_sunday(year, 11, 1), datetime.min.time(), UTC) + timedelta(hours=9)
    return moment.astimezone(_DAYLIGHT if starts <= moment < ends else _STANDARD)


class Clock:
    """Real time plus an offset that a test may move forward."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        seconds, nanoseconds = divmod(time_ns(), _NANOSECONDS)
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=nanoseconds // 1000) + self.offset

    def epoch(self) -> int:
        """Whole seconds since 1970, on this clock."""
        return time_ns() // _NANOSECONDS + int(self.offset.total_seconds())

    def jump(self, by: timedelta) -> None:
        self.offset += by

    def today(self) -> date:
        """The date a transaction without TxnDate gets."""
        return pacific(self.now()).date()

    def stamp(self) -> str:
        """MetaData form: seconds and offset, no fraction."""
        return pacific(self.now()).isoformat(timespec="seconds")

    def envelope(self) -> str:
        """Envelope form: milliseconds and offset."""
        return pacific(self.now()).isoformat(timespec="milliseconds")
