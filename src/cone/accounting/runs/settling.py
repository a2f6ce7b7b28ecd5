"""Writes down what has become of runs: what stands there by now, and which runs are over. Idempotent."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from cone.accounting.causes import PATIENT
from cone.accounting.database import Database
from cone.accounting.sql import runs as runs_sql

_STATEMENTS = (
    runs_sql.LOCK_RUNS,
    runs_sql.SETTLE_RECORDS,
    runs_sql.DROP_RECORDS,
    runs_sql.FINISH_RUNS,
    runs_sql.FINISH_UNDOING,
)


async def settle_runs(database: Database, *, companies: Sequence[int] | None = None) -> None:
    """Settle all that are under way, of these companies or of any; one after the other, since each locks its runs."""
    if companies is None:
        cursor = await database.execute(runs_sql.OPEN_COMPANIES)
    else:
        cursor = await database.execute(runs_sql.OPEN_AMONG, {"companies": list(companies)})
    for row in await cursor.fetchall():
        values = _values([row["company_id"]])
        async with database.transaction():
            for statement in _STATEMENTS:
                await database.execute(statement, values)


def settle_runs_of(company_pk: int) -> None:
    """Settle one company's, within the caller's transaction."""
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, _values([company_pk]))


def _values(companies: Sequence[int]) -> dict[str, Any]:
    return {"companies": list(companies), "patient": sorted(PATIENT)}
