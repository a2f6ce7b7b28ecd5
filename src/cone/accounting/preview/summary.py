"""Counts outlooks for pages and the API: per action, per cause, per currency and kind; and keeps one page of them."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from cone.accounting.causes import describe
from cone.accounting.labels import is_general, label_payment
from cone.accounting.outbox import find_active_connection
from cone.accounting.plan.decisions import Blocked
from cone.accounting.port.documents import Kind
from cone.accounting.preview.reading import Foreseer
from cone.accounting.preview.values import Action, ActionCount, CurrencySum, Outlook, Preview
from cone.accounting.registry import get_provider
from cone.accounting.values import CauseCard
from cone.books.models import Workspace
from cone.kit.money import Money

_MOST_EXAMPLES = 5
# What would be written there.
GOING = frozenset({Action.CREATE, Action.UPDATE, Action.LINK})


@dataclass
class _Stuck:
    """What one cause would hold back."""

    blocked: Blocked
    source: tuple[Kind, UUID, str]
    count: int = 0
    examples: list[tuple[Kind, UUID, str]] = field(default_factory=list)


@dataclass
class _Sum:
    count: int = 0
    tax: Decimal = Decimal(0)
    total: Decimal = Decimal(0)


def read_preview(
    workspace_id: int,
    *,
    from_date: date | None,
    now: datetime,
    only: Action | None = None,
    start: int = 0,
    size: int = 50,
) -> Preview | None:
    """Foresee existing invoices since a date, or everything that waits; None while nothing is connected.

    `shown` are the outlooks of action `only` (None: of any) from position `start`.
    """
    active = find_active_connection(workspace_id)
    if active is None:
        return None
    foreseer = Foreseer(active)
    outlooks = foreseer.waiting() if from_date is None else foreseer.existing(from_date)
    counting = _Counting(only, start, size)
    counting.take(outlooks)
    return Preview(
        from_date=from_date,
        total_count=counting.kinds.total(),
        actions=counting.actions(),
        causes=counting.causes(get_provider(active.provider).name, active.workspace, now=now),
        sums=counting.sums(),
        may_exist_count=counting.may_exist,
        shown=tuple(counting.shown),
        shown_from=start,
        shown_count=counting.suited,
    )


def _call(outlook: Outlook) -> str:
    """As the cards of what waits call it: a payment by its amount."""
    return outlook.label if outlook.paid is None else label_payment(outlook.paid)


class _Counting:
    """Takes outlooks one by one, so that only one page of them is kept."""

    def __init__(self, only: Action | None, start: int, size: int) -> None:
        self._only, self._window = only, range(start, start + size)
        self.kinds: Counter[tuple[Action, Kind]] = Counter()
        self.stuck: dict[str, _Stuck] = {}
        self._sums: defaultdict[tuple[str, Kind], _Sum] = defaultdict(_Sum)
        self.shown: list[Outlook] = []
        self.suited = self.may_exist = 0

    def take(self, outlooks: Iterator[Outlook]) -> None:
        for outlook in outlooks:
            self.kinds[outlook.action, outlook.kind] += 1
            self.may_exist += outlook.may_exist
            self._hold(outlook)
            self._add(outlook)
            if self._only in (None, outlook.action):
                if self.suited in self._window:
                    self.shown.append(outlook)
                self.suited += 1

    def _hold(self, outlook: Outlook) -> None:
        if not outlook.causes:
            return
        record = (outlook.kind, outlook.uuid, _call(outlook))
        for cause in outlook.causes:
            stuck = self.stuck.setdefault(cause.key, _Stuck(cause, outlook.stuck or record))
            stuck.count += 1
            if len(stuck.examples) < _MOST_EXAMPLES:
                stuck.examples.append(record)

    def _add(self, outlook: Outlook) -> None:
        if outlook.figures is None or outlook.action not in GOING:
            return
        tax, total = outlook.figures.tax, outlook.figures.total
        entry = self._sums[total.currency, outlook.kind]
        entry.count, entry.tax, entry.total = entry.count + 1, entry.tax + tax.amount, entry.total + total.amount

    def sums(self) -> tuple[CurrencySum, ...]:
        return tuple(
            CurrencySum(entry.count, Money(entry.tax, currency), Money(entry.total, currency), kind)
            for (currency, kind), entry in sorted(self._sums.items())
        )

    def actions(self) -> tuple[ActionCount, ...]:
        counts = []
        for action in Action:
            kinds = tuple((kind, count) for (each, kind), count in self.kinds.items() if each is action)
            if kinds:
                counts.append(ActionCount(action, sum(count for _, count in kinds), kinds))
        return tuple(counts)

    def causes(self, provider_name: str, workspace: Workspace, *, now: datetime) -> tuple[CauseCard, ...]:
        return tuple(
            CauseCard(
                cause=describe(
                    key,
                    stuck.blocked.to_json(),
                    kind=stuck.source[0],
                    uuid=stuck.source[1],
                    label=stuck.source[2],
                    provider_name=provider_name,
                    is_of_general=is_general(stuck.source[0], stuck.source[1], workspace),
                ),
                count=stuck.count,
                examples=tuple(stuck.examples),
                since=now,
            )
            for key, stuck in sorted(self.stuck.items(), key=lambda item: -item[1].count)
        )
