"""The data-flow diagram's geometry: one arrow per kind, drawn as SVG by a template."""

from collections.abc import Sequence
from dataclasses import dataclass

from cone.accounting.port.documents import Kind
from cone.accounting.values import FlowArrow

_TOP = 34
_STEP = 64
_LABELS: dict[Kind, str] = {
    "customer": "Customers",
    "service": "Services",
    "invoice": "Issued invoices",
    "payment": "Payments",
}


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One arrow: where it's drawn, and its counts."""

    label: str
    y: int
    label_y: int
    counts_y: int
    arrow: FlowArrow


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
    rows = tuple(
        FlowRow(_LABELS[arrow.kind], y, y - 9, y + 19, arrow)
        for arrow, y in ((arrow, _TOP + index * _STEP) for index, arrow in enumerate(arrows))
    )
    height = len(rows) * _STEP + 12
    return FlowDiagram(rows, height, height - 2, height // 2, is_live)
