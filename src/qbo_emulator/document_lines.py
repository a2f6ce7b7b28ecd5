"""Walking a sales document's lines: those of bundles stand inside them, shipping and gratuity outside the subtotal."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from .jsonio import ZERO, Json, dec

# Ids of items that no company lists.
SHIPPING, GRATUITY = "SHIPPING_ITEM_ID", "GRATUITY_ITEM_ID"
EXTRA_ITEMS = frozenset({SHIPPING, GRATUITY})


def flat(lines: Iterable[Json]) -> Iterator[Json]:
    """Every line, those inside a bundle after it."""
    for line in lines:
        yield line
        yield from (line.get("GroupLineDetail") or {}).get("Line") or ()


def sales_lines(lines: Iterable[Json]) -> list[Json]:
    """All lines that sell something, shipping and gratuity among them."""
    return [line for line in flat(lines) if line.get("DetailType") == "SalesItemLineDetail"]


def is_extra(line: Json) -> bool:
    """Whether a sales line stands outside the subtotal, and so outside a discount."""
    item = (line.get("SalesItemLineDetail") or {}).get("ItemRef") or {}
    return item.get("value") in EXTRA_ITEMS


def subtotal_of(lines: Iterable[Json]) -> Decimal:
    return sum((dec(line["Amount"]) for line in sales_lines(lines) if not is_extra(line)), ZERO)


def discount_of(lines: Iterable[Json]) -> Decimal:
    return sum((dec(line["Amount"]) for line in lines if line["DetailType"] == "DiscountLineDetail"), ZERO)
