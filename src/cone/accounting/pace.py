"""Even pacing of one company's requests, on a monotonic clock."""

import asyncio
import time

_SECOND_NS = 1_000_000_000


class Pace:
    """Lets callers through evenly, in order; after a rest, two may go at once.

    QuickBooks allows 10 requests in any second and 500 in any minute per company (api: limits and throttles). One
    every 135 ms is at most 446 a minute, and with the two after a rest 9 in any second, also when one of them was
    late on its way; the rest is left to what pages ask. Bursts that merely keep the average run into the limit:
    the end of one second's and the beginning of the next one's fall into the same second there.
    """

    def __init__(self, *, interval_ns: int = 135_000_000, after_rest: int = 2) -> None:
        self._interval = interval_ns
        self._leeway = interval_ns * (after_rest - 1)
        self._earliest = 0
        self._turnstile = asyncio.Lock()

    async def turn(self) -> None:
        """Return when the next request may leave."""
        async with self._turnstile:
            now = time.monotonic_ns()
            wait = self._earliest - self._leeway - now
            if wait > 0:
                await asyncio.sleep(wait / _SECOND_NS)
            self._earliest = max(self._earliest, now) + self._interval
