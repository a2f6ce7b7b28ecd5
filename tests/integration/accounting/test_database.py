"""The lanes' way to the database: statements too long for the driver's cache, and waits for a connection."""

import asyncio
from datetime import timedelta

import pytest

from cone.accounting.database import LongStatements, Pool, connect, make_pool

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


def test_who_is_cancelled_as_the_connection_comes_is_cancelled() -> None:
    """After so many turns of the loop since the connection was given back: some of them meet the very moment."""

    async def hold(pool: Pool) -> None:
        async with pool.connection():
            await asyncio.sleep(60)

    async def cancel_after(turns: int) -> bool:
        async with make_pool(size=1) as pool:
            async with pool.connection():
                waiter = asyncio.create_task(hold(pool))
                await asyncio.sleep(0.01)
            for _ in range(turns):
                await asyncio.sleep(0)
            waiter.cancel()
            done, _ = await asyncio.wait({waiter}, timeout=2)
            was_cancelled = bool(done) and waiter.cancelled()
            waiter.cancel()
            await asyncio.wait({waiter})
            # The connection is free again.
            async with pool.connection(timeout=5) as database:
                await database.execute("select 1")
            return was_cancelled

    assert [asyncio.run(cancel_after(turns)) for turns in range(8)] == [True] * 8
