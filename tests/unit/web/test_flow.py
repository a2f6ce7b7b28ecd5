"""How the data-flow diagram is drawn: its counts never touch the boxes."""

import re

import pytest
from django.template.loader import render_to_string

from cone.accounting.values import FlowArrow
from cone.web.flow import draw_flow


def counts_of(synced: int, waiting: int, attention: int) -> list[str]:
    """The lines of counts below the arrow, without the parts that phones hide."""
    flow = draw_flow([FlowArrow("invoice", synced, waiting, attention)], is_live=True)
    drawing = render_to_string("settings/_flow.html", {"flow": flow})
    found = re.search('<text class="counts"[^>]*>(.*?)</text>', drawing)
    assert found
    shown = re.sub('<tspan class="none".*?</tspan>', "", found[1])
    return [re.sub("<[^>]*>", "", line) for line in re.split('(?=<tspan [^>]* y=")', shown)]


@pytest.mark.parametrize(
    ("counts", "lines"),
    [
        ((4, 3, 1), ["4 synced · 3 waiting · 1 needs attention"]),
        ((42, 3, 1), ["42 synced · 3 waiting", "1 needs attention"]),
        ((42, 3, 0), ["42 synced · 3 waiting"]),
        ((1_234, 1_234, 12), ["1,234 synced · 1,234 waiting", "12 need attention"]),
        ((123_456, 12_345, 0), ["123,456 synced · 12,345 waiting"]),
        ((9_123_456, 9_112_345, 1_034_567), ["9,123,456 synced · 9,112,345 waiting", "1,034,567 need attention"]),
    ],
)
def test_long_counts_stand_on_two_lines(counts: tuple[int, int, int], lines: list[str]) -> None:
    assert counts_of(*counts) == lines


def test_second_line_stays_within_the_drawing() -> None:
    flow = draw_flow([FlowArrow("invoice", 10**6, 10**6, 10**6)] * 3, is_live=True)
    assert flow.rows[-1].attention_y < flow.height
    assert all(row.attention_y < below.label_y - 20 for row, below in zip(flow.rows, flow.rows[1:], strict=False))
