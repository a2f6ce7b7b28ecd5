"""Faults on order: which requests they meet, and what happens to those."""

import random
import re
from dataclasses import dataclass, field
from typing import Any

from qbo_emulator.jsonio import Json

PLAIN = (
    "drop_after",
    "drop_before",
    "hang_after",
    "hang_before",
    "reset",
    "reset_after",
    "half_body",
    "expired_token",
)
# Actions with a number, and its lowest and highest value.
COUNTED = {
    "status": (200, 599),
    "status_after": (200, 599),
    "latency_ms": (0, 600_000),
    "late_answer_ms": (0, 600_000),
    "cut_batch": (0, 30),
    "execute_late": (1, 86_400),
}
# A refusal of one's own: what a `fault` must say, and what it may.
FAULT = ("code", "message", "detail", "element", "type", "status")
# How the connection behaves while a late execution is outstanding.
CONNECTIONS = ("dropped", "silent", "answered")
_MATCHES = ("path", "entity", "method", "operation", "realm_id")


class InvalidInjectionError(ValueError):
    """The order for a fault is not understood."""


@dataclass(slots=True)
class Injection:
    """One order: a match, when it strikes, what it does."""

    number: int
    match: dict[str, str]
    action: str
    value: int
    connection: str
    nth: int | None
    every: int | None
    count: int | None
    probability: int | None
    seed: int
    fault: Json | None = None
    seen: int = 0
    struck: int = 0
    chance: random.Random = field(default_factory=random.Random)

    def strikes(self, *, path: str, method: str, query: dict[str, str]) -> bool:
        """Whether this request is hit; counts what it looks at."""
        if not self._matches(path, method, query):
            return False
        self.seen += 1
        if self.count is not None and self.struck >= self.count:
            return False
        if self.nth is not None and self.seen != self.nth:
            return False
        if self.every is not None and self.seen % self.every:
            return False
        if self.probability is not None and self.chance.randrange(100) >= self.probability:
            return False
        self.struck += 1
        return True

    def _matches(self, path: str, method: str, query: dict[str, str]) -> bool:
        parts = path.split("/")
        facts = {
            "method": method,
            "realm_id": parts[3] if len(parts) > 3 else "",
            "entity": parts[4] if len(parts) > 4 else "",
            "operation": query.get("operation", ""),
        }
        for key, wanted in self.match.items():
            if key == "path":
                if re.search(wanted, path) is None:
                    return False
            elif facts[key].lower() != wanted.lower():
                return False
        return True

    def as_json(self) -> Json:
        return {
            "id": self.number,
            "match": self.match,
            "action": self.action,
            "value": self.value,
            "connection": self.connection,
            "fault": self.fault,
            "nth": self.nth,
            "every": self.every,
            "count": self.count,
            "probability": self.probability,
            "seed": self.seed,
            "seen": self.seen,
            "struck": self.struck,
        }


class Injections:
    """All open orders; the first that strikes wins."""

    def __init__(self) -> None:
        self.open: list[Injection] = []
        self._last = 0

    def order(self, body: Json) -> Injection:
        """Take an order; raises InvalidInjectionError."""
        unknown = set(body) - {"match", "nth", "every", "count", "probability", "seed", "action"}
        if unknown:
            raise InvalidInjectionError(f"unknown members: {', '.join(sorted(unknown))}")
        match = body.get("match") or {}
        if not isinstance(match, dict) or set(match) - set(_MATCHES):
            raise InvalidInjectionError(f"match takes {', '.join(_MATCHES)}")
        try:
            re.compile(str(match.get("path", "")))
        except re.error as error:
            raise InvalidInjectionError(f"path is no regular expression: {error}") from error
        fault = _fault(body.get("action"))
        action, value, connection = ("fault", 0, "") if fault else _action(body.get("action"))
        every, probability = _whole(body, "every"), _whole(body, "probability")
        if every == 0 or (probability is not None and probability > 100):
            raise InvalidInjectionError("every is 1 or more, and probability a percentage")
        if action == "cut_batch":
            match = {**match, "entity": "batch"}
        self._last += 1
        seed = _whole(body, "seed") or 0
        injection = Injection(
            number=self._last,
            match={key: str(each) for key, each in match.items()},
            action=action,
            value=value,
            connection=connection,
            nth=_whole(body, "nth"),
            every=every,
            count=_whole(body, "count"),
            probability=probability,
            seed=seed,
            fault=fault,
            chance=random.Random(seed),  # noqa: S311 - repeatable on purpose
        )
        self.open.append(injection)
        return injection

    def take(self, *, path: str, method: str, query: dict[str, str]) -> Injection | None:
        return next((each for each in self.open if each.strikes(path=path, method=method, query=query)), None)

    def take_named(self, *, path: str, method: str) -> Injection | None:
        """For requests outside the accounting API: only orders that name a path can hit them."""
        named = (each for each in self.open if "path" in each.match)
        return next((each for each in named if each.strikes(path=path, method=method, query={})), None)

    def clear(self) -> None:
        self.open.clear()


def _fault(given: Any) -> Json | None:
    """The refusal of {"fault": {"code": …, "message": …, "detail": …}}; None for other actions."""
    if not isinstance(given, dict) or set(given) != {"fault"}:
        return None
    fault = given["fault"]
    if not isinstance(fault, dict) or set(fault) - set(FAULT) or not {"code", "message"} <= set(fault):
        raise InvalidInjectionError(f"fault takes {', '.join(FAULT)}; code and message must be there")
    status = fault.get("status", 400)
    if isinstance(status, bool) or not isinstance(status, int) or not 400 <= status <= 599:
        raise InvalidInjectionError("a fault's status is 400..599")
    return {**{name: str(text) for name, text in fault.items()}, "status": status}


def _action(given: Any) -> tuple[str, int, str]:
    """An action is a name, or an object of one name and its number: {"status": 503}, {"latency_ms": 200}."""
    if isinstance(given, str) and given in PLAIN:
        return given, 0, ""
    if isinstance(given, dict) and len(given) == 1:
        name, value = next(iter(given.items()))
        if name in PLAIN and value is True:
            return name, 0, ""
        connection = ""
        if name == "execute_late":
            connection = "dropped"
            if isinstance(value, dict) and set(value) <= {"seconds", "connection"}:
                connection, value = value.get("connection", connection), value.get("seconds")
        lowest, highest = COUNTED.get(str(name), (1, 0))
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if is_whole and lowest <= value <= highest and connection in {"", *CONNECTIONS}:
            return name, value, connection
    counted = ", ".join(f'{{"{name}": {low}..{high}}}' for name, (low, high) in COUNTED.items())
    raise InvalidInjectionError(
        f'action is {counted}, {{"fault": {{"code": …, "message": …}}}}, '
        f"or one of {', '.join(PLAIN)}; execute_late may be "
        f'{{"seconds": n, "connection": one of {", ".join(CONNECTIONS)}}}'
    )


def _whole(body: Json, name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInjectionError(f"{name} is a whole number")
    return value
