"""The states of a run, as a table; and how it ends."""

from collections.abc import Mapping

from cone.accounting.runs.values import RunState

# From → to, and who moves it there.
MOVES: Mapping[RunState, Mapping[RunState, str]] = {
    "running": {"finished": "the sweep, once nothing is left to send", "cancelled": "a person"},
    "finished": {"undoing": "a person"},
    "cancelled": {"undoing": "a person"},
    "undoing": {"undone": "the sweep, once each record is taken back or kept"},
    "undone": {},
}


def can_move(state: str, target: RunState) -> bool:
    """Whether a run may go from one state to another."""
    return any(each == state and target in targets for each, targets in MOVES.items())
