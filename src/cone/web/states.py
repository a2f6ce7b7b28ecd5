"""How each state looks: a word, a shape and a tone, so that colour alone never carries the meaning."""

from collections.abc import Mapping
from dataclasses import dataclass

from cone.accounting.runs.values import Halt, RunRow


@dataclass(frozen=True, slots=True)
class StateSign:
    """`tone` is one of good, warn, bad, accent, idle (a class of the stylesheet)."""

    word: str
    glyph: str
    tone: str
    is_turning: bool = False


SYNC_STATES: Mapping[str, StateSign] = {
    "not_sent": StateSign("Not sent", "circle", "idle"),
    "waiting": StateSign("Waiting", "clock", "idle"),
    "sending": StateSign("Sending", "turning", "accent", is_turning=True),
    "synced": StateSign("Synced", "done", "good"),
    "needs_attention": StateSign("Needs attention", "alert", "bad"),
    "put_off": StateSign("Waiting for allowance", "clock", "warn"),
    "held": StateSign("Held while paused", "held", "warn"),
}

RUN_STATES: Mapping[str, StateSign] = {
    "running": StateSign("Being sent", "turning", "accent", is_turning=True),
    "comparing": StateSign("Sent; being compared with the preview", "turning", "accent", is_turning=True),
    "cancelled": StateSign("Stopped", "held", "idle"),
    "finished": StateSign("Finished", "done", "good"),
    "finished_in_part": StateSign("Over, but not all was sent", "alert", "warn"),
    "undoing": StateSign("Being taken back", "turning", "accent", is_turning=True),
    "undone": StateSign("Undone", "done", "good"),
    "undone_in_part": StateSign("Undone in part", "alert", "warn"),
}

# A run that isn't over, and stands still.
HALTS: Mapping[Halt, StateSign] = {
    "disconnected": StateSign("Not connected", "held", "idle"),
    "reconnect": StateSign("Waiting for reconnection", "clock", "warn"),
    "read_only": StateSign("Can't write", "lock", "warn"),
    "paused": StateSign("Paused", "held", "warn"),
    "allowance": SYNC_STATES["put_off"],
}


def sign_of_run(run: RunRow) -> StateSign:
    """How a run stands, by what of it is to go, needs attention, and wasn't taken back."""
    state = run.head.state
    if run.halt and state != "cancelled":
        return HALTS[run.halt]
    if state == "running" and not run.left:
        return RUN_STATES["comparing"]
    if (state == "finished" and run.failed) or (state == "undone" and run.refused):
        return RUN_STATES[f"{state}_in_part"]
    return RUN_STATES[state]


INVOICE_STATES: Mapping[str, StateSign] = {
    "draft": StateSign("Draft", "draft", "idle"),
    "open": StateSign("Open", "circle", "accent"),
    "sent": StateSign("Sent", "sent", "accent"),
    "past_due": StateSign("Past due", "clock", "bad"),
    "paid": StateSign("Paid", "done", "good"),
    "void": StateSign("Void", "void", "idle"),
    "written_off": StateSign("Written off", "written_off", "idle"),
}
