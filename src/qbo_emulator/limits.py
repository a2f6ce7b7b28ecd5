"""Limits and metering: how many requests pass in a second, in a minute and at once, and which are counted.

All windows slide on the emulator's clock, so that a test need not wait.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from .clock import SECOND, Clock
from .evidence import Mark, rule
from .faults import Fault
from .jsonio import Json

rule("limits.minute", "500 requests a minute for a company", Mark.DOCUMENT, "Intuit REST API features")
rule(
    "limits.second",
    "10 requests a second, and 10 at once, for a company and an app",
    Mark.DOCUMENT,
    "Intuit REST API features; older texts say at once, newer a second: both hold here",
)
rule(
    "limits.batch",
    "40 batches a minute for a company and an app, 120 for a company; each also counts as one request",
    Mark.DOCUMENT,
    "Intuit REST API features",
)
rule(
    "limits.answer",
    "429 with code 3001 in a Fault of type SERVICE, without Retry-After (which can be switched on)",
    Mark.RECORDING,
    "recorded as XML; its JSON form is derived",
)
rule(
    "limits.window",
    "Windows slide, a refused request does not count, and neither does one that is refused for its token",
    Mark.ASSUMPTION,
)
rule(
    "metering",
    "Writes count as Core; reads, queries, change data capture and batches as CorePlus; only answers of 2xx count",
    Mark.DOCUMENT,
    "Intuit App Partner Program; batches by third-party report",
)
rule(
    "metering.quota",
    "With a monthly CorePlus quota set (none by default) further reads answer 429; the text is a guess",
    Mark.ASSUMPTION,
)

_MINUTE = 60 * SECOND


class InvalidLimitError(ValueError):
    """The order for limits is not understood."""


@dataclass(frozen=True, slots=True)
class Limits:
    """None switches a single limit off."""

    enabled: bool = True
    requests_per_minute: int | None = 500
    requests_per_second: int | None = 10
    requests_at_once: int | None = 10
    batches_per_minute: int | None = 40
    company_batches_per_minute: int | None = 120
    core_plus_per_month: int | None = None
    retry_after_seconds: int | None = None

    def changed(self, body: Json) -> "Limits":
        """These limits with some replaced; raises InvalidLimitError."""
        known = {field.name for field in fields(self)}
        if set(body) - known:
            raise InvalidLimitError(f"known: {', '.join(sorted(known))}")
        for name, value in body.items():
            if name == "enabled":
                if not isinstance(value, bool):
                    raise InvalidLimitError("enabled is true or false")
            elif value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise InvalidLimitError(f"{name} is a whole number, or null for none")
        return replace(self, **body)

    def as_json(self) -> Json:
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Ticket(NamedTuple):
    """A request that was let in, to be handed back when it is answered."""

    realm: str
    client_id: str


class _Window:
    """The moments of what happened within a span that slides."""

    def __init__(self, span: int) -> None:
        self._span = span
        self._moments: deque[int] = deque()

    def is_full(self, now: int, limit: int | None) -> bool:
        if limit is None:
            return False
        while self._moments and self._moments[0] <= now - self._span:
            self._moments.popleft()
        return len(self._moments) >= limit

    def count(self, now: int) -> None:
        self._moments.append(now)


class Meter:
    """Core and CorePlus calls by company and month."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])

    def _month(self) -> str:
        return self._clock.today().isoformat()[:7]

    def count(self, realm: str, *, is_core_plus: bool) -> None:
        self._counts[(realm, self._month())][is_core_plus] += 1

    def core_plus(self, realm: str) -> int:
        """Metered calls of this month."""
        return self._counts.get((realm, self._month()), [0, 0])[1]

    def clear(self) -> None:
        self._counts.clear()

    def as_json(self) -> list[Json]:
        return [
            {"realm_id": realm, "month": month, "core": core, "core_plus": core_plus}
            for (realm, month), (core, core_plus) in sorted(self._counts.items())
        ]


def is_core_plus(method: str, resource: str) -> bool:
    """Whether a call is metered: everything that takes data out of QuickBooks, and batches."""
    return method == "GET" or resource in {"query", "batch", "cdc", "reports"}


class Throttle:
    """Lets requests in, or refuses them with 3001."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self.limits = limits
        self.meter = Meter(clock)
        self._clock = clock
        self._running: dict[Ticket, int] = defaultdict(int)
        self._windows: dict[tuple[str, ...], _Window] = {}

    def clear(self) -> None:
        """Forget what was counted."""
        self._windows.clear()
        self.meter.clear()

    def enter(self, realm: str, client_id: str, *, method: str, resource: str) -> Ticket:
        """Count a request in; raises Fault 3001."""
        ticket = Ticket(realm, client_id)
        if self.limits.enabled:
            self._check(ticket, method, resource)
        self._running[ticket] += 1
        return ticket

    def leave(self, ticket: Ticket) -> None:
        self._running[ticket] -= 1
        if not self._running[ticket]:
            del self._running[ticket]

    def _check(self, ticket: Ticket, method: str, resource: str) -> None:
        limits, now = self.limits, self._clock.nanoseconds()
        at_once = limits.requests_at_once
        if at_once is not None and self._running.get(ticket, 0) >= at_once:
            raise exceeded()
        windows = [
            (self._window(_MINUTE, ticket.realm), limits.requests_per_minute),
            (self._window(SECOND, *ticket), limits.requests_per_second),
        ]
        if resource == "batch":
            windows.append((self._window(_MINUTE, "batch", *ticket), limits.batches_per_minute))
            windows.append((self._window(_MINUTE, "batch", ticket.realm), limits.company_batches_per_minute))
        if any(window.is_full(now, limit) for window, limit in windows):
            raise exceeded()
        quota = limits.core_plus_per_month
        if quota is not None and is_core_plus(method, resource) and self.meter.core_plus(ticket.realm) >= quota:
            raise Fault(3001, "The monthly quota of CorePlus calls was reached.")
        for window, _ in windows:
            window.count(now)

    def _window(self, span: int, *key: str) -> _Window:
        return self._windows.setdefault(key, _Window(span))


def exceeded() -> Fault:
    return Fault(3001, "The request limit was reached.  Try again later")
