"""What the database did meanwhile: its processor time, the rows it read in sequence, and plans of single statements."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import NoneType
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

_PLACEHOLDER = re.compile(r"%\((\w+)\)[sbt]")
_TYPES = {int: "bigint", NoneType: "bigint", str: "text", list: "bigint[]", UUID: "uuid", timedelta: "interval"}
_TICKS = os.sysconf("SC_CLK_TCK")


def server_cpu_seconds() -> float:
    """Processor time of the server and all its processes so far, those that have ended included."""
    from django.db import connection  # noqa: PLC0415  # after django.setup()

    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        backend = cursor.fetchone()[0]
    fields = _stat(int(_stat(backend)[1]))
    # The postmaster has the time of its ended children; the living ones are asked singly.
    postmaster = int(_stat(backend)[1])
    own = sum(int(each) for each in fields[11:15])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return (own + sum(_used(int(child)) for child in children)) / _TICKS


def _used(pid: int) -> int:
    try:
        fields = _stat(pid)
    except OSError:  # it has ended meanwhile
        return 0
    return int(fields[11]) + int(fields[12])


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def read_in_sequence() -> dict[str, int]:
    """Rows read by sequential scans so far, by table: no statement that grows with the book may hide in here."""
    from django.db import connection  # noqa: PLC0415  # after django.setup()

    with connection.cursor() as cursor:
        cursor.execute("select pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
        cursor.execute("select relname, seq_tup_read from pg_stat_user_tables where relname like 'books_%%'", [])
        return dict(cursor.fetchall())


def read_of_indexes() -> int:
    """Entries read of all indexes so far: a statement that reads by one whatever a firm has shows here."""
    from django.db import connection  # noqa: PLC0415  # after django.setup()

    with connection.cursor() as cursor:
        cursor.execute("select pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
        cursor.execute("select sum(idx_tup_read)::bigint from pg_stat_user_indexes")
        found: int = cursor.fetchone()[0]
        return found


def since(before: Mapping[str, int]) -> dict[str, int]:
    """Rows read by sequential scans since then, by table."""
    return {table: count - before.get(table, 0) for table, count in read_in_sequence().items()}


@dataclass(frozen=True, slots=True)
class Plan:
    """How the server runs a statement: its nodes, the time and the pages it touched."""

    name: str
    nodes: tuple[str, ...]
    milliseconds: str
    pages: int

    def row(self) -> dict[str, object]:
        """As a line of a table."""
        return {
            "statement": self.name,
            "ms": self.milliseconds,
            "pages": self.pages,
            "scans": ", ".join(sorted({node for node in self.nodes if "Scan on" in node or "Scan by" in node})),
        }


def explain(name: str, statement: str, values: Mapping[str, Any]) -> Plan:
    """Run a statement with `explain (analyze, buffers)` under its generic plan, and take back what it changed.

    The lanes' connections plan each statement once for all its values, so that is the plan that counts.
    """
    from django.db import connection  # noqa: PLC0415  # after django.setup()

    names: list[str] = []

    def place(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    prepared = _PLACEHOLDER.sub(place, statement).replace("%%", "%")
    given = sql.SQL(", ").join(sql.Literal(values[each]) for each in names)
    with psycopg.connect(**connection.get_connection_params()) as database:
        for setting in ("jit = off", "plan_cache_mode = force_generic_plan"):
            database.execute(f"set {setting}")
        types = f"({', '.join(_TYPES[type(values[each])] for each in names)})" if names else ""
        database.execute(f"prepare measured {types} as {prepared}")
        arguments = sql.SQL("({})").format(given) if names else sql.SQL("")
        question = sql.SQL("explain (analyze, buffers, format json) execute measured") + arguments
        [answer] = (database.execute(question).fetchone() or [[]])[0]
        database.rollback()
    root = answer["Plan"]
    pages = root.get("Shared Hit Blocks", 0) + root.get("Shared Read Blocks", 0)
    return Plan(name, tuple(_nodes(root)), f"{answer['Execution Time']:.2f}", pages)


def _nodes(node: dict[str, object]) -> list[str]:
    said = str(node["Node Type"])
    if "Relation Name" in node:
        said += f" on {str(node['Relation Name']).removeprefix('books_')}"
    if "Index Name" in node:
        said += f" by {node['Index Name']}"
    children = node.get("Plans", [])
    return [said, *(each for child in (children if isinstance(children, list) else []) for each in _nodes(child))]
