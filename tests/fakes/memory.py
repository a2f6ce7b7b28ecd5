"""What the in-memory platform remembers of requests, and what it still has to do: all of it can be made older."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cone.accounting.port.provider import WireRequest


@dataclass(frozen=True, slots=True)
class LateWrite:
    """A write that is done long after its sender gave up."""

    due_at: datetime
    company_id: str
    request: WireRequest
    request_id: str


class RequestMemory:
    """Since when request ids are known, for how long they are, and the writes that are done late."""

    def __init__(self) -> None:
        self.is_kept = True
        self.kept_for: timedelta | None = None
        self._known_since: dict[str, datetime] = {}
        self._late: list[LateWrite] = []

    def note(self, request_id: str, at: datetime) -> None:
        """An id is known from now on."""
        self._known_since[request_id] = at

    def knows(self, request_id: str, at: datetime) -> bool:
        """Whether a repeat of an answered request would be answered with the first answer."""
        if not self.is_kept:
            return False
        return self.kept_for is None or self._known_since.get(request_id, at) + self.kept_for > at

    def do_later(self, late: LateWrite) -> None:
        """Have a write done at its time."""
        self._late.append(late)

    def age(self, by: timedelta) -> None:
        """Let so much time pass."""
        self._known_since = {request_id: at - by for request_id, at in self._known_since.items()}
        self._late = [replace(late, due_at=late.due_at - by) for late in self._late]

    def take_due(self) -> list[LateWrite]:
        """The late writes whose time has come, oldest first."""
        now = datetime.now(UTC)
        due = [late for late in self._late if late.due_at <= now]
        self._late = [late for late in self._late if late.due_at > now]
        return sorted(due, key=lambda late: late.due_at)
