"""Notifications on their way: queued, signed, sent, and sent again on the documented ladder."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from qbo_emulator.clock import SECOND, Clock
from qbo_emulator.evidence import Mark, rule
from qbo_emulator.jsonio import Json, MalformedJsonError, decode
from qbo_emulator.store import Journal, Row

from .events import Event, find_events
from .post import NotDeliveredError, post
from .subscription import Subscription

rule(
    "webhook.signature",
    "intuit-signature is the base64 HMAC-SHA256 of the raw body under the verifier token",
    Mark.DOCUMENT,
    "Intuit webhooks",
)
rule(
    "webhook.timeout",
    "An answer other than 200, or none within 3 seconds of real time, is a failure",
    Mark.DOCUMENT,
    "Intuit webhooks",
)
rule(
    "webhook.ladder",
    "Sent again after 10, 20, 30 seconds, 5, 20 minutes, 2, 4, 6 hours, then every 6 hours",
    Mark.DOCUMENT,
    "Intuit webhooks as revised in 2026",
)
rule(
    "webhook.hold-back",
    "With hold_back later notifications wait for the first to be acknowledged; off by default",
    Mark.DOCUMENT,
    "Intuit webhooks",
)
rule(
    "webhook.grouping",
    "The changes of one request are one notification; an app hears of the companies it is connected to",
    Mark.ASSUMPTION,
)
rule("webhook.memory", "Endpoints survive a restart, notifications on their way do not", Mark.ASSUMPTION)

LADDER = (10, 20, 30, 300, 1200, 7200, 14_400, 21_600)
_REMEMBERED = 1000


@dataclass(slots=True)
class Delivery:
    """One notification to one app; `due` is on the emulator's clock, None when it is done."""

    number: int
    subscription: Subscription
    events: tuple[Event, ...]
    body: bytes
    created: str
    due: int | None
    is_duplicate: bool = False
    attempts: list[Json] = field(default_factory=list)
    state: str = "waiting"

    def as_json(self) -> Json:
        try:
            body: object = decode(self.body)
        except MalformedJsonError:
            body = None
        return {
            "number": self.number,
            "client_id": self.subscription.client_id,
            "url": self.subscription.url,
            "format": self.subscription.format,
            "created": self.created,
            "state": self.state,
            "is_duplicate": self.is_duplicate,
            "realm_ids": sorted({event.realm for event in self.events}),
            "events": [f"{event.entity} {event.number} {event.operation}" for event in self.events],
            "attempts": list(self.attempts),
            "body": body,
        }


class Outbox:
    """All apps' endpoints and the notifications on their way; sends from the server's own loop."""

    def __init__(self, clock: Clock, journal: Journal, connected: Callable[[str, str], bool]) -> None:
        """`connected` tells whether an app (client id) is connected to a company (realm)."""
        self.subscriptions: dict[str, Subscription] = {}
        self.deliveries: deque[Delivery] = deque(maxlen=_REMEMBERED)
        self._clock = clock
        self._journal = journal
        self._connected = connected
        self._open: list[Delivery] = []
        self._count = 0
        self.moves = 0  # grows with each notification and each attempt
        self._chance = random.Random(0)  # noqa: S311 - repeatable on purpose
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()
        clock.on_change.append(self._wake.set)

    def load(self, key: str, fact: Json) -> None:
        self.subscriptions[key] = msgspec.convert(fact, Subscription)

    def subscribe(self, subscription: Subscription) -> None:
        self.subscriptions[subscription.client_id] = subscription
        self._chance = random.Random(subscription.seed)  # noqa: S311 - repeatable on purpose
        self._journal.keep_facts([("webhook", subscription.client_id, msgspec.to_builtins(subscription))])

    def unsubscribe(self, client_id: str) -> None:
        self.subscriptions.pop(client_id, None)
        self._open = [each for each in self._open if each.subscription.client_id != client_id]
        self._journal.keep_facts([("webhook", client_id, None)])

    def clear(self) -> None:
        """Forget what was and is to be sent; endpoints stay."""
        self._open.clear()
        self.deliveries.clear()

    def tell(self, realm: str, rows: Iterable[Row], before: Mapping[str, Mapping[str, Json]]) -> None:
        """Queue what a set of changes means to each app; called while the records still are what they were."""
        if not self.subscriptions:
            return
        events = list(find_events(realm, rows, before, self._clock.nanoseconds()))
        for subscription in self.subscriptions.values():
            wanted = tuple(each for each in events if subscription.wants(each))
            if wanted and self._connected(subscription.client_id, realm):
                self._queue(subscription, wanted)

    def _queue(self, subscription: Subscription, events: tuple[Event, ...]) -> None:
        body = subscription.body(events)
        copies = 2 if self._chance.randrange(100) < subscription.duplicates_percent else 1
        for copy in range(copies):
            self._count += 1
            wait = subscription.delay_seconds * SECOND
            if subscription.reorder_seconds:
                wait += self._chance.randrange(subscription.reorder_seconds * SECOND)
            delivery = Delivery(
                number=self._count,
                subscription=subscription,
                events=events,
                body=body,
                created=self._clock.envelope(),
                due=self._clock.nanoseconds() + wait,
                is_duplicate=copy > 0,
            )
            self._open.append(delivery)
            self.deliveries.append(delivery)
        self.moves += 1
        self._wake.set()
        if self._loop is None or self._loop.done():
            self._loop = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        """Send what is due, then sleep until the next or until something changes."""
        while self._open:
            self._wake.clear()
            now = self._clock.nanoseconds()
            waits: list[int] = []
            for delivery, due in self._unheld():
                if due > now:
                    waits.append(due - now)
                    continue
                delivery.state, delivery.due = "sending", None
                task = asyncio.create_task(self._send(delivery))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)
            await self._sleep(min(waits) if waits else None)

    def _unheld(self) -> list[tuple[Delivery, int]]:
        """What waits for its time only; of apps that are held back, the first."""
        found: list[tuple[Delivery, int]] = []
        held: set[str] = set()
        for delivery in self._open:
            client_id = delivery.subscription.client_id
            if delivery.due is not None and client_id not in held:
                found.append((delivery, delivery.due))
            if delivery.subscription.hold_back:
                held.add(client_id)
        return found

    async def _sleep(self, nanoseconds: int | None) -> None:
        milliseconds = None if nanoseconds is None else max(1, nanoseconds // self._clock.speed // 10**6)
        seconds = None if milliseconds is None else milliseconds / 1000
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _send(self, delivery: Delivery) -> None:
        subscription = delivery.subscription
        at, started = self._clock.envelope(), asyncio.get_running_loop().time()
        status, error = 0, ""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "intuit_notifications",
            "intuit-signature": sign(delivery.body, subscription.verifier_token),
            "intuit-t-id": f"webhook-{delivery.number}",
        }
        try:
            async with asyncio.timeout(subscription.timeout_ms / 1000):
                status = await post(subscription.url, headers, delivery.body)
        except TimeoutError:
            error = f"no answer within {subscription.timeout_ms} ms"
        except NotDeliveredError as failure:
            error = str(failure)
        spent = int((asyncio.get_running_loop().time() - started) * 1000)
        self.moves += 1
        delivery.attempts.append({"at": at, "status": status, "error": error, "milliseconds": spent})
        if status == 200:
            delivery.state = "delivered"
            if delivery in self._open:
                self._open.remove(delivery)
        else:
            delivery.state = "waiting"
            step = LADDER[min(len(delivery.attempts), len(LADDER)) - 1]
            delivery.due = self._clock.nanoseconds() + step * SECOND
        self._wake.set()


def sign(body: bytes, verifier_token: str) -> str:
    return base64.b64encode(hmac.new(verifier_token.encode(), body, hashlib.sha256).digest()).decode()
