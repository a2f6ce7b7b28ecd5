"""What a lane has planned and not yet sent: a short queue, in the order in which things go. Pure.

Short, because what waits here can become old: a record or setting that moves meanwhile has it planned again.
"""

from collections import deque
from collections.abc import Callable, Iterator, Set
from functools import cached_property
from itertools import chain

from cone.accounting.plan.decisions import LookBack, LookUp, Remove, Repeat, Send, TakeBack
from cone.accounting.port.documents import Create, Update
from cone.accounting.records import Reference, Subject
from cone.domain.kinds import WAVES
from cone.kit.values import Value

# So many rows at once are a backlog whoever asked for them; fewer go one by one.
BATCH_FROM = 6

_TRIES_TOGETHER = 3


class Planned(Value, dict=True, gc=True):
    """A due row and the request it needs."""

    subject: Subject
    decision: Send | Repeat | LookUp | Remove | LookBack | TakeBack

    @property
    def row_id(self) -> int:
        """The row's key."""
        return self.subject.row.id

    @property
    def reference(self) -> Reference:
        """The record it's about."""
        return self.subject.reference

    @property
    def is_live(self) -> bool:
        """Whether a person just did it; a backfill's rows come after those."""
        return self.subject.row.priority == 0

    @cached_property
    def can_batch(self) -> bool:
        """Whether it may travel with others: a plain create or update, with nothing to look up first.

        Items go by themselves: nothing of theirs tells ours from the firm's own, which a lost batch needs.
        What has failed a few times goes by itself, so that it can't hold up others again.
        """
        decision = self.decision
        return (
            self.subject.row.tries < _TRIES_TOGETHER
            and self.subject.row.kind != "service"
            and isinstance(decision, Send)
            and not decision.find_first
            and isinstance(decision.step, Create | Update)
        )

    @property
    def batch_id(self) -> int | None:
        """The batch that it was sent in before, if what became of that is to be found out."""
        return self.decision.attempt.batch_id if isinstance(self.decision, Repeat | LookUp) else None

    @property
    def place(self) -> tuple[int, int, int]:
        """Its place in the order: live first, what others refer to first, oldest first."""
        row = self.subject.row
        return row.priority, WAVES[row.kind], row.id


class Ready:
    """Planned rows: a few live ones that go at once, and a backlog that goes as its budget allows."""

    def __init__(self) -> None:
        self._live: deque[Planned] = deque()
        self._backlog: list[Planned] = []

    def __len__(self) -> int:
        return len(self._live) + len(self._backlog)

    def __iter__(self) -> Iterator[Planned]:
        return chain(self._live, self._backlog)

    def add(self, planned: list[Planned]) -> None:
        """Queue what one look planned. Live rows in great number are a backlog like any other."""
        live = [one for one in planned if one.is_live and one.batch_id is None]
        if len(self._live) + len(live) >= BATCH_FROM:
            live = []
        self._live.extend(live)
        self._backlog += [one for one in planned if one not in live]
        self._backlog.sort(key=lambda one: one.place)

    def drop(self, row_ids: Set[int]) -> None:
        """Forget these rows: they're planned anew."""
        self._live = deque(one for one in self._live if one.row_id not in row_ids)
        self._backlog = [one for one in self._backlog if one.row_id not in row_ids]

    def clear(self) -> None:
        """Forget all of it: it's to be planned anew."""
        self._live.clear()
        self._backlog.clear()

    def take_live(self) -> Planned | None:
        """The next that goes at once."""
        return self._live.popleft() if self._live else None

    def count_singles(self) -> int:
        """How many of the backlog can only go by themselves."""
        return sum(not one.can_batch for one in self._backlog)

    def count_batchable(self) -> int:
        """How many of the backlog may travel in a batch."""
        return sum(one.can_batch for one in self._backlog)

    def is_head_live(self) -> bool:
        """Whether the backlog's next is a live one."""
        return bool(self._backlog) and self._backlog[0].is_live

    def take_single(self, *, may_split: bool) -> list[Planned]:
        """The next that goes by itself, or with all that share the batch to be found out; empty when there's none.

        `may_split`: a batchable one will do.
        """
        suited = (one for one in self._backlog if may_split or not one.can_batch)
        if (first := next(suited, None)) is None:
            return []
        if first.batch_id is None:
            return self._take(lambda one: one is first, 1)
        return self._take(lambda one: one.batch_id == first.batch_id, len(self._backlog))

    def take_batch(self, largest: int) -> list[Planned]:
        """The next that travel together."""
        return self._take(lambda one: one.can_batch, largest)

    def _take(self, suits: Callable[[Planned], bool], most: int) -> list[Planned]:
        taken = [one for one in self._backlog if suits(one)][:most]
        ids = {one.row_id for one in taken}
        self._backlog = [one for one in self._backlog if one.row_id not in ids]
        return taken
