"""Cause cards with their addresses: what's wrong, where it's mended, some of what waits for it."""

from dataclasses import dataclass

from cone.accounting.causes import list_cause_cards
from cone.accounting.values import CauseCard
from cone.web.links import cause_url, record_url


@dataclass(frozen=True, slots=True)
class CauseExample:
    """A record that waits for a cause, and its page."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class CauseRow:
    """A cause card ready to show; `more` counts what waits besides the examples."""

    card: CauseCard
    url: str
    examples: tuple[CauseExample, ...]
    more: int


def list_cause_rows(workspace_id: int) -> tuple[CauseRow, ...]:
    """The open causes of a workspace, each with the link to what mends it."""
    return tuple(_row(card) for card in list_cause_cards(workspace_id))


def _row(card: CauseCard) -> CauseRow:
    examples = tuple(CauseExample(label, record_url(kind, uuid)) for kind, uuid, label in card.examples)
    return CauseRow(card, cause_url(card.cause), examples, max(card.count - len(examples), 0))
