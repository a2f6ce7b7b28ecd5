"""What a fault on order does to a request around its work: the waits before it, and the end of the connection after."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.types import Receive, Scope, Send

from . import transport
from .clock import Clock

if TYPE_CHECKING:
    from .control.injections import Injection
    from .control.recorder import Entry
    from .jsonio import Json


@dataclass(frozen=True, slots=True)
class Line:
    """The connection of one request."""

    scope: Scope
    receive: Receive
    send: Send

    async def until_left(self) -> None:
        """Wait until the client has gone; the body must have been read."""
        while (await self.receive())["type"] != "http.disconnect":
            pass


class LateWork:
    """Requests whose clients were let go and whose work is still to be done."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[asyncio.Task[None], tuple[Entry, Injection]] = {}

    def start(self, entry: Entry, order: Injection, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._open[task] = (entry, order)
        task.add_done_callback(lambda done: self._open.pop(done, None))

    def clear(self) -> None:
        """Give up what has not been done."""
        for task in self._open:
            task.cancel()
        # They end a moment later; nobody is to be told of them meanwhile.
        self._open.clear()

    def as_json(self) -> list[Json]:
        return [
            {"request": entry.number, "method": entry.method, "path": entry.path, "seconds": order.value}
            for entry, order in self._open.values()
        ]


async def ends_before_work(order: Injection, line: Line) -> bool:
    """True when the order ends the request before anything is done."""
    if order.action == "drop_before":
        await transport.drop(line.scope)
    elif order.action == "reset":
        await transport.reset(line.scope)
    elif order.action == "hang_before":
        await line.until_left()
    else:
        return False
    return True


async def let_go(order: Injection, line: Line) -> None:
    """End the connection, or leave the client without an answer until it gives up."""
    if order.connection == "dropped":
        await transport.drop(line.scope)
    else:
        await line.until_left()


async def delay(order: Injection, clock: Clock, left: asyncio.Event | None) -> None:
    """What passes before the work is done; `left` says that the client has been let go."""
    if order.action == "latency_ms":
        await asyncio.sleep(order.value / 1000)
    elif order.action == "execute_late":
        if left is not None:
            await left.wait()
        await clock.wait(order.value)


async def ends_after_work(order: Injection, line: Line, *, status: int, body: bytes) -> bool:
    """True when the order keeps the answer, or a part of it, from the client."""
    if order.action in {"drop_after", "cut_batch"}:
        await transport.drop(line.scope)
    elif order.action == "reset_after":
        await transport.reset(line.scope)
    elif order.action == "hang_after":
        await line.until_left()
    elif order.action == "half_body":
        await transport.send_half(line.scope, line.send, status=status, body=body)
    else:
        if order.action == "late_answer_ms":
            await asyncio.sleep(order.value / 1000)
        return False
    return True
