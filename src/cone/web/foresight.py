"""A preview ready to show: what each action is called, why, and where its record is."""

from collections.abc import Mapping
from dataclasses import dataclass

from cone.accounting.preview.values import Action, Outlook, Preview
from cone.accounting.values import CauseCard
from cone.web.formats import show_number
from cone.web.links import record_url
from cone.web.states import StateSign

SIGNS: Mapping[Action, StateSign] = {
    Action.CREATE: StateSign("Create", "add", "good"),
    Action.UPDATE: StateSign("Update", "refresh", "accent"),
    Action.LINK: StateSign("Look up first", "link", "accent"),
    Action.REMOVE: StateSign("Remove there", "void", "idle"),
    Action.FIND_OUT: StateSign("Find out first", "search", "warn"),
    Action.BLOCKED: StateSign("Blocked", "alert", "bad"),
    Action.WAIT: StateSign("Wait", "clock", "warn"),
    Action.NOTHING: StateSign("Nothing", "circle", "idle"),
}
_KINDS = {"customer": "customer", "service": "item", "invoice": "invoice", "payment": "payment"}


@dataclass(frozen=True, slots=True)
class ActionTab:
    """One action with its count, as a filter of the table."""

    action: str
    sign: StateSign
    count: int
    detail: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class OutlookRow:
    """One record of the table; `why` says what stops it, or what comes first."""

    outlook: Outlook
    sign: StateSign
    kind: str
    url: str
    why: str


def action_tabs(preview: Preview, only: Action | None) -> tuple[ActionTab, ...]:
    """The actions that befall any record, each with its count by kind."""
    return tuple(
        ActionTab(
            action=entry.action.value,
            sign=SIGNS[entry.action],
            count=entry.count,
            detail=", ".join(_count(count, _KINDS[kind]) for kind, count in entry.kinds),
            is_current=entry.action is only,
        )
        for entry in preview.actions
    )


def _count(count: int, noun: str) -> str:
    return f"{show_number(count)} {noun}{'' if count == 1 else 's'}"


def outlook_rows(preview: Preview) -> tuple[OutlookRow, ...]:
    """The shown outlooks in words."""
    titles = {card.cause.key: card for card in preview.causes}
    return tuple(
        OutlookRow(
            outlook=outlook,
            sign=SIGNS[outlook.action],
            kind=_KINDS[outlook.kind].capitalize(),
            url=record_url(outlook.kind, outlook.uuid) if outlook.action is not Action.LINK else "",
            why=_why(outlook, titles),
        )
        for outlook in preview.shown
    )


def _why(outlook: Outlook, cards: Mapping[str, CauseCard]) -> str:
    causes = [cards[cause.key].cause for cause in outlook.causes if cause.key in cards]
    titles = "; ".join(cause.title for cause in causes)
    if outlook.waits_for:
        is_own = len(causes) == 1 and outlook.stuck is not None and outlook.stuck[2] == outlook.waits_for
        why = f", {causes[0].which}" if is_own else f": {titles}"
        return f"Waits for {outlook.waits_for}{why}"
    if titles:
        return titles
    if outlook.may_exist:
        return "One of that name may exist there."
    if outlook.action is Action.LINK:
        return "Linked if one of that name is there, else created."
    if outlook.action is Action.FIND_OUT:
        return "What became of an earlier request isn't known yet."
    return f"After {outlook.follows}" if outlook.follows else ""
