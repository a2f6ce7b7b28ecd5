"""A lane's clock: rows become due by time alone, and while a lane works nothing but this tells it.

When that will be is a question to the database, and what it's answered moves with each look. So it's asked only once a
lane has been at work a moment since its last look: most are done by then.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

_ASK_AFTER = timedelta(seconds=1)


class Alarm:
    """Set anew by each look: it calls `ask` a moment later, and `ring` when what was answered has come."""

    def __init__(self, *, ask: Callable[[], None], ring: Callable[[], None], ask_after: timedelta = _ASK_AFTER) -> None:
        self._ask = ask
        self._ring = ring
        self._ask_after = ask_after
        self._timer: asyncio.TimerHandle | None = None
        self._must_ask = False

    @property
    def must_ask(self) -> bool:
        """Whether it's to be asked now when something will be due, and told by `set`."""
        return self._must_ask

    def wind(self) -> None:
        """There was a look: whatever was known of the time before is old."""
        self._call_after(self._ask_after, self._come_to_ask)

    def set(self, due: timedelta | None) -> None:
        """Ring after this long; not at all where nothing waits for a time."""
        self.stop()
        if due is not None:
            self._call_after(due, self._ring)

    def stop(self) -> None:
        """Neither ask nor ring until the next look."""
        self._must_ask = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _come_to_ask(self) -> None:
        self._must_ask = True
        self._ask()

    def _call_after(self, delay: timedelta, call: Callable[[], None]) -> None:
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(delay.total_seconds(), call)
