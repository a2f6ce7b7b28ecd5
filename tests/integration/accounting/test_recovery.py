"""What goes wrong around the lanes: dead database connections, lost notifications, changes that cross a sign-in."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import connections, transaction

from cone.accounting.port.documents import InvoiceDocument, Kind
from cone.accounting.port.verdicts import Answered, RejectedError
from cone.books.models import Connection, Customer, Invoice, Link, OutboxRow, Service
from cone.operations.actor import Actor
from cone.operations.disconnect_provider import disconnect_provider
from tests.builders import (
    make_customer,
    make_invoice,
    make_owner,
    make_service,
)
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import (
    NO_SWEEP,
    MakeWorker,
    configure,
    connect,
    hurry,
    is_settled,
    reprice,
    wait_until,
)
from tests.integration.accounting.database import conninfo

pytestmark = pytest.mark.django_db(transaction=True)

_OTHERS = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> %s"


def terminate(condition: str = "") -> int:
    """End the database connections of everybody else that match; how many."""
    connections.close_all()
    with psycopg.connect(conninfo(), autocommit=True) as other:
        return len(other.execute(_OTHERS + condition, [other.info.backend_pid]).fetchall())


def test_listener_that_dies_is_replaced_and_what_it_missed_is_found(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    worker = make_worker(NO_SWEEP)
    connect(owner, ledger)
    make_customer(owner, "First")
    wait_until(lambda: len(ledger.records("customer")) == 1 and is_settled(owner))
    assert terminate(" and query ilike 'listen %%'") == 1
    make_customer(owner, "While nobody listens")
    wait_until(lambda: len(ledger.records("customer")) == 2, seconds=20)
    make_customer(owner, "After")
    wait_until(lambda: len(ledger.records("customer")) == 3 and is_settled(owner))
    worker.stop()


def test_every_database_connection_dies_at_once_and_the_worker_recovers(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    hurry(ledger, 500)
    make_worker()
    connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner)
    for _ in range(4):
        make_invoice(owner, customer, is_issued=True)
    wait_until(lambda: ledger.count_sends("invoice") > 0)
    assert terminate() >= 3
    for _ in range(4):
        make_invoice(owner, customer, is_issued=True)
    wait_until(lambda: len(ledger.records("invoice")) == 8 and is_settled(owner), seconds=40)
    assert len({record.document.uuid for record in ledger.records("invoice")}) == 8
    assert Link.objects.filter(kind="invoice").count() == 8


@pytest.mark.parametrize("what", ["a lost notification", "a wait for what is linked", "a block under older settings"])
def test_sweep_heals(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, what: str) -> None:
    first = make_customer(owner, "Made before connecting")
    active = connect(owner, ledger)
    configure(owner)
    make_worker()
    linked = make_customer(owner, "Linked")
    wait_until(lambda: len(ledger.records("customer")) == 1 and is_settled(owner))

    row: dict[str, Any] = {}
    if what == "a wait for what is linked":
        row = {"waits_for_kind": "customer", "waits_for_uuid": linked.uuid}
    if what == "a block under older settings":
        row = {"state": "blocked", "cause_key": "refused", "cause": {"code": "refused"}, "blocked_settings_revision": 1}
    OutboxRow.objects.create(
        company=active.company, kind="customer", record_uuid=first.uuid, wanted_revision=first.revision, **row
    )
    wait_until(lambda: Link.objects.filter(record_uuid=first.uuid).exists() and is_settled(owner))
    assert OutboxRow.objects.count() == 0


def test_edit_that_commits_while_the_company_is_connected_again_is_sent(
    owner: Actor, ledger: FakeLedger, synced_invoice: Invoice
) -> None:
    """It neither saw the new connection when it enqueued, nor was seen by it: unless one of them waits."""
    disconnect_provider(owner)
    is_edited, may_commit = threading.Event(), threading.Event()

    def edit() -> None:
        try:
            with transaction.atomic():
                reprice(owner, synced_invoice, "7.00")
                is_edited.set()
                may_commit.wait(10)
        finally:
            connections.close_all()

    def come_back() -> None:
        try:
            connect(owner, ledger)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=edit), threading.Thread(target=come_back)]
    threads[0].start()
    assert is_edited.wait(10)
    threads[1].start()
    wait_until(lambda: "read_reference" in ledger.calls[-1:])
    threads[1].join(1 / 5)
    may_commit.set()
    for thread in threads:
        thread.join(10)
    synced_invoice.refresh_from_db()
    wait_until(lambda: OutboxRow.objects.filter(record_uuid=synced_invoice.uuid, state="blocked").exists())
    assert OutboxRow.objects.get(record_uuid=synced_invoice.uuid).wanted_revision == synced_invoice.revision
    configure(owner)
    wait_until(lambda: is_settled(owner))
    assert Link.objects.get(record_uuid=synced_invoice.uuid).synced_revision == synced_invoice.revision


def test_records_of_another_workspace_are_never_sent(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    """Even where a row says so: the uuids in it are forged here."""
    ledger.add_company("theirs")
    outsider = make_owner("Outside Ltd")
    theirs = [
        ("customer", make_customer(outsider, "Their customer").uuid),
        ("service", make_service(outsider, "Their service").uuid),
        ("invoice", make_invoice(outsider, make_customer(outsider, "Their other"), is_issued=True).uuid),
    ]
    active = connect(owner, ledger)
    configure(owner)
    connect(outsider, ledger, "theirs")
    for kind, uuid in theirs:
        OutboxRow.objects.create(company=active.company, kind=kind, record_uuid=uuid, wanted_revision=1)
    make_worker()
    mine = make_invoice(owner, is_issued=True)
    wait_until(lambda: Link.objects.filter(record_uuid=mine.uuid).exists() and is_settled(owner))

    sent = {record.document.uuid for kind in _KINDS for record in ledger.records(kind)}
    assert mine.uuid in sent
    assert sent.isdisjoint({uuid for _, uuid in theirs})
    assert ledger.records("customer", "theirs") == []
    assert Link.objects.filter(record_uuid__in=[uuid for _, uuid in theirs]).count() == 0
    assert OutboxRow.objects.filter(company=active.company).count() == 0


_KINDS: tuple[Kind, ...] = ("customer", "service", "invoice")


def test_each_company_gets_its_own_records(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    ledger.add_company("theirs")
    outsider = make_owner("Outside Ltd")
    make_worker()
    make_worker()
    sides = ((owner, "fake-company"), (outsider, "theirs"))
    for actor, company in sides:
        connect(actor, ledger, company)
        configure(actor)
    invoices = {company: [make_invoice(actor, is_issued=True)] for actor, company in sides}
    wait_until(lambda: all(ledger.records("invoice", company) and is_settled(actor) for actor, company in sides))
    for actor, company in sides:
        found = [record.document for record in ledger.records("invoice", company)]
        assert [document.uuid for document in found] == [invoice.uuid for invoice in invoices[company]]
        assert {record.document.uuid for record in ledger.records("customer", company)} == set(
            Customer.objects.filter(workspace=actor.workspace).values_list("uuid", flat=True)
        )
        for document in found:
            assert isinstance(document, InvoiceDocument)
            assert document.customer_id in {record.remote_id for record in ledger.records("customer", company)}
    assert Service.objects.count() == 0


def test_no_secret_in_logs_or_tables(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("invoice", RejectedError(Answered(http_status=400, message="no")))
    ledger.expire_access()
    make_invoice(owner, is_issued=True)
    wait_until(lambda: OutboxRow.objects.filter(state="blocked").exists())
    ledger.disconnect_there()
    make_customer(owner, "Another")
    wait_until(lambda: Connection.objects.get().state == "needs_reconnect")

    assert ledger.calls.count("refresh") >= 2
    stored = {model.__name__: str(list(model._default_manager.values())) for model in _models()}
    stored["log"] = caplog.text
    secrets = ("access-", "refresh-", "code-")
    assert [(name, secret) for name, text in stored.items() for secret in secrets if secret in text] == []
    assert "fake-company" in stored["Connection"]


def _models() -> list[Any]:
    return list(apps.get_app_config("books").get_models())


def test_broken_row_stops_neither_its_company_nor_another(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug of ours in one record is logged once per try; the others go on."""
    make_worker()
    connect(owner, ledger)
    configure(owner)
    prepare: Callable[..., Any] = ledger.prepare

    def break_for_one(step: Any, facts: Any) -> Any:
        if getattr(step.document, "name", "") == "Breaks":
            raise ZeroDivisionError("a bug of ours")
        return prepare(step, facts)

    monkeypatch.setattr(ledger, "prepare", break_for_one)
    make_customer(owner, "Breaks")
    make_invoice(owner, make_customer(owner, "Fine"), is_issued=True)
    wait_until(lambda: len(ledger.records("invoice")) == 1)
    assert [record.document.name for record in ledger.records("customer")] == ["Fine"]  # type: ignore[union-attr]  # these kinds have names
    wait_until(lambda: OutboxRow.objects.count() == 1)
    left = OutboxRow.objects.get()
    assert (left.kind, left.state, left.tries) == ("customer", "due", 1)
