"""Even pacing of one company's requests: at most so many a second, on a monotonic clock."""

import asyncio
import time
from collections import deque

_SECOND_NS = 1_000_000_000


class Pace:
    """Lets `per_second` callers through in any one second; the others wait their turn in order.

    QuickBooks allows 10 requests a second and 500 a minute per company (api: limits and throttles); eight a second
    keeps below both and leaves room for what web pages ask.
    """

    def __init__(self, *, per_second: int = 8) -> None:
        self._per_second = per_second
        self._recent: deque[int] = deque()
        self._turnstile = asyncio.Lock()

    async def turn(self) -> None:
        """Return when the next request may leave."""
        async with self._turnstile:
            now = time.monotonic_ns()
            while self._recent and now - self._recent[0] >= _SECOND_NS:
                self._recent.popleft()
            if len(self._recent) >= self._per_second:
                wait_ns = _SECOND_NS - (now - self._recent[0])
                await asyncio.sleep(wait_ns / _SECOND_NS)
                self._recent.popleft()
            self._recent.append(time.monotonic_ns())
