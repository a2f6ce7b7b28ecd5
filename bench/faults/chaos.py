"""What is done to the platform, the workers and the database, all by one chance: orders of faults, acts, kills.

What struck is counted by the emulator's own record of requests, never by what was ordered.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.error import URLError

from bench.faults.cells import Cell
from bench.stand import Emulator

_TOKENS, _REVOCATIONS = "/oauth2/v1/tokens/bearer", "/v2/oauth2/tokens/revoke"
_NO_LIMITS: Mapping[str, object] = {
    "enabled": False,
    "requests_per_minute": None,
    "requests_per_second": None,
    "requests_at_once": None,
    "batches_per_minute": None,
    "company_batches_per_minute": None,
    "core_plus_per_month": None,
    "retry_after_seconds": None,
}
# Percent of all requests that each of these meets, and how much of it is executed late.
_PERCENT_EACH = 3
_BATCHES_CUT_PERCENT = 10
_TOKENS_PERCENT = 12


def list_orders(chance: random.Random, cell: Cell) -> Iterator[Mapping[str, object]]:
    """Faults for the next seconds; every action of the control plane is among them."""
    actions: list[object] = [
        *({"status": status} for status in (500, 502, 503, 504, 429)),
        *({"status_after": status} for status in (500, 503, 504)),
        *("drop_before", "reset", "hang_before", "drop_after", "reset_after", "hang_after", "half_body"),
        "expired_token",
        {"latency_ms": chance.randrange(50, 3000)},
        {"late_answer_ms": chance.randrange(50, 3000)},
        {"late_answer_ms": chance.randrange(3000, 9000)},
    ]
    for action in actions:
        yield _order(chance, action, percent=_PERCENT_EACH)
    for connection in ("dropped", "silent", "dropped", "answered"):
        seconds = chance.randrange(1, 20) if connection == "answered" else chance.randrange(1, 101)
        late = {"execute_late": {"seconds": seconds, "connection": connection}}
        yield _order(chance, late, percent=cell.late_share, match={"method": "POST"})
    cut = {"cut_batch": chance.randrange(1, 29)}
    yield _order(chance, cut, percent=_BATCHES_CUT_PERCENT, match={"entity": "batch"})
    for action in ({"status": 503}, "drop_after", "reset", {"status_after": 500}, "half_body"):
        yield _order(chance, action, percent=_TOKENS_PERCENT, match={"path": _TOKENS})
    yield _order(chance, {"status": 503}, percent=_TOKENS_PERCENT, match={"path": _REVOCATIONS})


def _order(
    chance: random.Random, action: object, *, percent: int, match: Mapping[str, str] | None = None
) -> Mapping[str, object]:
    return {"match": match or {}, "probability": percent, "seed": chance.randrange(1 << 30), "action": action}


@dataclass
class Struck:
    """Faults that really met a request, by kind, as the emulator recorded them; and acts it confirmed."""

    emulator: Emulator
    by_kind: Counter[str]
    last: int = 0

    def look(self) -> None:
        """Take in what was recorded since the last look."""
        for entry in self.emulator.ask("GET", f"requests?since={self.last}")["requests"]:  # type: ignore[attr-defined]  # plain JSON
            self.last = max(self.last, int(entry["number"]))
            if entry["injected"]:
                self.by_kind[str(entry["injected"])] += 1
            elif entry["status"] == 429:
                self.by_kind["quota or limit"] += 1
            elif entry["status"] == 401:
                self.by_kind["token refused"] += 1

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_kind.values())


class Chaos:
    """One chance's plan for one cell: what is ordered of the emulator, step by step."""

    def __init__(self, seed: str, emulator: Emulator, cell: Cell, realms: Sequence[str]) -> None:
        self._chance = random.Random(seed)  # noqa: S311  # a repeatable run, not a secret
        self._emulator = emulator
        self._cell = cell
        self._realms = realms
        self.struck = Struck(emulator, Counter())

    def begin(self) -> None:
        """Set the policy of the cell, and the first faults."""
        self._emulator.ask("POST", "request-ids", dict(self._cell.request_ids))
        self.step()

    def step(self) -> None:
        """Order other faults, and do one of the platform's own acts."""
        self._emulator.ask("DELETE", "faults")
        for order in list_orders(self._chance, self._cell):
            self._emulator.ask("POST", "faults", order)
        if self._cell.changes:
            self._emulator.ask("POST", "request-ids", dict(self._chance.choice(self._cell.changes)))
        self._act()
        self.struck.look()

    def _act(self) -> None:
        realm = self._chance.choice(self._realms)
        act = self._chance.choice(["expire", "expire", "revoke", "quota", "quota", "throttle", "touch", "touch"])
        self._emulator.ask("POST", "limits", dict(_NO_LIMITS))
        if act in ("expire", "revoke"):
            self._emulator.ask("POST", f"tokens/{act}", {"realm_id": realm})
        elif act == "quota":
            self._emulator.ask("POST", "limits", {"enabled": True, "core_plus_per_month": 1})
        elif act == "throttle":
            self._emulator.ask("POST", "limits", {"enabled": True, "requests_per_second": 2, "retry_after_seconds": 2})
        else:
            self._touch(realm)

    def _touch(self, realm: str) -> None:
        """The bookkeeper changes some invoices there, so that our next updates are stale."""
        found = self._emulator.ask("GET", f"dump?realm_id={realm}&entities=Invoice&form=stored")
        invoices = found["companies"][0]["entities"]["Invoice"]  # type: ignore[index]  # plain JSON
        for invoice in self._chance.sample(invoices, min(5, len(invoices))):
            fields = {"CustomerMemo": {"value": f"Seen {self._chance.randrange(1000)}"}}
            try:
                self._emulator.ask(
                    "POST",
                    "act",
                    {"realm_id": realm, "action": "update", "entity": "Invoice", "id": invoice["Id"], "fields": fields},
                )
            except URLError:
                continue  # it was voided or deleted since it was listed

    def end(self) -> None:
        """No more faults; the cell's policy, and what is executed late, stay."""
        self._emulator.ask("DELETE", "faults")
        self._emulator.ask("POST", "limits", dict(_NO_LIMITS))
        self.struck.look()

    def is_over(self) -> bool:
        """Whether nothing is to be executed late any more."""
        return not self._emulator.ask("GET", "faults")["late"]
