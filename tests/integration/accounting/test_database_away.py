"""A lane whose database goes away breaks and comes back with the next sweep; no record is taken for faulty by that.

The lane's own connection is ended at each kind of statement: before the server does it, or done and its answer lost.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from cone.accounting.database import Database
from cone.accounting.sql import attempts as attempts_sql
from cone.accounting.sql import budget as budget_sql
from cone.accounting.sql import lane as lane_sql
from cone.accounting.sql import outcomes as outcomes_sql
from cone.books.models import Attempt, Link, OutboxRow
from cone.operations.actor import Actor
from tests.builders import make_customer, make_invoice
from tests.fakes.ledger import FakeLedger, Sending
from tests.integration.accounting.conftest import MakeWorker, configure, connect, hurry, wait_until
from tests.integration.accounting.database import conninfo

pytestmark = pytest.mark.django_db(transaction=True)

STATEMENTS = {
    "take over": lane_sql.RESET_SENDING,
    "look": lane_sql.LOOK,
    "budget": budget_sql.TURN,
    "open attempts": attempts_sql.OPEN_ATTEMPTS,
    "settle": outcomes_sql.DELIVERED,
    "when next": lane_sql.NEXT_DUE,
}


async def end(database: Database) -> None:
    """End its server process, as a restart or an administrator does."""

    def terminate() -> None:
        with psycopg.connect(conninfo(), autocommit=True) as other:
            other.execute("select pg_terminate_backend(%s)", [database.backend_pid()])

    await asyncio.to_thread(terminate)


def end_at(monkeypatch: pytest.MonkeyPatch, statement: str, *, is_done: bool) -> None:
    """Have the first such statement lose its connection."""
    execute, is_lost = Database.execute, False

    async def lose(self: Database, query: str, values: Mapping[str, object] = {}, /) -> Any:
        nonlocal is_lost
        if query != statement or is_lost:
            return await execute(self, query, values)
        is_lost = True
        if is_done:
            await execute(self, query, values)
        await end(self)
        return await execute(self, query, values)

    monkeypatch.setattr(Database, "execute", lose)


def said_of_work(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged of lanes and records, up to what the driver calls it."""
    said = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    return [text.partition(" (")[0] for text in said if "lane of" in text or "broke" in text]


@pytest.mark.parametrize("count", [1, 12])
@pytest.mark.parametrize("is_done", [False, True], ids=["not done", "answer lost"])
@pytest.mark.parametrize("point", STATEMENTS)
def test_lane_that_loses_the_database_comes_back_and_each_invoice_stands_once(
    point: str,
    is_done: bool,
    count: int,
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hurry(ledger, 500)
    active = connect(owner, ledger)
    configure(owner)
    for number in range(count):
        make_invoice(owner, make_customer(owner, f"Customer {number}"), is_issued=True)
    end_at(monkeypatch, STATEMENTS[point], is_done=is_done)
    make_worker()

    wait_until(lambda: said_of_work(caplog))
    # A record that was taken for faulty would wait for half a minute, and be told as broken.
    wait_until(lambda: Link.objects.filter(kind="invoice").count() == count and not OutboxRow.objects.exists())
    assert said_of_work(caplog) == [f"lane of connection {active.pk}: the database is away"]
    stand_there = [record.document.uuid for record in ledger.records("invoice")]
    assert len(stand_there) == len(set(stand_there)) == count
    assert not Attempt.objects.exclude(state="succeeded").exclude(verdict="not_there").exists()


def test_lane_that_loses_the_database_while_it_looks_starts_nothing_more(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What it started then would be cut off as soon as it breaks."""
    hurry(ledger, 500)
    active = connect(owner, ledger)
    configure(owner)
    make_customer(owner)
    execute = Database.execute
    is_opening, is_looking, is_lost = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def lose(self: Database, query: str, values: Mapping[str, object] = {}, /) -> Any:
        if query == attempts_sql.OPEN_ATTEMPTS and not is_opening.is_set():
            is_opening.set()
            worker.dispatcher.wake(active.pk)
            await is_looking.wait()
            # The work has ended by the time the look goes on.
            asyncio.get_running_loop().call_later(0.5, is_lost.set)
            await end(self)
        elif query == lane_sql.LOOK and is_opening.is_set() and not is_looking.is_set():
            is_looking.set()
            await is_lost.wait()
        return await execute(self, query, values)

    monkeypatch.setattr(Database, "execute", lose)
    said_before_sending: list[str] = []

    async def note(_: Sending) -> None:
        said_before_sending.extend(said_of_work(caplog))

    ledger.before_send = note
    worker = make_worker()
    wait_until(lambda: Link.objects.filter(kind="customer").exists())
    assert said_before_sending == said_of_work(caplog) == [f"lane of connection {active.pk}: the database is away"]
