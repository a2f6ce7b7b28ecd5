"""Runs as pages and the API show them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from cone.accounting.port.documents import Kind
from cone.accounting.preview.values import CurrencySum
from cone.kit.money import Money

RunState: TypeAlias = Literal["running", "finished", "cancelled", "undoing", "undone"]
UndoBy: TypeAlias = Literal["void", "delete"]
# What keeps a run from moving; "" where nothing does. First what has to be mended first.
Halt: TypeAlias = Literal["", "disconnected", "reconnect", "read_only", "paused", "allowance"]


@dataclass(frozen=True, slots=True)
class Progress:
    """done + failed + left = total. `time_left` is None when nothing moves: paused, held, not connected, over."""

    total: int
    done: int
    failed: int
    left: int
    dropped: int
    time_left: timedelta | None = None

    @property
    def asked(self) -> int:
        """All that the run began with: what was dropped since, too."""
        return self.total + self.dropped


@dataclass(frozen=True, slots=True)
class UndoProgress:
    """done + refused + left = total. `time_left` is None when nothing moves, as in `Progress`."""

    by: UndoBy
    total: int
    done: int
    refused: int
    left: int
    time_left: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A record that didn't turn out as foreseen, or that wasn't taken back (then `why` says so)."""

    kind: Kind
    uuid: UUID
    label: str
    why: str
    predicted: Money | None = None
    actual: Money | None = None


@dataclass(frozen=True, slots=True)
class RunHead:
    """Which run it is, and how it stands. `halt`: what keeps its company's runs of that state from moving."""

    uuid: UUID
    from_date: date
    state: RunState
    started_by: str
    started_at: datetime
    halt: Halt = ""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in a list: of its invoices and payments, how many are to go, and need attention; of those to be taken
    back, how many are to go, and were refused.
    """

    head: RunHead
    left: int = 0
    failed: int = 0
    undo_left: int = 0
    refused: int = 0

    @property
    def halt(self) -> Halt:
        """What it waits for, where something of it is to go, or under way still though it was stopped."""
        to_go = {"running": self.left, "cancelled": self.left, "undoing": self.undo_left}.get(self.head.state)
        return self.head.halt if to_go else ""


@dataclass(frozen=True, slots=True)
class RunView:
    """One run. `compared_count` have arrived and can be compared, `as_predicted` of them turned out as foreseen."""

    head: RunHead
    ended_at: datetime | None
    progress: Progress
    compared_count: int
    as_predicted: int
    differing: tuple[Compared, ...]
    undo: UndoProgress | None
    refused: tuple[Compared, ...]
    customers_made: int
    services_made: int

    @property
    def row(self) -> RunRow:
        """What a list says of it."""
        undo = self.undo
        return RunRow(
            head=self.head,
            left=self.progress.left,
            failed=self.progress.failed,
            undo_left=undo.left if undo else 0,
            refused=undo.refused if undo else 0,
        )

    @property
    def is_moving(self) -> bool:
        """Whether a page should look again soon."""
        return self.head.state in ("running", "undoing") or (self.head.state == "cancelled" and self.progress.left > 0)

    @property
    def may_stop(self) -> bool:
        """Whether a person may stop it: not where its company isn't connected, and nothing of it could leave anyway."""
        return self.head.state == "running" and self.head.halt != "disconnected"

    @property
    def differing_count(self) -> int:
        """How many turned out otherwise; `differing` names the first of them."""
        return self.compared_count - self.as_predicted

    @property
    def can_undo(self) -> bool:
        """Whether it can be taken back."""
        return self.head.state in ("finished", "cancelled") and self.progress.done > 0


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What undoing a run would do, as far as it's known without a look there. `suggested` is how, unless chosen."""

    take_back_count: int
    sums: tuple[CurrencySum, ...]
    kept: tuple[Compared, ...]
    kept_count: int
    waiting_count: int
    customers_made: int
    services_made: int
    suggested: UndoBy
