"""A preview as data: one outlook per record, and what they come to."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from cone.accounting.plan.decisions import Blocked
from cone.accounting.port.documents import Kind
from cone.accounting.values import CauseCard
from cone.kit.money import Money
from cone.kit.values import Value


class Action(StrEnum):
    """What would become of a record there.

    LINK: looked up first, then linked or made. REMOVE: voided or deleted there. FIND_OUT: an earlier request's outcome
    isn't known and is found out first. WAIT: what it refers to can't go. NOTHING: it's there already, or nobody wants
    it there.
    """

    CREATE = "create"
    UPDATE = "update"
    LINK = "link"
    REMOVE = "remove"
    FIND_OUT = "find_out"
    BLOCKED = "blocked"
    WAIT = "wait"
    NOTHING = "nothing"


class Figures(Value):
    """What a document's answer should say."""

    tax: Money
    total: Money


class Outlook(Value):
    """What would become of one record. `follows` is what must be made first; `waits_for` what can't be.

    `causes` are the record's own, or those of what it waits for: then `stuck` is what has them, and what it's called.
    `may_exist`: one of its name may stand there already, which only sending finds out. `paid`: what a payment is of.
    """

    kind: Kind
    uuid: UUID
    revision: int
    label: str
    detail: str
    action: Action
    figures: Figures | None = None
    causes: tuple[Blocked, ...] = ()
    follows: str = ""
    waits_for: str = ""
    stuck: tuple[Kind, UUID, str] | None = None
    may_exist: bool = False
    paid: Money | None = None


class ActionCount(Value):
    """How many records an action would befall, by kind."""

    action: Action
    count: int
    kinds: tuple[tuple[Kind, int], ...]


class CurrencySum(Value):
    """What the documents of one kind and currency come to. Payments apart: what they pay is in the invoices already."""

    count: int
    tax: Money
    total: Money
    kind: Kind = "invoice"


class Preview(Value):
    """The whole of it; `shown` are the outlooks of one page, of one action if that was asked for.

    `from_date`: of existing invoices since then; None: of everything that waits. `may_exist_count`: new customers whose
    name may be taken there.
    """

    from_date: date | None
    total_count: int
    actions: tuple[ActionCount, ...]
    causes: tuple[CauseCard, ...]
    sums: tuple[CurrencySum, ...]
    may_exist_count: int
    shown: tuple[Outlook, ...]
    shown_from: int
    shown_count: int

    def count(self, action: Action) -> int:
        """How many records the action would befall."""
        return next((entry.count for entry in self.actions if entry.action is action), 0)

    def count_kind(self, kind: Kind) -> int:
        """How many records of a kind it's about, but those that nothing would befall."""
        counts = (dict(entry.kinds) for entry in self.actions if entry.action is not Action.NOTHING)
        return sum(each.get(kind, 0) for each in counts)

    @property
    def is_empty(self) -> bool:
        """Whether there's nothing to say of any record."""
        return self.total_count == 0
