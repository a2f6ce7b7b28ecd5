"""A look reads what its rows need, however much the firm has, and however little other firms have."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now

from cone.accounting.attempts import Fence
from cone.accounting.database import Database, Pool
from cone.accounting.records import Patience, Situation
from cone.accounting.snapshot import read_snapshot
from cone.books.models import Connection, Link, OutboxRow, RemoteCompany
from cone.kit.values import replace
from cone.operations.actor import Actor
from cone.operations.store_reference import store_reference
from tests.builders import make_customer, make_invoice, make_service
from tests.fakes.ledger import DEFAULT_COMPANY, FakeLedger
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


def read_situation(former: Situation | None = None) -> Situation:
    """How things stand by a look of the connection's lane."""
    active = Connection.objects.get()

    async def look() -> Situation:
        async with Pool(size=1) as pool, pool.connection() as database:
            snapshot = await read_snapshot(
                database,
                fence=Fence(active.pk, active.company_id, active.lane_epoch),
                general_service=uuid4(),
                limit=90,
                lowest_priority=100,
                patience=Patience(timedelta(seconds=30), timedelta(seconds=130)),
                former=former,
            )
            return snapshot.situation

    return asyncio.run(look())


def test_item_that_the_daily_reading_found_is_missing_no_more_though_the_settings_are_as_before(
    owner: Actor, ledger: FakeLedger
) -> None:
    """A busy lane takes over what its former look knew; this isn't part of it."""
    make_service(owner, "Advice")
    active = connect(owner, ledger)
    former = read_situation()
    assert former.missing_items == {"advice", "services"}

    company = ledger.companies[DEFAULT_COMPANY]
    reference = replace(company.reference(), missing_items=("Services",))
    assert not store_reference(active.pk, company.facts, reference)

    now = read_situation(former)
    assert now.settings_revision == former.settings_revision
    assert now.missing_items == {"services"}


@pytest.mark.parametrize(("hours", "are_trusted"), [(25, True), (47, True), (49, False), (None, False)])
def test_what_old_lists_did_not_have_is_looked_for(
    owner: Actor, ledger: FakeLedger, hours: int | None, are_trusted: bool
) -> None:
    connect(owner, ledger)
    Connection.objects.update(facts_read_at=None if hours is None else Now() - timedelta(hours=hours))
    assert bool(read_situation().missing_items) is are_trusted


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
