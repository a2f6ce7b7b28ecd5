"""The dashboard's bars as whole pixels of an SVG, made here so that the template only writes them down."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from cone.books.amounts import show_money
from cone.books.queries.dashboard import MonthBar
from cone.web.formats import show_month

_HEIGHT = 96
_STEP = 52
_BAR = 14


@dataclass(frozen=True, slots=True)
class Bars:
    """One month: two bars beside each other, with what a pointer resting on them reads."""

    x: int
    label: str
    title: str
    invoiced_y: int
    invoiced_height: int
    received_x: int
    received_y: int
    received_height: int
    label_x: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Twelve months; `is_flat` says that there's nothing to draw."""

    months: tuple[Bars, ...]
    width: int
    is_flat: bool


def draw_bars(bars: Sequence[MonthBar]) -> Chart:
    """Scale the bars to the tallest."""
    tallest = max((max(bar.invoiced.amount, bar.received.amount) for bar in bars), default=Decimal(0))
    months = tuple(_month(index, bar, tallest) for index, bar in enumerate(bars))
    return Chart(months, width=len(bars) * _STEP, is_flat=not tallest)


def _month(index: int, bar: MonthBar, tallest: Decimal) -> Bars:
    x = index * _STEP + (_STEP - 2 * _BAR - 3) // 2
    invoiced, received = _height(bar.invoiced.amount, tallest), _height(bar.received.amount, tallest)
    label = show_month(bar.month)
    return Bars(
        x=x,
        label=label,
        title=f"{label}: {show_money(bar.invoiced)} invoiced, {show_money(bar.received)} received",
        invoiced_y=_HEIGHT - invoiced,
        invoiced_height=invoiced,
        received_x=x + _BAR + 3,
        received_y=_HEIGHT - received,
        received_height=received,
        label_x=index * _STEP + _STEP // 2,
    )


def _height(amount: Decimal, tallest: Decimal) -> int:
    """Pixels; anything above nothing is visible."""
    return max(int(amount * _HEIGHT / tallest), 2) if amount else 0
