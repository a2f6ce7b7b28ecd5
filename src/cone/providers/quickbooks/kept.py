"""What a bookkeeper sets on an invoice's lines, through edits of ours: theirs stay, our fields win. Pure.

An update that says lines replaces all of them, and the id of a line says which one it is (api-facts §4.6, §5). So what
an answer tells of the lines is handed back with the next update, told apart by their contents: people add, remove and
reorder lines here. A line of text there stays below the line that it follows. Only fields that the schema lets be
written and that make no figures are kept: amounts, prices and tax codes are ours, and lines of text go without any.
What isn't as the schema says is left out.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TypeAlias, TypeVar

import msgspec

from cone.providers.quickbooks.wire import NOTHING, JsonObject, LineRow, Row, SalesItem


class _Ref(msgspec.Struct, frozen=True):
    value: str


class _DescriptionLine(Row, frozen=True):
    service_date: msgspec.Raw = NOTHING


_LINES = msgspec.json.Decoder(tuple[LineRow, ...])
_WORDS = msgspec.json.Decoder(str)
_AMOUNT = msgspec.json.Decoder(Decimal)
_REF = msgspec.json.Decoder(_Ref)
_DESCRIPTION = msgspec.json.Decoder(_DescriptionLine)
_TEXT = "DescriptionOnly"
_IS_TEXT = b'"DescriptionOnly"'
_EMPTY = (b"", b"null", b"[]", b"{}")
_T = TypeVar("_T")
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
    # Asked of every line of every answer, so next to nothing is built for it. How a line is classed for tax doesn't
    # count: companies whose sales tax is automated may have it on every line, by themselves.
    detail = line.sales_item_line_detail
    if detail is not None and (
        (detail.class_ref is not NOTHING and referred(detail.class_ref))
        or (detail.service_date is not NOTHING and say(detail.service_date))
    ):
        return True
    if (line.project_ref is not NOTHING and referred(line.project_ref)) or bytes(line.detail_type) == _IS_TEXT:
        return True
    return _is_said(line.linked_txn) or _is_said(line.custom_field) or _is_said(line.custom_extensions)


def find(decoder: "msgspec.json.Decoder[_T]", value: msgspec.Raw) -> _T | None:
    """What a field says; None where it isn't there or is of another shape."""
    if value is NOTHING:
        return None
    try:
        return decoder.decode(value)
    except msgspec.ValidationError:
        return None


def say(value: msgspec.Raw) -> str:
    """The text of a field; empty where there's none."""
    text: str | None = find(_WORDS, value)
    return text or ""


def referred(value: msgspec.Raw) -> str:
    """The id that a field refers to; empty where it refers to nothing."""
    ref = find(_REF, value)
    return ref.value if ref else ""


def _is_said(value: msgspec.Raw) -> bool:
    return value is not NOTHING and bytes(value) not in _EMPTY


def _sort(lines: Sequence[LineRow]) -> tuple[list[LineRow], defaultdict[int, list[LineRow]]]:
    """The sales lines; and the lines of text by the sales line they follow, -1 where they come first."""
    sales: list[LineRow] = []
    texts: defaultdict[int, list[LineRow]] = defaultdict(list)
    for line in lines:
        if line.sales_item_line_detail is not None:
            sales.append(line)
        elif say(line.detail_type) == _TEXT:
            texts[len(sales) - 1].append(line)
    return sales, texts


def _item(detail: SalesItem) -> str:
    return referred(detail.item_ref)


def _figures(line: LineRow, detail: SalesItem) -> tuple[Decimal | None, ...]:
    return tuple(find(_AMOUNT, value) for value in (line.amount, detail.qty, detail.unit_price))


# The likest first; what only the item tells is told only where no other line has it.
_ALIKE: tuple[_Key, ...] = (
    lambda _, line, detail: (_item(detail), say(line.description), *_figures(line, detail)),
    lambda _, line, detail: (_item(detail), say(line.description)),
    lambda _, line, __: say(line.description) or None,
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
    is_same_item = was is not None and detail["ItemRef"] == _ref("ItemRef", was.item_ref).get("ItemRef")
    within = _within(there, is_same_item=is_same_item)
    return {**_words("Id", there.id), **ours, **_around(there), "SalesItemLineDetail": {**detail, **within}}


def _around(line: LineRow) -> JsonObject:
    raw = {
        "LinkedTxn": line.linked_txn,
        "CustomField": line.custom_field,
        "CustomExtensions": line.custom_extensions,
    }
    return _ref("ProjectRef", line.project_ref) | {name: value for name, value in raw.items() if _is_said(value)}


def _within(line: LineRow, *, is_same_item: bool) -> JsonObject:
    """What stands inside of the line. How it's classed for tax is told by its item."""
    if (detail := line.sales_item_line_detail) is None:
        return {}
    kept = _ref("ClassRef", detail.class_ref) | _words("ServiceDate", detail.service_date)
    return kept | (_ref("TaxClassificationRef", detail.tax_classification_ref) if is_same_item else {})


def _text(line: LineRow) -> JsonObject:
    """A line of text, without the amount and tax code that it may carry: it needs neither, and both are figures'."""
    was = find(_DESCRIPTION, line.description_line_detail)
    return {
        **_words("Id", line.id),
        "Description": say(line.description),
        "DetailType": _TEXT,
        "DescriptionLineDetail": _words("ServiceDate", was.service_date) if was else {},
    }


def _ref(name: str, value: msgspec.Raw) -> JsonObject:
    """A reference as a field, without its name, which is told only; nothing where it refers to nothing."""
    remote_id = referred(value)
    return {name: {"value": remote_id}} if remote_id else {}


def _words(name: str, value: msgspec.Raw) -> JsonObject:
    """Words as a field; nothing where there are none."""
    words = say(value)
    return {name: words} if words else {}
