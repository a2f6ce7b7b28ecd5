"""A look reads what its rows need, however much the firm has, and however little other firms have."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from cone.accounting.attempts import Fence
from cone.accounting.database import Database, Pool
from cone.accounting.records import Patience
from cone.accounting.snapshot import read_snapshot
from cone.books.models import Connection, Link, OutboxRow, RemoteCompany
from cone.operations.actor import Actor
from tests.builders import make_customer, make_invoice
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import configure, connect

pytestmark = pytest.mark.django_db(transaction=True)

_ALL, _FIRMS, _EACH = 20_000, 400, 20
_WAITING = 40


def fill(company: RemoteCompany, links: int) -> None:
    Link.objects.bulk_create(
        Link(
            company=company,
            kind="invoice",
            record_uuid=uuid4(),
            remote_id=number,
            remote_version="0",
            synced_revision=1,
        )
        for number in range(links)
    )


def test_look_reads_no_more_links_of_a_large_firm_beside_many_small_ones(owner: Actor, ledger: FakeLedger) -> None:
    connect(owner, ledger)
    configure(owner)
    active = Connection.objects.get()
    fill(active.company, _ALL)
    for number in range(_FIRMS):
        small = RemoteCompany.objects.create(
            workspace=owner.workspace, provider="fake", environment="test", remote_id=f"small {number}"
        )
        fill(small, _EACH)
    customer = make_customer(owner)
    for _ in range(_WAITING):
        make_invoice(owner, customer, is_issued=True)
    assert OutboxRow.objects.count() > _WAITING
    with connection.cursor() as cursor:
        cursor.execute("analyze")

    async def count_read(database: Database) -> int:
        await database.execute("select pg_stat_force_next_flush()")
        await database.execute("select pg_stat_clear_snapshot()")
        cursor = await database.execute(
            "select sum(idx_tup_read)::bigint + (select sum(seq_tup_read)::bigint from pg_stat_user_tables "
            "where relname = 'books_link') as read from pg_stat_user_indexes where relname = 'books_link'"
        )
        row = await cursor.fetchone()
        assert row is not None
        found: int = row["read"]
        return found

    async def look() -> tuple[int, int]:
        async with Pool(size=1) as pool, pool.connection() as database:
            before = await count_read(database)
            snapshot = await read_snapshot(
                database,
                fence=Fence(active.pk, active.company_id, active.lane_epoch),
                general_service=uuid4(),
                limit=90,
                lowest_priority=100,
                patience=Patience(timedelta(seconds=30), timedelta(seconds=130)),
            )
            return len(snapshot.subjects), await count_read(database) - before

    looked, read = asyncio.run(look())
    assert looked == OutboxRow.objects.count()
    assert read < 10 * looked
