"""A lost batch, and a customer there who was the firm's own before: that they're found says nothing of the batch."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cone.accounting.port.documents import CustomerDocument, Document
from cone.accounting.port.verdicts import Answered, OutcomeUnknownError
from cone.books.models import Attempt, Customer, Link, OutboxRow, Service
from cone.domain.customers import CustomerInput
from cone.kit.values import replace
from cone.operations.actor import Actor
from cone.operations.pause_sync import pause_sync
from cone.operations.resume_sync import resume_sync
from cone.operations.save_customer import save_customer
from tests.builders import get_tax_rate, make_customer, make_invoice, make_line, make_service
from tests.fakes.books import FakeRecord
from tests.fakes.ledger import FakeLedger

from .conftest import MakeWorker, configure, connect, hurry, is_settled, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

NO_ANSWER = OutcomeUnknownError(Answered(message="no answer"))
# Looks that see nothing new for an hour; and what is done only after looks have said that it isn't there.
HOW = pytest.mark.parametrize(("blind_for", "late_by"), [(timedelta(hours=1), None), (None, timedelta(seconds=4))])


@pytest.fixture
def service(owner: Actor, ledger: FakeLedger) -> Service:
    """Connected to a company that takes an invoice number twice, with an item for this service there."""
    hurry(ledger, 400)
    return make_service(owner, "Bookkeeping")


@pytest.fixture
def customer(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, service: Service) -> Customer:
    """A customer who stands there with an invoice."""
    connect(owner, ledger)
    configure(owner)
    ledger.companies["fake-company"].may_numbers_repeat = True
    make_worker()
    customer = make_customer(owner)
    invoice_for(owner, customer, service)
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    return customer


def invoice_for(owner: Actor, customer: Customer, service: Service) -> None:
    make_invoice(owner, customer, lines=[make_line(get_tax_rate(owner.workspace), service=service)], is_issued=True)


def stand_there(ledger: FakeLedger, document: Document) -> None:
    """The firm's own, made there hours ago."""
    made_at = datetime.now(UTC) - timedelta(hours=2)
    record = FakeRecord(kind=document.kind, remote_id="900", document=document, created_at=made_at)
    ledger.companies["fake-company"].records[document.kind, "900"] = record


def lose_the_batch(ledger: FakeLedger, *, blind_for: timedelta | None, late_by: timedelta | None) -> None:
    ledger.looks_are_blind_for = blind_for or timedelta(0)
    if late_by is not None:
        ledger.fail_next("batch", NO_ANSWER, late_by=late_by)
    else:
        ledger.fail_next("batch", NO_ANSWER, commit=True)


def release(owner: Actor) -> None:
    OutboxRow.objects.update(priority=10)
    resume_sync(owner)


@HOW
def test_customer_of_the_firms_in_a_lost_batch_doesnt_show_that_it_arrived(
    owner: Actor,
    ledger: FakeLedger,
    customer: Customer,
    service: Service,
    blind_for: timedelta | None,
    late_by: timedelta | None,
) -> None:
    [mine] = [record.document for record in ledger.records("customer")]
    assert isinstance(mine, CustomerDocument)
    stand_there(ledger, replace(mine, uuid=uuid4(), name="Theirs", own_name=""))
    pause_sync(owner)
    for _ in range(7):
        invoice_for(owner, customer, service)
    make_customer(owner, "Theirs")
    lose_the_batch(ledger, blind_for=blind_for, late_by=late_by)
    release(owner)

    wait_until(lambda: Link.objects.filter(kind="invoice").count() == 8 and is_settled(owner), seconds=30)
    ledger.age(timedelta(seconds=10))
    assert len(ledger.records("invoice")) == 8
    assert Link.objects.filter(kind="customer", remote_id="900").exists()
    assert Attempt.objects.get(kind="customer", verdict="theirs").state == "succeeded"


@pytest.mark.parametrize("others", [0, 7], ids=["alone", "in a batch"])
@pytest.mark.parametrize("late_by", [None, timedelta(milliseconds=600)], ids=["repeated", "done late"])
def test_customer_of_the_firms_keeps_its_name_while_the_lost_create_may_still_come(
    owner: Actor, ledger: FakeLedger, customer: Customer, service: Service, others: int, late_by: timedelta | None
) -> None:
    [mine] = [record.document for record in ledger.records("customer")]
    assert isinstance(mine, CustomerDocument)
    stand_there(ledger, replace(mine, uuid=uuid4(), name="Theirs", own_name=""))
    pause_sync(owner)
    for _ in range(others):
        invoice_for(owner, customer, service)
    theirs = make_customer(owner, "Theirs")
    ledger.fail_next("batch" if others else "customer", NO_ANSWER, late_by=late_by)
    if others:
        OutboxRow.objects.update(priority=10)
    resume_sync(owner)
    wait_until(Attempt.objects.filter(record_uuid=theirs.uuid).exists)
    typed = CustomerInput("Renamed", email=theirs.email, currency=theirs.currency)
    save_customer(owner, typed, uuid=theirs.uuid)

    wait_until(lambda: Link.objects.filter(record_uuid=theirs.uuid).exists() and is_settled(owner), seconds=30)
    ledger.age(timedelta(seconds=10))
    documents = [record.document for record in ledger.records("customer")]
    names = {document.name for document in documents if isinstance(document, CustomerDocument)}
    assert (len(documents), names) == (2, {mine.name, "Renamed"})
    assert Link.objects.get(record_uuid=theirs.uuid).remote_id == "900"
    assert len(ledger.records("invoice")) == 1 + others
