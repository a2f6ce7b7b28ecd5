"""The data-flow diagram's geometry: one arrow per kind, drawn as SVG by a template."""

from collections.abc import Sequence
from dataclasses import dataclass

from cone.accounting.port.documents import Kind
from cone.accounting.values import FlowArrow
from cone.web.formats import show_number

_TOP = 34
_STEP = 70
# What fits between the boxes at a phone's size of letters; longer, what needs attention has a line of its own.
_MOST_LETTERS = 40
_LABELS: dict[Kind, str] = {
    "customer": "Customers",
    "service": "Services",
    "invoice": "Issued invoices",
    "payment": "Payments",
}


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One arrow: where it's drawn, and its counts, of which the last may stand on a line below the others."""

    label: str
    y: int
    label_y: int
    counts_y: int
    arrow: FlowArrow
    synced: str
    waiting: str
    attention: str

    @property
    def has_two_lines(self) -> bool:
        """Whether all counts together would touch the boxes."""
        return len(f"{self.synced} · {self.waiting} · {self.attention}") > _MOST_LETTERS

    @property
    def attention_y(self) -> int:
        """Where the second line stands."""
        return self.counts_y + 15


@dataclass(frozen=True, slots=True)
class FlowDiagram:
    """The whole drawing; `is_live` says that counts are worth showing."""

    rows: tuple[FlowRow, ...]
    height: int
    box_height: int
    middle: int
    is_live: bool


def draw_flow(arrows: Sequence[FlowArrow], *, is_live: bool) -> FlowDiagram:
    """Lay the arrows out below each other."""
    rows = tuple(_draw_row(arrow, _TOP + index * _STEP) for index, arrow in enumerate(arrows))
    height = len(rows) * _STEP + 12
    return FlowDiagram(rows, height, height - 2, height // 2, is_live)


def _draw_row(arrow: FlowArrow, y: int) -> FlowRow:
    return FlowRow(
        label=_LABELS[arrow.kind],
        y=y,
        label_y=y - 9,
        counts_y=y + 19,
        arrow=arrow,
        synced=f"{show_number(arrow.synced)} synced",
        waiting=f"{show_number(arrow.waiting)} waiting",
        attention=f"{show_number(arrow.attention)} need{'s' if arrow.attention == 1 else ''} attention",
    )
