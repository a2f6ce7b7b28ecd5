"""QuickBooks' query language: statements with every value quoted, and pages in a fixed order (api-facts §6)."""

from collections.abc import Sequence
from typing import Literal

PAGE_SIZE = 1000


def quote(value: str) -> str:
    r"""A value in single quotes; a quote inside is escaped as \' and a backslash doubled."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


# Which rows of a list: active ones are what a query without a condition finds.
_ROWS = {"active": "", "all": " WHERE Active IN (true, false)", "inactive": " WHERE Active = false"}


def select_page(entity: str, *, page: int, rows: Literal["active", "all", "inactive"] = "active") -> str:
    """The n-th page (from 0) of a list. Ordered by Id: the default order moves while one pages."""
    where = _ROWS[rows]
    start = page * PAGE_SIZE + 1
    return f"SELECT * FROM {entity}{where} ORDERBY Id STARTPOSITION {start} MAXRESULTS {PAGE_SIZE}"  # noqa: S608 - not SQL


def select_where(entity: str, **equals: str) -> str:
    """The rows whose properties equal the given values; inactive rows are left out, as QuickBooks does by default."""
    conditions = " AND ".join(f"{name} = {quote(value)}" for name, value in equals.items())
    return f"SELECT * FROM {entity} WHERE {conditions} ORDERBY Id MAXRESULTS {PAGE_SIZE}"  # noqa: S608 - not SQL


def select_items(names: Sequence[str]) -> str:
    """Active items of any of these names, of whatever type."""
    wanted = ", ".join(quote(name.strip()) for name in names)
    return f"SELECT * FROM Item WHERE Name IN ({wanted}) ORDERBY Id MAXRESULTS {PAGE_SIZE}"  # noqa: S608 - not SQL


def select_beginning(entity: str, name: str, *, most: int) -> str:
    """Active ones whose name begins so; a per cent sign in it stands for anything, so the reader looks again."""
    where = f"DisplayName LIKE {quote(name + '%')}"
    return f"SELECT * FROM {entity} WHERE {where} ORDERBY Id MAXRESULTS {most}"  # noqa: S608 - not SQL


def select_named(entity: str, names: Sequence[str]) -> str:
    """Everybody of one of these names; one made inactive has " (deleted)" added to its own (api-facts §4.4)."""
    wanted = ", ".join(quote(name) for name in (*names, f"{names[0]} (deleted)"))
    where = f"DisplayName IN ({wanted}) AND Active IN (true, false)"
    return f"SELECT * FROM {entity} WHERE {where} ORDERBY Id MAXRESULTS {PAGE_SIZE}"  # noqa: S608 - not SQL
