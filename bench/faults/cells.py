"""The policies under which the same seeds run: what the platform remembers and shows of what was sent.

None of it is documented by Intuit, so the sync may rely on neither memory: any line that works must be enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# One factor for the emulator's clock and for everything that the client waits for.
SPEED = 6
# What is as old as this is seen however blind looks are.
LONG_SECONDS = 2 * 86_400


@dataclass(frozen=True, slots=True)
class Cell:
    """One policy. `late_share` is how much of what strikes is executed late; `is_blinded`: neither line works."""

    name: str
    says: str
    request_ids: Mapping[str, object] = field(default_factory=dict)
    changes: tuple[Mapping[str, object], ...] = ()
    late_share: int = 1
    is_blinded: bool = False


CELLS = (
    Cell("remembered", "ids are remembered for ever; a repeat of a refused request is tried again"),
    Cell("replayed", "ids are remembered for ever; refusals are answered again, too", {"faults": "replayed"}),
    Cell("forgotten", "ids are forgotten after 60 s", {"remembered": 60}),
    Cell("ignored", "ids are ignored: the look-up alone decides", {"remembered": "ignored"}),
    Cell("blind", "look-ups are blind for 120 s: the id alone decides", {"lookups_blind_seconds": 120}),
    Cell("late", "much is executed 1 to 100 s after the client gave up", {"running": "executes"}, late_share=6),
    Cell(
        "changing",
        "the policy of ids changes at run time",
        changes=(
            {"faults": "replayed", "running": "waits", "other_body": "refused"},
            {"faults": "executed", "running": "executes", "other_body": "original"},
            {"faults": "executed", "running": "waits", "other_body": "refused", "lookups_blind_seconds": 30},
            {"faults": "replayed", "running": "executes", "other_body": "original", "lookups_blind_seconds": 0},
        ),
    ),
    Cell(
        "both blinded",
        "ids are ignored and look-ups are blind: nobody can know",
        {"remembered": "ignored", "lookups_blind_seconds": 86_400},
        is_blinded=True,
    ),
)

QUICK_CELLS = ("ignored", "blind", "both blinded")


@dataclass(frozen=True, slots=True)
class Order:
    """How much of everything happens in a cell."""

    cell: str
    seed: int
    firms: int
    backlog_each: int
    people: int
    pause_ms: int
    seconds: int
    settle_seconds: int
    worker_kills: int
    database_kills: int
    template: str = ""

    @classmethod
    def of(cls, cell: str, *, seed: int, is_quick: bool, template: Path) -> "Order":
        """A cell of the quick run, or of the full one; its database is a copy of the template."""
        if is_quick:
            return cls(
                cell,
                seed,
                3,
                12,
                people=2,
                pause_ms=250,
                seconds=6,
                settle_seconds=180,
                worker_kills=1,
                database_kills=1,
                template=str(template),
            )
        return cls(
            cell,
            seed,
            5,
            170,
            people=4,
            pause_ms=150,
            seconds=90,
            settle_seconds=240,
            worker_kills=8,
            database_kills=3,
            template=str(template),
        )
