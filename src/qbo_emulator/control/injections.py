"""Faults on order: which requests they meet, and what happens to those."""

import random
import re
from dataclasses import dataclass, field
from typing import Any

from qbo_emulator.jsonio import Json

ACTIONS = ("status", "latency_ms", "drop_after", "drop_before", "reset", "half_body", "expired_token")
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
    nth: int | None
    count: int | None
    probability: int | None
    seed: int
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
            "nth": self.nth,
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
        unknown = set(body) - {"match", "nth", "count", "probability", "seed", "action"}
        if unknown:
            raise InvalidInjectionError(f"unknown members: {', '.join(sorted(unknown))}")
        match = body.get("match") or {}
        if not isinstance(match, dict) or set(match) - set(_MATCHES):
            raise InvalidInjectionError(f"match takes {', '.join(_MATCHES)}")
        try:
            re.compile(str(match.get("path", "")))
        except re.error as error:
            raise InvalidInjectionError(f"path is no regular expression: {error}") from error
        action, value = _action(body.get("action"))
        self._last += 1
        seed = _whole(body, "seed") or 0
        injection = Injection(
            number=self._last,
            match={key: str(each) for key, each in match.items()},
            action=action,
            value=value,
            nth=_whole(body, "nth"),
            count=_whole(body, "count"),
            probability=_whole(body, "probability"),
            seed=seed,
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


def _action(given: Any) -> tuple[str, int]:
    """An action is a name, or an object of one name and its number: {"status": 503}, {"latency_ms": 200}."""
    if isinstance(given, str) and given in ACTIONS and given not in {"status", "latency_ms"}:
        return given, 0
    if isinstance(given, dict) and len(given) == 1:
        name, value = next(iter(given.items()))
        if name in {"status", "latency_ms"} and isinstance(value, int) and not isinstance(value, bool):
            lowest, highest = (200, 599) if name == "status" else (0, 600_000)
            if lowest <= value <= highest:
                return name, value
        if name in ACTIONS and value is True and name not in {"status", "latency_ms"}:
            return name, 0
    raise InvalidInjectionError(
        'action is {"status": 400..599}, {"latency_ms": n}, or one of drop_after, drop_before, reset, half_body, '
        "expired_token"
    )


def _whole(body: Json, name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInjectionError(f"{name} is a whole number")
    return value
