"""Answering a statement from the books: filter, order, page."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from qbo_emulator.books import Books
from qbo_emulator.entities.entity import Entity
from qbo_emulator.entities.registry import ENTITIES, UNCOVERED
from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import unsupported
from qbo_emulator.including import with_link
from qbo_emulator.jsonio import Json, dec

from .properties import PROPERTIES
from .statement import Condition, Statement, read_statement, validation_error

rule(
    "query.inactive",
    "Inactive rows of name lists appear only when the statement filters on Active",
    Mark.DOCUMENT,
    "Intuit data queries",
)
rule(
    "query.default-order",
    "Transactions: last updated first; customers by FullyQualifiedName; items and accounts by Name",
    Mark.RECORDING,
    "order of recordings of 2026; the reference says by Id",
)
rule(
    "query.total-count",
    "totalCount stands in answers for Invoice and TaxCode only",
    Mark.RECORDING,
    "recordings of 2026",
)
rule(
    "query.paging",
    "100 rows by default, at most 1000; a larger MAXRESULTS is clamped, or refused with --strict (4001)",
    Mark.DOCUMENT,
    "Intuit data queries; clamping assumed",
)
rule(
    "query.us-tax-codes",
    "A US company answers its pseudo tax codes before the first page of the real ones, beyond MAXRESULTS",
    Mark.REPORT,
    "Intuit tax code reference; four rows for MAXRESULTS 1 as clients saw them",
)

_ENTITY = {entity.name.lower(): entity for entity in ENTITIES}


def run_query(books: Books, text: str, *, strict: bool = False, include: Collection[str] = ()) -> Json:
    """The QueryResponse object for a statement; raises Fault 4000, 4001 or 500."""
    statement = read_statement(text, strict=strict)
    entity = _ENTITY.get(statement.entity.lower())
    if entity is None:
        if statement.entity.lower() in UNCOVERED:
            raise unsupported(f"query on {statement.entity} (not covered by the emulator)")
        raise validation_error(f"invalid context declaration: {statement.entity}")
    rows = _matching(books, entity, statement)
    if statement.count:
        return {"totalCount": len(rows)}
    total = len(rows)
    _sort(books, entity, statement, rows)
    page = _page(entity, statement, rows)
    if not page:
        return {}
    answer: Json = {
        entity.name: [with_link(books.realm, entity.name, entity.render(books, row), include) for row in page],
        "startPosition": statement.start,
        "maxResults": len(page),
    }
    if entity.counts_total:
        answer["totalCount"] = total
    return answer


def _page(entity: Entity, statement: Statement, rows: list[Json]) -> list[Json]:
    """The rows asked for; pseudo tax codes stand before the first page and don't count."""
    pseudo = [row for row in rows if entity.name == "TaxCode" and not row["Id"].isdigit()]
    counted = [row for row in rows if row not in pseudo] if pseudo else rows
    page = counted[statement.start - 1 : statement.start - 1 + statement.limit]
    return [*pseudo, *page] if statement.start == 1 else page


def _property(entity: Entity, name: str) -> str:
    wanted = name.lower().removesuffix(".value").removesuffix(".address").removesuffix(".freeformnumber")
    found = PROPERTIES[entity.name].get(wanted)
    if found is None:
        raise validation_error(f"property '{name[:60]}' is not queryable")
    return found


def _matching(books: Books, entity: Entity, statement: Statement) -> list[Json]:
    tests: list[Callable[[Json], bool]] = []
    mentions_active = False
    for condition in statement.where:
        name = _property(entity, condition.name)
        mentions_active = mentions_active or name == "Active"
        tests.append(_test(books, entity, name, condition))
    if entity.is_list and not mentions_active:
        tests.append(lambda record: record.get("Active", True) is True)
    return [record for record in _candidates(books, entity, statement) if all(test(record) for test in tests)]


def _candidates(books: Books, entity: Entity, statement: Statement) -> Iterable[Json]:
    """The records an index leaves in question; all of them when none applies."""
    for condition in statement.where:
        name = condition.name.lower()
        if condition.operator not in {"=", "IN"}:
            continue
        if name == "id":
            found = (books.get(entity.name, value) for value in dict.fromkeys(condition.values))
            return [record for record in found if record is not None]
        space = _INDEXED.get((entity.name, name))
        if space is not None:
            places = [p for value in condition.values for p in books.holders(space, value.casefold())]
            rows = [books.get(entity.name, number) for kind, number in dict.fromkeys(places) if kind == entity.name]
            return [record for record in rows if record is not None]
    return books.all(entity.name)


_INDEXED = {
    ("Customer", "displayname"): "Names",
    ("Vendor", "displayname"): "Names",
    ("Employee", "displayname"): "Names",
    ("Item", "name"): "Item.Name",
    ("Account", "name"): "Account.Name",
    ("Invoice", "docnumber"): "Invoice.DocNumber",
}


_NEVER = datetime.min.replace(tzinfo=UTC)


def _value(books: Books, entity: Entity, name: str, record: Json) -> Any:
    if name == "Balance" and entity.name == "Customer":
        return books.name_balances.get(record["Id"], Decimal(0))
    if name == "Active":
        return record.get("Active", True)
    if name == "QtyOnHand":
        return books.quantities.get(record["Id"], Decimal(0)) if record.get("Type") == "Inventory" else None
    if name == "CurrentBalance":
        return books.account_balances.get(record["Id"], Decimal(0))
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict):
        value = value.get("value") or value.get("Address") or value.get("FreeFormNumber")
    return value


@lru_cache(maxsize=65_536)
def _moment(text: str) -> datetime | None:
    # A plus sign that was not encoded arrives as a blank before the offset.
    cleaned = re.sub(r" (\d\d:?\d\d)$", r"+\1", text.strip())
    try:
        moment = datetime.fromisoformat(cleaned)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _pair(name: str, stored: Any, wanted: str) -> tuple[Any, Any] | None:  # noqa: PLR0911 - one return a type
    """The two sides in a form in which they compare; None when the stored one is missing or they cannot be compared."""
    if stored is None:
        return None
    if isinstance(stored, bool):
        return str(stored).lower(), wanted.lower()
    if name.startswith("MetaData."):
        left, right = _moment(str(stored)), _moment(wanted)
        return None if left is None or right is None else (left, right)
    if name.endswith("Date"):
        return str(stored)[:10], wanted[:10]
    if isinstance(stored, (int, Decimal)) or name == "Id":
        try:
            return dec(Decimal(stored)), Decimal(wanted)
        except InvalidOperation:
            return None
    return str(stored).casefold(), wanted.casefold()


def _test(books: Books, entity: Entity, name: str, condition: Condition) -> Callable[[Json], bool]:
    operator = condition.operator
    if operator == "LIKE":
        parts = (re.escape(part) for part in condition.values[0].split("%"))
        pattern = re.compile(".*".join(parts), re.IGNORECASE | re.DOTALL)
        return lambda record: pattern.fullmatch(str(_value(books, entity, name, record) or "")) is not None
    if name == "Id" and operator in {"<", ">", "<=", ">="}:
        raise validation_error("property 'Id' is not queryable with this operator")
    compare = _COMPARE[operator]

    def test(record: Json) -> bool:
        stored = _value(books, entity, name, record)
        pairs = [_pair(name, stored, wanted) for wanted in condition.values]
        if operator == "!=":
            return all(pair is None or compare(*pair) for pair in pairs)
        return any(pair is not None and compare(*pair) for pair in pairs)

    return test


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: bool(left == right),
    "IN": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    ">": lambda left, right: bool(left > right),
    "<=": lambda left, right: bool(left <= right),
    ">=": lambda left, right: bool(left >= right),
}


def _sort(books: Books, entity: Entity, statement: Statement, rows: list[Json]) -> None:
    # Later sorts keep this order among equals.
    latest_first = not statement.order and not entity.is_list
    rows.sort(key=lambda record: int(record["Id"]) if record["Id"].isdigit() else 0, reverse=latest_first)
    if statement.order:
        for name, descending in reversed(statement.order):
            prop = _property(entity, name)
            rows.sort(
                key=lambda record, prop=prop: _order_key(prop, _value(books, entity, prop, record)),  # type: ignore[misc]  # a lambda's default has no type to infer
                reverse=descending,
            )
    elif entity.is_list:
        rows.sort(key=entity.default_order)
    else:
        rows.sort(key=lambda record: _moment(record["MetaData"]["LastUpdatedTime"]) or _NEVER, reverse=True)


def _order_key(name: str, value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    if name == "Id":
        return (1, int(value) if str(value).isdigit() else 0)
    if name.startswith("MetaData."):
        return (1, _moment(str(value)))
    return (1, str(value).casefold() if isinstance(value, (str, bool)) else value)
