"""When a lane asks what the clock makes due, and when it's woken for that."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from cone.accounting.alarm import Alarm

SOON = timedelta(milliseconds=10)
LONG = timedelta(hours=1)


class Noting(Alarm):
    """Notes what it calls."""

    def __init__(self) -> None:
        super().__init__(ask=self._note_question, ring=lambda: self.called.append("ring"), ask_after=SOON)
        self.called: list[str] = []
        self._asked = asyncio.Event()

    def _note_question(self) -> None:
        self.called.append("ask")
        self._asked.set()

    async def ask_after_a_look(self) -> None:
        self._asked.clear()
        self.wind()
        async with asyncio.timeout(10):
            await self._asked.wait()
        assert self.must_ask


def happenings(act: Callable[[Noting], Awaitable[None]]) -> list[str]:
    """What an alarm called while it was handled like this, and a while later."""

    async def handle() -> list[str]:
        alarm = Noting()
        await act(alarm)
        await asyncio.sleep(10 * SOON.total_seconds())
        return alarm.called

    return asyncio.run(handle())


def test_alarm_asks_after_a_look_and_rings_when_something_is_due() -> None:
    async def look_and_answer(alarm: Noting) -> None:
        await alarm.ask_after_a_look()
        alarm.set(SOON)
        assert not alarm.must_ask

    assert happenings(look_and_answer) == ["ask", "ring"]


def test_alarm_is_silent_where_nothing_waits_for_a_time() -> None:
    async def look_and_answer(alarm: Noting) -> None:
        await alarm.ask_after_a_look()
        alarm.set(None)
        assert not alarm.must_ask

    assert happenings(look_and_answer) == ["ask"]


def test_alarm_asks_once_however_many_looks_follow_each_other() -> None:
    async def look_often(alarm: Noting) -> None:
        for _ in range(3):
            alarm.wind()

    assert happenings(look_often) == ["ask"]


def test_another_look_takes_back_what_was_answered_and_what_was_to_be_asked() -> None:
    async def look_again(alarm: Noting) -> None:
        await alarm.ask_after_a_look()
        alarm.wind()
        assert not alarm.must_ask
        alarm.set(LONG)
        await alarm.ask_after_a_look()

    assert happenings(look_again) == ["ask", "ask"]


def test_stopped_alarm_neither_asks_nor_rings() -> None:
    async def stop(alarm: Noting) -> None:
        alarm.wind()
        alarm.stop()

    async def stop_when_set(alarm: Noting) -> None:
        alarm.set(SOON)
        alarm.stop()
        alarm.stop()

    assert happenings(stop) == []
    assert happenings(stop_when_set) == []
