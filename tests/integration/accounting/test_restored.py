"""An older backup restored: what was sent since stands there already, and nothing is made a second time."""

from decimal import Decimal
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.db import connection
from psycopg import sql

from cone.accounting.port.documents import Kind, ServiceDocument
from cone.books.models import Attempt, Connection, Customer, Invoice, Link, OutboxRow
from cone.operations.actor import Actor
from cone.operations.note_restored import note_restored
from tests.builders import get_tax_rate, make_customer, make_invoice, make_line, make_service
from tests.fakes.books import FakeRecord
from tests.fakes.ledger import DEFAULT_COMPANY, FakeLedger
from tests.integration.accounting.conftest import MakeWorker, configure, connect, is_settled, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def forget_what_came_of_it() -> None:
    """The books as of before the worker wrote down anything: issued, asked for, and as far as they know never sent."""
    customers = [("customer", uuid, revision) for uuid, revision in Customer.objects.values_list("uuid", "revision")]
    invoices = [("invoice", uuid, revision) for uuid, revision in Invoice.objects.values_list("uuid", "revision")]
    company = Connection.objects.get().company_id
    OutboxRow.objects.all().delete()
    Attempt.objects.all().delete()
    Link.objects.all().delete()
    for kind, uuid, revision in (*customers, *invoices):
        OutboxRow.objects.create(
            company_id=company, kind=kind, record_uuid=uuid, wanted_revision=revision, is_in_scope=True
        )


def test_older_backup_restored_finds_by_request_id_what_was_sent_since(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    configure(owner)
    worker = make_worker()
    make_invoice(owner, is_issued=True)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    kinds: tuple[Kind, ...] = ("customer", "service", "invoice")
    there = {kind: ledger.records(kind) for kind in kinds}
    links = dict(Link.objects.values_list("record_uuid", "remote_id"))
    worker.stop()

    forget_what_came_of_it()
    make_worker()
    wait_until(lambda: Link.objects.count() == len(links) and is_settled(owner))
    assert dict(Link.objects.values_list("record_uuid", "remote_id")) == links
    assert {kind: ledger.records(kind) for kind in there} == there


def test_item_made_since_the_copy_is_found_though_the_lists_of_the_copy_lack_it(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    service = make_service(owner, "Advice")
    connect(owner, ledger)
    configure(owner)
    theirs = ServiceDocument(
        uuid=uuid4(), revision=1, name="Advice", description="", unit_price=Decimal(0), income_account_id="9"
    )
    there = FakeRecord(kind="service", remote_id="900", document=theirs)
    ledger.companies[DEFAULT_COMPANY].records["service", "900"] = there
    note_restored()

    make_worker()
    make_invoice(owner, lines=[make_line(get_tax_rate(owner.workspace), service=service)], is_issued=True)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))

    assert Link.objects.get(kind="service").remote_id == "900"
    assert ledger.count_sends("service") == 0


def test_older_backup_restored_after_the_ids_are_forgotten_makes_no_second_invoice(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    """The number is taken there by our own: it's looked at before anybody is asked, and linked by its mark."""
    connect(owner, ledger)
    configure(owner)
    worker = make_worker()
    make_invoice(owner, is_issued=True)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    (invoice,) = ledger.records("invoice")
    worker.stop()

    ledger.memory.is_kept = False
    forget_what_came_of_it()
    make_worker()
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner))
    assert Link.objects.get(kind="invoice").remote_id == invoice.remote_id
    assert (len(ledger.records("invoice")), len(ledger.records("customer"))) == (1, 1)


def test_restored_without_the_key_file_asks_to_reconnect_and_loses_nothing(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, settings: LazySettings
) -> None:
    connect(owner, ledger)
    configure(owner)
    settings.TOKEN_KEYS = [Fernet.generate_key()]
    make_worker()
    make_invoice(owner, is_issued=True)
    wait_until(Connection.objects.filter(state="needs_reconnect").exists)
    assert "reconnect" in Connection.objects.get().state_reason
    assert OutboxRow.objects.filter(kind="invoice").exists()

    connect(owner, ledger)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))


def test_no_column_of_any_table_holds_a_token_or_a_code(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, caplog: pytest.LogCaptureFixture
) -> None:
    """After connecting, sending, an ended token and a dead one: every text, json and bytea column of the database."""
    caplog.set_level("DEBUG")
    connect(owner, ledger)
    configure(owner)
    make_worker()
    ledger.expire_access()
    make_invoice(owner, is_issued=True)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    ledger.disconnect_there()
    make_customer(owner, "Another")
    wait_until(Connection.objects.filter(state="needs_reconnect").exists)
    with connection.cursor() as cursor:
        cursor.execute(
            "select table_name, column_name, data_type from information_schema.columns where table_schema = 'public' "
            "and data_type in ('text', 'character varying', 'jsonb', 'json', 'bytea')"
        )
        columns = cursor.fetchall()
        kept = {"log": caplog.text}
        for table, column, kind in columns:
            read = sql.SQL("encode({}, 'escape')") if kind == "bytea" else sql.SQL("{}::text")
            column_text = read.format(sql.Identifier(column))
            cursor.execute(sql.SQL("select string_agg({}, chr(10)) from {}").format(column_text, sql.Identifier(table)))
            kept[f"{table}.{column}"] = (cursor.fetchone() or ("",))[0] or ""
    assert "books_attempt.body" in kept
    assert "customer" in kept["books_attempt.kind"]
    secrets = ("access-", "refresh-", "code-")
    assert [(name, secret) for name, text in kept.items() for secret in secrets if secret in text] == []
