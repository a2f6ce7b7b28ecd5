"""The lanes' way to the database: statements with named values, and connections that are lent."""

import asyncio
import os
import pkgutil
import re
import signal
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import timedelta
from importlib import import_module

import asyncpg
import psycopg
import pytest
from django.db import connection

from cone import accounting
from cone.accounting import sql
from cone.accounting.database import Database, DatabaseAwayError, Pool
from cone.accounting.database import connection as connection_module
from cone.accounting.database import pool as pool_module
from cone.accounting.database.connection import numbered
from cone.accounting.database.opening import address_of
from cone.accounting.tokens import own_connection
from tests.integration.accounting.database import conninfo

pytestmark = pytest.mark.django_db(transaction=True)

_MANY = """
select %(rows)s::bigint[] as rows, %(word)s::text || %(word)s::text as twice,
    now() + %(delay)s::interval > now() as later, %(nothing)s::bigint is null as is_null, %(value)s::jsonb as value,
    'a%%' as percent
"""


def _kill(pid: int) -> None:
    with psycopg.connect(conninfo(), autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s)", [pid])


async def _one(database: Database, query: str) -> object:
    row = await (await database.execute(query)).fetchone()
    return row and row["found"]


def test_a_statement_takes_named_values() -> None:
    async def ask() -> dict[str, object]:
        async with own_connection() as database:
            values = {
                "nothing": None,
                "delay": timedelta(seconds=3),
                "word": "it's",
                "rows": [7, 2**40],
                "value": {"a": [1, None, "ü"]},
                "unused": 1,
            }
            (row,) = await (await database.execute(_MANY, values)).fetchall()
            return dict(row)

    assert asyncio.run(ask()) == {
        "rows": [7, 2**40],
        "twice": "it'sit's",
        "later": True,
        "is_null": True,
        "value": {"a": [1, None, "ü"]},
        "percent": "a%",
    }


_STATEMENT = re.compile(r"\s*(select|with|insert|update|delete) ")


def _statements() -> Iterator[tuple[str, str]]:
    """Those of the engine that are run as they stand; parts of others have names with an underscore in `sql`."""
    for module in pkgutil.walk_packages(accounting.__path__, f"{accounting.__name__}."):
        for name, text in vars(import_module(module.name)).items():
            is_part = module.name.startswith(sql.__name__) and name.startswith("_")
            if name.isupper() and isinstance(text, str) and _STATEMENT.match(text) and not is_part:
                yield f"{module.name}.{name}", text


def test_the_server_knows_the_type_of_every_value() -> None:
    """The driver asks it: where it can't tell, a statement fails when it's first run."""
    statements = dict(_statements())
    assert len(statements) > 60

    async def prepare() -> list[str]:
        line = await asyncpg.connect(**address_of(connection.get_connection_params()))
        unclear = []
        for name, text in statements.items():
            try:
                await line.prepare(numbered(text)[0])
            except asyncpg.PostgresError as error:
                unclear.append(f"{name}: {error}")
        await line.close()
        return unclear

    assert asyncio.run(prepare()) == []


def test_what_belongs_together_is_undone_together() -> None:
    async def insert_twice(database: Database) -> None:
        async with database.transaction():
            await database.execute("create unique index on tried (n)")
            await database.execute("insert into tried values (1)")

    async def insert_and_fail(database: Database) -> None:
        async with database.transaction():
            await database.execute("insert into tried values (1)")
            with pytest.raises(asyncpg.UniqueViolationError):
                await insert_twice(database)
            await database.execute("insert into tried values (2)")
            assert await _one(database, "select count(*) as found from tried") == 2
            raise ZeroDivisionError

    async def undo() -> object:
        async with own_connection() as database:
            await database.execute("create temporary table tried (n int)")
            with pytest.raises(ZeroDivisionError):
                await insert_and_fail(database)
            return await _one(database, "select count(*) as found from tried")

    assert asyncio.run(undo()) == 0


def test_who_listens_hears_until_the_connection_is_lost() -> None:
    heard = []

    async def hear(database: Database, said: AsyncIterator[str]) -> None:
        async for word in said:
            heard.append(word)
            if word == "two":
                await asyncio.to_thread(_kill, database.backend_pid())

    async def say_and_hear() -> None:
        async with own_connection() as database, own_connection() as other:
            said = await database.listen("cone_test")
            await other.execute("notify cone_test, 'one'")
            await other.execute("notify cone_test, 'two'")
            with pytest.raises(DatabaseAwayError):
                await asyncio.wait_for(hear(database, said), 10)

    asyncio.run(say_and_hear())
    assert heard == ["one", "two"]


def test_who_is_cancelled_as_the_connection_comes_is_cancelled() -> None:
    """After so many turns of the loop since the connection was given back: some of them meet the very moment."""

    async def hold(pool: Pool) -> None:
        async with pool.connection():
            await asyncio.sleep(60)

    async def cancel_after(turns: int) -> bool:
        async with Pool(size=1) as pool:
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
            async with asyncio.timeout(5), pool.connection() as database:
                await database.execute("select 1")
            return was_cancelled

    assert [asyncio.run(cancel_after(turns)) for turns in range(8)] == [True] * 8


def test_a_pool_lends_no_more_than_its_size_and_the_same_again() -> None:
    async def lend() -> tuple[int, int]:
        lent = most = 0
        pids = set()

        async def use(pool: Pool) -> None:
            nonlocal lent, most
            async with pool.connection() as database:
                lent += 1
                most = max(most, lent)
                pids.add(database.backend_pid())
                await database.execute("select pg_sleep(0.01)")
                lent -= 1

        async with Pool(size=3) as pool:
            await asyncio.gather(*(use(pool) for _ in range(30)))
        return most, len(pids)

    assert asyncio.run(lend()) == (3, 3)


def _alive(pids: Iterable[int]) -> set[int]:
    with psycopg.connect(conninfo(), autocommit=True) as other:
        found = other.execute("select pid from pg_stat_activity where pid = any(%s)", [list(pids)]).fetchall()
    return {pid for (pid,) in found}


def test_a_pool_closes_what_a_rush_left_idle_and_keeps_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "_IDLE_NS", 300_000_000)

    async def use(pool: Pool) -> int:
        async with pool.connection() as database:
            await database.execute("select pg_sleep(0.05)")
            return database.backend_pid()

    async def rush_and_rest() -> tuple[set[int], set[int], set[int]]:
        async with Pool(size=5) as pool:
            pids = set(await asyncio.gather(*(use(pool) for _ in range(5))))
            for _ in range(4):
                await use(pool)
            rushed = _alive(pids)
            await asyncio.sleep(0.4)
            used = {await use(pool) for _ in range(8)}
            await asyncio.sleep(0.1)
            return rushed, _alive(pids), used

    rushed, rested, used = asyncio.run(rush_and_rest())
    assert (len(rushed), len(rested), len(used)) == (5, 2, 1)
    assert used < rested


@pytest.mark.parametrize("left", ["cancelled", "in a transaction", "killed", "killed while idle"])
def test_what_isnt_at_rest_is_lent_to_nobody(left: str) -> None:
    async def leave(pool: Pool) -> int:
        async with pool.connection() as database:
            pid = database.backend_pid()
            if left == "cancelled":
                await database.execute("select pg_sleep(60)")
            elif left == "in a transaction":
                await database.execute("begin")
            elif left == "killed":
                await asyncio.to_thread(_kill, pid)
                await database.execute("select 1")
        return pid

    async def lend() -> None:
        async with Pool(size=1) as pool:
            async with pool.connection() as database:
                first = database.backend_pid()
            task = asyncio.create_task(leave(pool))
            await asyncio.sleep(0.2)
            task.cancel()
            await asyncio.wait({task})
            if left == "killed while idle":
                await asyncio.to_thread(_kill, first)
                await asyncio.sleep(0.2)
            async with asyncio.timeout(5), pool.connection() as database:
                assert database.backend_pid() != first
                assert await _one(database, "select 1 as found") == 1

    asyncio.run(lend())


def test_whoever_kills_its_server_process_a_statement_says_that_the_database_is_away() -> None:
    """Also where the driver calls it a usage error: begun between the server's last word and the end of the line."""

    async def ask(pool: Pool) -> None:
        while True:
            async with pool.connection() as database:
                for _ in range(200):
                    await database.execute("select 1")
                await asyncio.to_thread(_kill, database.backend_pid())
                while True:
                    await database.execute("select 1")

    async def count() -> None:
        async with Pool(size=4) as pool:
            for _ in range(10):
                asked = await asyncio.gather(*(ask(pool) for _ in range(4)), return_exceptions=True)
                assert {type(one) for one in asked} == {DatabaseAwayError}

    asyncio.run(count())


@pytest.mark.parametrize("where", ["in a statement", "in a transaction", "at rest"])
def test_who_is_cancelled_while_the_server_hangs_is_cancelled(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_CLOSING_SECONDS", 0.3)

    async def wait(pool: Pool, pids: "asyncio.Queue[int]") -> None:
        async with pool.connection() as database:
            if where == "in a transaction":
                async with database.transaction():
                    await database.execute("select 1")
                    await pids.put(database.backend_pid())
                    await asyncio.sleep(60)
            await pids.put(database.backend_pid())
            if where == "in a statement":
                await database.execute("select pg_sleep(60)")
            await asyncio.sleep(60)

    async def cancel() -> bool:
        pids: asyncio.Queue[int] = asyncio.Queue()
        async with Pool(size=1) as pool:
            task = asyncio.create_task(wait(pool, pids))
            pid = await pids.get()
            await asyncio.sleep(0.1)
            os.kill(pid, signal.SIGSTOP)
            try:
                task.cancel()
                await asyncio.wait({task}, timeout=5)
                return task.done() and task.cancelled()
            finally:
                os.kill(pid, signal.SIGCONT)
                await asyncio.to_thread(_kill, pid)

    assert asyncio.run(cancel())


def test_who_is_cancelled_in_a_transaction_whose_line_is_dead_is_cancelled() -> None:
    async def work(pool: Pool) -> None:
        async with pool.connection() as database, database.transaction():
            await asyncio.to_thread(_kill, database.backend_pid())
            await asyncio.sleep(60)

    async def cancel() -> bool:
        async with Pool(size=1) as pool:
            task = asyncio.create_task(work(pool))
            await asyncio.sleep(0.3)
            task.cancel()
            await asyncio.wait({task}, timeout=5)
            return task.cancelled()

    assert asyncio.run(cancel())


def test_while_the_server_is_full_a_borrower_waits_for_one_that_is_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse() -> Database:
        raise DatabaseAwayError("sorry, too many clients already")

    async def borrow(pool: Pool) -> int:
        async with pool.connection() as database:
            await database.execute("select pg_sleep(0.05)")
            return database.backend_pid()

    async def share() -> set[int]:
        async with Pool(size=4) as pool:
            await borrow(pool)
            monkeypatch.setattr(pool_module, "connect", refuse)
            return set(await asyncio.gather(*(borrow(pool) for _ in range(4))))

    assert len(asyncio.run(share())) == 1


def test_who_waits_too_long_for_a_connection_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "_PATIENCE_SECONDS", 0.2)

    async def wait() -> None:
        async with Pool(size=1) as pool, pool.connection():
            with pytest.raises(DatabaseAwayError, match="in use"):
                await pool.connection().__aenter__()

    asyncio.run(wait())


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        (
            {"dbname": "c", "host": "2001:db8::5", "port": "5433"},
            {"database": "c", "host": ["2001:db8::5"], "port": 5433},
        ),
        (
            {"dbname": "c", "host": "/run/a socket", "password": "a%/:@?'"},
            {"database": "c", "host": ["/run/a socket"], "password": "a%/:@?'"},
        ),
        ({"host": "a,b"}, {"host": ["a", "b"]}),
        (
            {"options": "-c timezone=UTC", "sslmode": "verify-full", "sslrootcert": "/a b.pem"},
            {"dsn": "postgresql://?options=-c%20timezone%3DUTC&sslmode=verify-full&sslrootcert=%2Fa%20b.pem"},
        ),
    ],
)
def test_the_driver_is_told_the_address_in_its_words(settings: dict[str, str], address: dict[str, object]) -> None:
    assert address_of(settings) == address


def test_the_systems_authorities_are_asked_with_the_servers_name() -> None:
    context = address_of({"host": "db.example", "sslmode": "require", "sslrootcert": "system"})["ssl"]
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_a_refused_statement_costs_no_connection() -> None:
    async def refuse() -> bool:
        async with Pool(size=1) as pool:
            async with pool.connection() as database:
                first = database.backend_pid()
            with pytest.raises(asyncpg.UndefinedTableError):
                async with pool.connection() as database, database.transaction():
                    await database.execute("select 1 from nowhere")
            async with pool.connection() as database:
                return database.backend_pid() == first

    assert asyncio.run(refuse())
