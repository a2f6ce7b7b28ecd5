"""The lanes' way to the database: statements too long for the driver's cache."""

import asyncio
from datetime import timedelta

import pytest

from cone.accounting.database import LongStatements, connect

pytestmark = pytest.mark.django_db(transaction=True)

_LONG = f"""
select %(rows)b::bigint[] as rows, %(word)s::text || %(word)s::text as twice, now() + %(delay)s > now() as is_later,
    %(nothing)s::bigint is null as is_null  -- {"x" * 5000}
"""


def test_a_long_statement_takes_named_values() -> None:
    async def ask() -> object:
        database = await connect(autocommit=True)
        try:
            values = {"nothing": None, "delay": timedelta(seconds=3), "word": "it's", "rows": [7, 2**40], "unused": 1}
            return await (await LongStatements(database).execute(_LONG, values)).fetchone()
        finally:
            await database.close()

    assert asyncio.run(ask()) == {"rows": [7, 2**40], "twice": "it'sit's", "is_later": True, "is_null": True}
