"""What pages ask of a large backlog costs what it has, not its square."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from cone.accounting.causes import list_cause_cards
from cone.accounting.overview import read_flow
from cone.books.models import Connection, OutboxRow
from cone.operations.actor import Actor
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import connect

pytestmark = pytest.mark.django_db(transaction=True)

_BLOCKED, _WAITING = 50, 100_000

# From a certain size on the planner reads all of a company's rows for each that someone may wait for.
_BLOCK = """
with customers as (
    insert into books_outboxrow
        (company_id, kind, record_uuid, wanted_revision, priority, is_in_scope, state, cause_key, cause)
    select %(company)s, 'customer', gen_random_uuid(), 1, 0, true, 'blocked', 'name_taken:' || n,
        json_build_object('code', 'name_taken', 'key', 'name_taken:' || n, 'params', '{}'::json)
    from generate_series(1, %(blocked)s) n
    returning record_uuid
), numbered as (select record_uuid, row_number() over () as place from customers)
insert into books_outboxrow
    (company_id, kind, record_uuid, wanted_revision, priority, is_in_scope, state, waits_for_kind, waits_for_uuid)
select %(company)s, 'invoice', gen_random_uuid(), 1, 10, true, 'due', 'customer', c.record_uuid
from generate_series(1, %(waiting)s) n join numbered c on c.place = 1 + n %% %(blocked)s
"""


def _block_customers_of_invoices(active: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_BLOCK, {"company": active.company_id, "blocked": _BLOCKED, "waiting": _WAITING})
        cursor.execute("vacuum analyze books_outboxrow")


def _count_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select pg_stat_force_next_flush()")
        cursor.execute("select pg_stat_clear_snapshot()")
        cursor.execute(
            "select (select sum(idx_tup_read) from pg_stat_user_indexes where relname = 'books_outboxrow')::bigint "
            "+ (select seq_tup_read from pg_stat_user_tables where relname = 'books_outboxrow')"
        )
        found: int = cursor.fetchone()[0]
        return found


@contextmanager
def _impatient() -> Iterator[None]:
    """What read the square of it wouldn't come to an end."""
    with connection.cursor() as cursor:
        cursor.execute("set statement_timeout = '30s'")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("reset statement_timeout")


def test_what_waits_for_a_few_blocked_records_is_read_a_few_times(owner: Actor, ledger: FakeLedger) -> None:
    active = connect(owner, ledger)
    _block_customers_of_invoices(active)
    before = _count_read()

    with _impatient():
        cards = list_cause_cards(owner.workspace.pk)
        invoices = next(arrow for arrow in read_flow(owner.workspace.pk) if arrow.kind == "invoice")

    assert [card.count for card in cards] == [1 + _WAITING // _BLOCKED] * _BLOCKED
    assert (invoices.waiting, invoices.attention) == (0, _WAITING)
    assert _count_read() - before < 20 * OutboxRow.objects.count()


def test_what_pages_ask_is_not_compiled(owner: Actor) -> None:
    with connection.cursor() as cursor:
        cursor.execute("show jit")
        assert cursor.fetchone() == ("off",)
