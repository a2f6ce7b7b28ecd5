"""Cause cards with their addresses: what's wrong, where it's mended, some of what waits for it."""

from collections.abc import Iterable
from dataclasses import dataclass

from cone.accounting.causes import list_cause_cards
from cone.accounting.values import CauseCard
from cone.web.links import Mending, find_mending, is_voided_here, record_url


@dataclass(frozen=True, slots=True)
class CauseExample:
    """A record that waits for a cause, and its page."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class CauseRow:
    """A cause card ready to show; `more` counts what waits besides the examples.

    `can_retry`: sending again may help. It can't where a person has to remove something there.
    """

    card: CauseCard
    mending: Mending | None
    examples: tuple[CauseExample, ...]
    more: int
    can_retry: bool


def list_cause_rows(workspace_id: int) -> tuple[CauseRow, ...]:
    """The open causes of a workspace, each with the link to what mends it."""
    return card_rows(list_cause_cards(workspace_id))


def card_rows(cards: Iterable[CauseCard]) -> tuple[CauseRow, ...]:
    """These cards, ready to show."""
    return tuple(_row(card) for card in cards)


def _row(card: CauseCard) -> CauseRow:
    examples = tuple(CauseExample(label, record_url(kind, uuid)) for kind, uuid, label in card.examples)
    return CauseRow(
        card=card,
        mending=find_mending(card.cause),
        examples=examples,
        more=max(card.count - len(examples), 0),
        can_retry=not is_voided_here(card.cause),
    )
