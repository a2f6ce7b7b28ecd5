"""How each state looks: a word, a shape and a tone, so that colour alone never carries the meaning."""

from collections.abc import Mapping
from dataclasses import dataclass


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

INVOICE_STATES: Mapping[str, StateSign] = {
    "draft": StateSign("Draft", "draft", "idle"),
    "open": StateSign("Open", "circle", "accent"),
    "sent": StateSign("Sent", "sent", "accent"),
    "past_due": StateSign("Past due", "clock", "bad"),
    "paid": StateSign("Paid", "done", "good"),
    "void": StateSign("Void", "void", "idle"),
    "written_off": StateSign("Written off", "written_off", "idle"),
}
