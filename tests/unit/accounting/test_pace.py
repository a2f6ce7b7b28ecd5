"""The pace of a company's requests: even, in order, and never ten in one second."""

import asyncio
import time

from cone.accounting.pace import Pace


async def test_turns_are_even_but_for_two_after_a_rest() -> None:
    pace = Pace(interval_ns=20_000_000)
    moments: list[int] = []

    async def take(number: int) -> int:
        await pace.turn()
        moments.append(time.monotonic_ns())
        return number

    order = await asyncio.gather(*(take(number) for number in range(8)))
    assert list(order) == list(range(8))
    started = moments[0]
    # The n-th leaves no earlier than n − 1 intervals after the first; a busy machine only makes it later.
    assert all(moment - started >= (place - 1) * 20_000_000 - 1_000_000 for place, moment in enumerate(moments))


def test_default_keeps_below_both_limits() -> None:
    pace = Pace()
    assert 60_000_000_000 // pace._interval + 2 < 500
    assert 1_000_000_000 // pace._interval + 2 < 10
