"""The memory of request ids: what a repeated write answers, and the policies for what nobody documents.

The default is what documents and reports say: an answer is remembered for ever and given again, faults are not.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from .books import Books
from .clock import Clock, read_moment
from .evidence import Mark, rule
from .faults import Fault
from .jsonio import Json
from .store import Replay

rule(
    "requestid.replay",
    "A repeated request id answers the first answer verbatim, also after a deletion",
    Mark.REPORT,
    "Intuit documents the repeat; the replay after deletion was seen live in 2026",
)
rule(
    "requestid.retention",
    "Request ids are remembered for ever; a policy forgets them after some seconds, or ignores them",
    Mark.ASSUMPTION,
)
rule("requestid.faults", "Faults are not remembered: the repeat is executed; a policy replays them", Mark.ASSUMPTION)
rule(
    "requestid.running",
    "A repeat waits while the first is still executing; a policy executes it as well",
    Mark.ASSUMPTION,
)
rule(
    "requestid.body",
    "Another body under a known request id gets the original answer; a policy refuses it (600)",
    Mark.ASSUMPTION,
    "code 600 is in Intuit's error table",
)
rule("requestid.length", "At most 50 characters (2130), 36 in a batch", Mark.DOCUMENT, "Intuit basic field definitions")
rule(
    "lookup.lag",
    "Queries and change data see a record at once; a policy hides what was created in the newest seconds, but never "
    "from a read by its id, which only the answer to its creation can have told",
    Mark.ASSUMPTION,
)


class InvalidPolicyError(ValueError):
    """The order for a policy is not understood."""


@dataclass(frozen=True, slots=True)
class RequestIdPolicy:
    """remembered: "forever", "ignored" or seconds on the emulator's clock; the others are pairs of words."""

    remembered: str | int = "forever"
    faults: str = "executed"
    running: str = "waits"
    other_body: str = "original"
    lookups_blind_seconds: int = 0

    def changed(self, body: Json) -> RequestIdPolicy:
        """This policy with some parts replaced; raises InvalidPolicyError."""
        for name, value in body.items():
            if name not in _CHOICES:
                raise InvalidPolicyError(f"known: {', '.join(_CHOICES)}")
            words = _CHOICES[name]
            is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
            if not (value in words or (is_count and name in _COUNTED)):
                known = [*words, *(["a whole number of seconds"] if name in _COUNTED else [])]
                raise InvalidPolicyError(f"{name} is one of: {', '.join(known)}")
        return replace(self, **body)

    def as_json(self) -> Json:
        return {name: getattr(self, name) for name in _CHOICES}


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "remembered": ("forever", "ignored"),
    "faults": ("executed", "replayed"),
    "running": ("waits", "executes"),
    "other_body": ("original", "refused"),
    "lookups_blind_seconds": (),
}
_COUNTED = frozenset({"remembered", "lookups_blind_seconds"})


def digest(*parts: bytes) -> str:
    """A short fingerprint of a request, to tell another body under the same id."""
    found = hashlib.blake2b(digest_size=12)
    for part in parts:
        found.update(len(part).to_bytes(8))
        found.update(part)
    return found.hexdigest()


@dataclass(slots=True)
class _Queue:
    """Requests of one id: the one that executes and those that wait for it."""

    lock: asyncio.Lock
    length: int = 0


class RequestIds:
    """Recalls answers, keeps them, and lets repeats take turns."""

    def __init__(self, clock: Clock, policy: RequestIdPolicy) -> None:
        self.policy = policy
        self._clock = clock
        self._turns: dict[tuple[str, str], _Queue] = {}

    def recall(self, books: Books, key: str, fingerprint: str) -> Replay | None:
        """The remembered answer, if there is one that still counts; raises Fault 600."""
        if not key or self.policy.remembered == "ignored":
            return None
        found = books.replays.get(key)
        if found is None or self._is_forgotten(found):
            return None
        if found.digest and found.digest != fingerprint and self.policy.other_body == "refused":
            raise Fault(600, f"Duplicate request ID : {key} was used for another request.")
        return found

    def _is_forgotten(self, replay: Replay) -> bool:
        kept = self.policy.remembered
        return isinstance(kept, int) and replay.at + kept <= self._clock.epoch()

    def memo(self, key: str, status: int, body: bytes, fingerprint: str) -> Replay | None:
        """What is to be kept with the changes of a request; nothing without a request id."""
        if not key or self.policy.remembered == "ignored":
            return None
        return Replay(key, status, body, self._clock.epoch(), fingerprint)

    @contextlib.asynccontextmanager
    async def turn(self, realm: str, key: str) -> AsyncIterator[None]:
        """Hold up repeats of the same id until this request is done, if that is the policy."""
        if not key or self.policy.running == "executes" or self.policy.remembered == "ignored":
            yield
            return
        queue = self._turns.setdefault((realm, key), _Queue(asyncio.Lock()))
        queue.length += 1
        try:
            async with queue.lock:
                yield
        finally:
            queue.length -= 1
            if not queue.length:
                del self._turns[(realm, key)]

    def seen(self, books: Books) -> Books:
        """The books as look-ups see them."""
        blind = self.policy.lookups_blind_seconds
        return _Lagging(books, timedelta(seconds=blind)) if blind else books


class _Lagging(Books):
    """Books without what was created in the newest seconds; for reading only."""

    def __init__(self, books: Books, lag: timedelta) -> None:
        super().__init__(books.realm, books.journal, books.clock)
        self.records = books.records
        self.account_balances, self.name_balances = books.account_balances, books.name_balances
        self.quantities = books.quantities
        self._keys, self._highest = books._keys, books._highest
        self._since = books.clock.now() - lag
        self.deleted = {key: at for key, at in books.deleted.items() if self._is_seen(books.last_words.get(key, {}))}

    def _is_seen(self, record: Json) -> bool:
        created = read_moment(str(record.get("MetaData", {}).get("CreateTime", "")))
        return created is None or created <= self._since

    def get(self, entity: str, number: str) -> Json | None:
        record = super().get(entity, number)
        return record if record is not None and self._is_seen(record) else None

    def all(self, entity: str) -> Iterable[Json]:
        return [record for record in super().all(entity) if self._is_seen(record)]
