"""A year of invoices as a plan: what is invoiced when, and what became of it. Pure and the same for the same day."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from cone.demo.cast import SERVICES
from cone.domain.invoices import DisplayStatus
from cone.domain.totals import AmountsAre

INVOICES = 184
DRAFTS = 9
_SEED = 20_260
_MEMOS = ("Thank you for your business.", "Payment by bank transfer, please.", "", "", "")


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A line, its service by position in the cast."""

    service: int
    quantity: Decimal
    unit_price: Decimal
    discount_percent: Decimal


@dataclass(frozen=True, slots=True)
class PlannedInvoice:
    """An invoice, its customer by position in the cast, and its fate. `paid_percent` of its total is received."""

    customer: int
    issue_date: date
    due_date: date
    amounts_are: AmountsAre
    memo: str
    lines: tuple[PlannedLine, ...]
    fate: DisplayStatus
    paid_percent: int
    is_sent: bool


def plan_year(today: date, *, customer_count: int) -> tuple[PlannedInvoice, ...]:
    """Return a year's invoices in order of issue, the drafts last."""
    chance = random.Random(_SEED)  # noqa: S311  # variety, not secrets; seeded so that every demo is the same
    return tuple(_plan(position, today, chance, customer_count) for position in range(INVOICES))


def _plan(position: int, today: date, chance: random.Random, customer_count: int) -> PlannedInvoice:
    is_draft = position >= INVOICES - DRAFTS
    age = 0 if is_draft else 362 - position * 362 // (INVOICES - DRAFTS)
    issue_date = today - timedelta(days=age)
    due_date = issue_date + timedelta(days=chance.choice((14, 30, 30, 30, 60)))
    fate = DisplayStatus.DRAFT if is_draft else _fate(position, due_date, today, chance)
    is_partly_paid = position % 9 == 4 and fate in (DisplayStatus.PAST_DUE, DisplayStatus.SENT, DisplayStatus.OPEN)
    return PlannedInvoice(
        # Some customers come often, most a few times.
        customer=min(chance.randrange(customer_count), chance.randrange(customer_count)),
        issue_date=issue_date,
        due_date=due_date,
        amounts_are=AmountsAre.INCLUSIVE if position % 7 == 3 else AmountsAre.EXCLUSIVE,
        memo=chance.choice(_MEMOS),
        lines=tuple(_lines(chance)),
        fate=fate,
        paid_percent=100 if fate is DisplayStatus.PAID else 40 if is_partly_paid else 0,
        is_sent=fate not in (DisplayStatus.DRAFT, DisplayStatus.OPEN),
    )


def _fate(position: int, due_date: date, today: date, chance: random.Random) -> DisplayStatus:
    if position % 29 == 11:
        return DisplayStatus.VOID
    if position in (23, 61, 97):
        return DisplayStatus.WRITTEN_OFF
    days_late = (today - due_date).days
    if days_late > 0:
        is_settled = chance.randrange(100) < min(96, 55 + days_late)
        return DisplayStatus.PAID if is_settled else DisplayStatus.PAST_DUE
    if chance.randrange(100) < 25:
        return DisplayStatus.PAID
    return chance.choice((DisplayStatus.SENT, DisplayStatus.OPEN))


def _lines(chance: random.Random) -> Iterator[PlannedLine]:
    for service in chance.sample(range(len(SERVICES)), chance.choice((1, 1, 2, 2, 3, 4))):
        typical = SERVICES[service][0].unit_price
        is_hourly = typical < 200
        yield PlannedLine(
            service=service,
            quantity=Decimal(chance.randint(2, 58)) / 4 if is_hourly else Decimal(1),
            unit_price=typical + Decimal(chance.choice((0, 0, 0, 25, 150))) / (1 if typical > 300 else 10),
            discount_percent=Decimal(chance.choice((0, 0, 0, 0, 0, 5, 10))),
        )
