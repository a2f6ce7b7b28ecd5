"""Leaving and returning, sentence by sentence: what is unknown stays known as such, and nothing is made twice for it.

The revocation that's retried and the answer that's waited for are told in `test_disconnect`.
"""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from cone.accounting import lane
from cone.accounting.port.documents import InvoiceDocument
from cone.accounting.port.verdicts import Answered, OutcomeUnknownError
from cone.books.models import Attempt, Connection, Invoice, Link, OutboxRow
from cone.operations import disconnect_provider as disconnecting
from cone.operations.actor import Actor
from cone.operations.disconnect_provider import disconnect_provider
from cone.operations.pause_sync import pause_sync
from cone.operations.resume_sync import resume_sync
from cone.operations.save_invoice import save_invoice
from cone.operations.save_removal_policy import save_removal_policy
from cone.operations.sync_now import sync_record
from cone.operations.void_invoice import void_invoice
from tests.builders import get_tax_rate, make_customer, make_invoice, make_invoice_input, make_line
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import Held, MakeWorker, configure, connect
from tests.integration.accounting.driving import Driver

pytestmark = pytest.mark.django_db(transaction=True)

LOST = OutcomeUnknownError(Answered(message="no answer"))
SECOND = timedelta(seconds=1)


@pytest.fixture
def driver(owner: Actor, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """A connected firm with a customer and an invoice there."""
    monkeypatch.setattr(lane, "_LINGER", timedelta())
    connect(owner, ledger)
    configure(owner)
    driver = Driver(ledger, owner)
    make_invoice(owner, make_customer(owner), is_issued=True)
    driver.settle()
    yield driver
    driver.close()


def come_back(owner: Actor, ledger: FakeLedger, *, policy: str = "leave") -> None:
    """Connect the same company again, with all its settings."""
    connect(owner, ledger)
    configure(owner)
    save_removal_policy(owner, policy)


def lose(owner: Actor, ledger: FakeLedger, driver: Driver, *, count: int, is_there: bool) -> list[Invoice]:
    """So many invoices whose answer was lost; many go in a batch."""
    ledger.fail_next("batch" if count > 1 else "invoice", LOST, commit=is_there)
    customer = Invoice.objects.order_by("id")[0].customer
    invoices = [make_invoice(owner, customer, is_issued=True) for _ in range(count)]
    driver.work()
    assert Attempt.objects.filter(state="unknown").count() == count
    # Their answers don't come any more: leaving needn't wait for them.
    driver.pass_time(5 * SECOND)
    return invoices


def lines_of(ledger: FakeLedger, invoice: Invoice) -> list[str]:
    """What was asked there for an invoice, in order."""
    remote_ids = set(Link.objects.filter(record_uuid=invoice.uuid).values_list("remote_id", flat=True))
    said = [sending.request for sending in ledger.sent if sending.kind == "invoice"]
    return [
        request.line.split()[0]
        for request in said
        if str(invoice.uuid).encode() in request.body or request.line.split()[2:3] in [[each] for each in remote_ids]
    ]


def there(ledger: FakeLedger, invoice: Invoice) -> list[str]:
    """How an invoice stands there."""
    return [record.standing for record in ledger.records("invoice") if record.document.uuid == invoice.uuid]


def test_leaving_waits_no_longer_than_that_for_an_answer_and_keeps_the_question(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disconnecting, "_WAIT_FOR_ANSWERS", timedelta(milliseconds=700))
    connect(owner, ledger)
    configure(owner)
    ledger.after_send = held = Held("invoice")
    make_worker()
    invoice = make_invoice(owner, is_issued=True)
    assert held.is_asked.wait(10)
    began = time.monotonic()
    disconnect_provider(owner)
    assert 0 < time.monotonic() - began < 8
    held.is_released.set()

    assert Connection.objects.get().state == "disconnected"
    assert Attempt.objects.get(record_uuid=invoice.uuid).state == "unknown"
    assert not Link.objects.filter(record_uuid=invoice.uuid).exists()


@pytest.mark.parametrize("count", [1, 8], ids=["single", "batch"])
@pytest.mark.parametrize("is_there", [True, False], ids=["arrived", "never arrived"])
def test_what_was_voided_meanwhile_is_only_looked_for_then_linked_and_voided(
    owner: Actor, ledger: FakeLedger, driver: Driver, count: int, is_there: bool
) -> None:
    voided, *others = lose(owner, ledger, driver, count=count, is_there=is_there)
    disconnect_provider(owner)
    void_invoice(owner, voided.uuid)
    come_back(owner, ledger, policy="void")
    driver.settle()

    assert there(ledger, voided) == (["void"] if is_there else [])
    assert lines_of(ledger, voided)[1:] == (["void"] if is_there else [])
    assert list(Link.objects.filter(record_uuid=voided.uuid).values_list("standing", flat=True)) == (
        ["void"] if is_there else []
    )
    # The others of its batch: found, or never sent again in a batch that would have made the voided one after all.
    for other in others:
        blocked = OutboxRow.objects.filter(record_uuid=other.uuid, cause_key=f"outcome_uncertain:{other.uuid}")
        assert there(ledger, other) == (["live"] if is_there else [])
        assert blocked.exists() != is_there
    assert not Attempt.objects.filter(record_uuid=voided.uuid, state="unknown").exists()


def test_what_was_voided_meanwhile_is_asked_about_where_looks_see_nothing(
    owner: Actor, ledger: FakeLedger, driver: Driver
) -> None:
    """Found by the state machine: it was given up, and stood there for good though it's void here."""
    ledger.looks_are_blind_for = None
    (voided,) = lose(owner, ledger, driver, count=1, is_there=True)
    void_invoice(owner, voided.uuid)
    driver.settle()

    assert there(ledger, voided) == ["live"]
    assert OutboxRow.objects.get(record_uuid=voided.uuid).cause_key == f"outcome_uncertain:{voided.uuid}"
    assert Attempt.objects.get(record_uuid=voided.uuid).state == "unknown"


def test_rest_of_such_a_batch_goes_once_a_look_sees_what_was_made_since(
    owner: Actor, ledger: FakeLedger, driver: Driver
) -> None:
    voided, *others = lose(owner, ledger, driver, count=8, is_there=False)
    void_invoice(owner, voided.uuid)
    make_invoice(owner, voided.customer, is_issued=True)
    driver.settle()

    assert there(ledger, voided) == []
    assert [there(ledger, other) for other in others] == [["live"]] * 7
    assert not OutboxRow.objects.exists()


@pytest.mark.parametrize("is_there", [True, False], ids=["arrived", "never arrived"])
def test_what_is_unknown_is_found_out_before_a_missing_setting_is_asked_for(
    owner: Actor, ledger: FakeLedger, driver: Driver, is_there: bool
) -> None:
    """Whatever the state here: settings are gone after returning, and what was sent needs none."""
    (invoice,) = lose(owner, ledger, driver, count=1, is_there=is_there)
    disconnect_provider(owner)
    connect(owner, ledger)
    driver.settle()

    assert there(ledger, invoice) == ["live"]
    assert Link.objects.filter(record_uuid=invoice.uuid).exists()
    assert not Attempt.objects.filter(state="unknown").exists()


def test_linked_one_that_changed_meanwhile_is_due_and_one_that_did_not_is_not(
    owner: Actor, ledger: FakeLedger, driver: Driver
) -> None:
    edited = Invoice.objects.get()
    kept = make_invoice(owner, edited.customer, is_issued=True)
    driver.settle()
    disconnect_provider(owner)
    line = make_line(get_tax_rate(owner.workspace, 20), unit_price="7.00")
    save_invoice(owner, make_invoice_input(edited.customer, [line]), uuid=edited.uuid)
    come_back(owner, ledger)
    driver.settle()

    assert lines_of(ledger, edited) == ["create", "update"]
    assert lines_of(ledger, kept) == ["create"]


def test_one_that_was_issued_while_away_stays_out_even_if_edited_until_it_is_asked_for(
    owner: Actor, ledger: FakeLedger, driver: Driver
) -> None:
    customer = Invoice.objects.get().customer
    disconnect_provider(owner)
    older = make_invoice(owner, customer, is_issued=True)
    come_back(owner, ledger)
    line = make_line(get_tax_rate(owner.workspace, 20), unit_price="7.00")
    save_invoice(owner, make_invoice_input(customer, [line]), uuid=older.uuid)
    driver.settle()
    assert there(ledger, older) == []
    assert not OutboxRow.objects.exists()

    sync_record(owner, "invoice", older.uuid)
    driver.settle()
    (record,) = [each for each in ledger.records("invoice") if each.document.uuid == older.uuid]
    assert isinstance(record.document, InvoiceDocument)
    older.refresh_from_db()
    assert record.document.total == older.total


@pytest.mark.parametrize("count", [1, 8], ids=["single", "batch"])
def test_paused_asks_and_sends_nothing_repeats_included(
    owner: Actor, ledger: FakeLedger, driver: Driver, count: int
) -> None:
    invoices = lose(owner, ledger, driver, count=count, is_there=False)
    pause_sync(owner)
    asked = len(ledger.calls)
    for _ in range(3):
        driver.pass_time(100 * SECOND)
        driver.work()
    assert len(ledger.calls) == asked

    resume_sync(owner)
    driver.settle()
    assert [there(ledger, invoice) for invoice in invoices] == [["live"]] * count
