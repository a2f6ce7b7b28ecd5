"""What a bookkeeper sets on an invoice's lines, through edits of ours: theirs stay, our fields win. Pure.

An update that says lines replaces all of them, and the id of a line says which one it is (api-facts §4.6, §5). So what
an answer tells of the lines is handed back with the next update, told apart by their contents: people add, remove and
reorder lines here. A line of text there stays below the line that it follows. Only fields that the schema lets be
written and that carry no figures are kept: amounts, prices and taxes are ours.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from cone.providers.quickbooks.wire import NOTHING, JsonObject, LineRow, Ref, SalesItem, number

_LINES = msgspec.json.Decoder(tuple[LineRow, ...])
_TEXT = "DescriptionOnly"
_EMPTY = (b"", b"null", b"[]", b"{}")
_Key: TypeAlias = Callable[[int, LineRow, SalesItem], object]


def read_theirs(lines: Sequence[LineRow]) -> str:
    """The lines as they must be known for the next update; empty where none has anything of theirs."""
    return msgspec.json.encode(lines).decode() if any(map(_has_theirs, lines)) else ""


def keep_theirs(fields: JsonObject, kept: str) -> JsonObject:
    """An invoice of ours with what `read_theirs` found: the same lines by their ids, with theirs on them."""
    ours = fields["Line"]
    if not isinstance(ours, list):
        raise TypeError("an invoice has lines")
    there, texts = _sort(_LINES.decode(kept))
    pairs = _pair(_LINES.decode(msgspec.json.encode(ours)), there)
    merged: list[JsonObject] = [_text(line) for line in texts[-1]]
    for place, line in enumerate(ours):
        same = pairs.get(place)
        merged.append(line if same is None else _merge(line, there[same]))
        merged += [_text(text) for text in texts[same]] if same is not None else []
    return {**fields, "Line": [{**line, "LineNum": number} for number, line in enumerate(merged, start=1)]}


def _has_theirs(line: LineRow) -> bool:
    # Asked of every line of every answer, so nothing is built for it.
    detail = line.sales_item_line_detail
    if detail is not None and (detail.class_ref or detail.service_date or detail.tax_classification_ref):
        return True
    if line.detail_type == _TEXT or line.project_ref:
        return True
    return _is_said(line.linked_txn) or _is_said(line.custom_field) or _is_said(line.custom_extensions)


def _is_said(value: msgspec.Raw) -> bool:
    return value is not NOTHING and bytes(value) not in _EMPTY


def _sort(lines: Sequence[LineRow]) -> tuple[list[LineRow], defaultdict[int, list[LineRow]]]:
    """The sales lines; and the lines of text by the sales line they follow, -1 where they come first."""
    sales: list[LineRow] = []
    texts: defaultdict[int, list[LineRow]] = defaultdict(list)
    for line in lines:
        if line.sales_item_line_detail is not None:
            sales.append(line)
        elif line.detail_type == _TEXT:
            texts[len(sales) - 1].append(line)
    return sales, texts


def _item(detail: SalesItem) -> str:
    return detail.item_ref.value if detail.item_ref else ""


# The likest first; what only the item tells is told only where no other line has it.
_ALIKE: tuple[_Key, ...] = (
    lambda _, line, detail: (_item(detail), line.description, line.amount, detail.qty, detail.unit_price),
    lambda _, line, detail: (_item(detail), line.description),
    lambda _, line, __: line.description or None,
    lambda place, _, detail: (place, _item(detail)),
)


def _pair(ours: Sequence[LineRow], there: Sequence[LineRow]) -> dict[int, int]:
    """By the place of a line of ours the place of the one it is there; where nothing tells, none."""
    pairs: dict[int, int] = {}
    for key in _ALIKE:
        for mine, theirs in _grouped(key, ours, there, pairs):
            pairs |= dict(zip(mine, theirs, strict=False))
    for mine, theirs in _grouped(lambda _, __, detail: _item(detail), ours, there, pairs):
        if len(mine) == len(theirs) == 1:
            pairs |= {mine[0]: theirs[0]}
    return pairs


def _grouped(
    key: _Key, ours: Sequence[LineRow], there: Sequence[LineRow], pairs: dict[int, int]
) -> Iterator[tuple[list[int], list[int]]]:
    """Lines that agree in a key, of both sides, by their places; those that have found each other are left out."""
    groups: defaultdict[object, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, lines, taken in ((0, ours, set(pairs)), (1, there, set(pairs.values()))):
        for place, line in enumerate(lines):
            detail = line.sales_item_line_detail
            found = key(place, line, detail) if detail is not None and place not in taken else None
            if found is not None:
                groups[found][side].append(place)
    yield from groups.values()


def _merge(ours: JsonObject, there: LineRow) -> JsonObject:
    detail = ours["SalesItemLineDetail"]
    if not isinstance(detail, dict):
        raise TypeError("a line of ours is a sales line")
    was = there.sales_item_line_detail
    is_same_item = was is not None and was.item_ref is not None and detail["ItemRef"] == _only(was.item_ref)
    within = _within(there, is_same_item=is_same_item)
    return {"Id": there.id, **ours, **_around(there), "SalesItemLineDetail": {**detail, **within}}


def _around(line: LineRow) -> JsonObject:
    kept: JsonObject = {"ProjectRef": _only(line.project_ref)} if line.project_ref else {}
    raw = {
        "LinkedTxn": line.linked_txn,
        "CustomField": line.custom_field,
        "CustomExtensions": line.custom_extensions,
    }
    return kept | {name: value for name, value in raw.items() if _is_said(value)}


def _within(line: LineRow, *, is_same_item: bool) -> JsonObject:
    """What stands inside of the line. How it's classed for tax is told by its item."""
    kept: JsonObject = {}
    if (detail := line.sales_item_line_detail) is None:
        return kept
    if detail.class_ref:
        kept["ClassRef"] = _only(detail.class_ref)
    if detail.service_date:
        kept["ServiceDate"] = detail.service_date
    if detail.tax_classification_ref and is_same_item:
        kept["TaxClassificationRef"] = _only(detail.tax_classification_ref)
    return kept


def _only(ref: Ref) -> JsonObject:
    """A reference without its name, which is told only."""
    return {"value": ref.value}


def _text(line: LineRow) -> JsonObject:
    detail: JsonObject = {}
    if (was := line.description_line_detail) is not None:
        detail |= {"ServiceDate": was.service_date} if was.service_date else {}
        detail |= {"TaxCodeRef": _only(was.tax_code_ref)} if was.tax_code_ref else {}
    fields: JsonObject = {"Id": line.id, "Description": line.description or ""}
    if line.amount is not None:
        fields["Amount"] = number(line.amount)
    return {**fields, "DetailType": _TEXT, "DescriptionLineDetail": detail}
