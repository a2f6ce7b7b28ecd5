"""Customers whose names are taken there: both of one name end up there, and nobody is linked by a guess."""

import dataclasses
from datetime import timedelta

import pytest

from cone.accounting.causes import list_cause_cards
from cone.accounting.port.documents import CustomerDocument
from cone.accounting.port.verdicts import OutcomeUnknownError
from cone.accounting.states import read_record_sync
from cone.accounting.values import SyncState
from cone.books.models import Attempt, Customer, Link, RemoteName
from cone.domain.customers import CustomerInput
from cone.kit.values import replace
from cone.operations.actor import Actor
from cone.operations.save_customer import save_customer
from cone.operations.save_terms import save_terms
from cone.operations.settle_name import NotLinkableError, link_customer, suffix_name
from tests.builders import make_customer
from tests.fakes.ledger import FakeLedger

from .conftest import MakeWorker, connect, hurry, is_settled, wait_until

NAME = "Acme"
pytestmark = pytest.mark.usefixtures("owner")


def names_there(ledger: FakeLedger) -> list[str]:
    documents = [record.document for record in ledger.records("customer")]
    return sorted(document.name for document in documents if isinstance(document, CustomerDocument))


def make(owner: Actor, email: str, *, tax_number: str = "") -> Customer:
    return make_customer(owner, NAME, typed=CustomerInput(NAME, email=email, tax_number=tax_number))


def test_two_customers_of_one_name_both_stand_there(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    connect(owner, ledger)
    save_terms(owner, {"name_policy": "suffix"})
    first, second = make(owner, "one@example.com"), make(owner, "two@example.com")
    make_worker()
    wait_until(lambda: Link.objects.count() == 2 and is_settled(owner))
    assert names_there(ledger) == ["Acme", "Acme (2)"]

    # An update keeps the name that was found; a third takes the next one.
    suffixed = RemoteName.objects.get()
    assert suffixed.record_uuid in (first.uuid, second.uuid)
    changed = Customer.objects.get(uuid=suffixed.record_uuid)
    typed = CustomerInput(NAME, email=changed.email, phone="020 7946 0000", country="", currency="GBP")
    save_customer(owner, typed, uuid=changed.uuid)
    make(owner, "three@example.com")
    wait_until(lambda: Link.objects.count() == 3 and is_settled(owner))
    assert names_there(ledger) == ["Acme", "Acme (2)", "Acme (3)"]

    # Renamed here, it goes under its own new name.
    save_customer(owner, dataclasses.replace(typed, name="Acme North"), uuid=changed.uuid)
    wait_until(lambda: "Acme North" in names_there(ledger))
    assert names_there(ledger) == ["Acme", "Acme (3)", "Acme North"]


def test_second_of_a_name_is_asked_about_without_a_request(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    make(owner, "one@example.com")
    make_worker()
    wait_until(lambda: Link.objects.count() == 1 and is_settled(owner))
    calls = len(ledger.calls)
    second = make(owner, "two@example.com")
    wait_until(lambda: is_settled(owner))
    assert ledger.calls[calls:] == []
    [card] = list_cause_cards(owner.workspace.pk)
    assert (card.cause.key, card.cause.is_name_taken) == (f"name_taken:{second.uuid}", True)
    # It's another of ours: it can't be linked twice, and no page offers it.
    assert [each.obstacle for each in card.cause.namesakes] == ["ours"]
    with pytest.raises(NotLinkableError):
        link_customer(owner, second.uuid, card.cause.namesakes[0].remote_id)

    assert suffix_name(owner, second.uuid) == "Acme (2)"
    wait_until(lambda: Link.objects.count() == 2 and is_settled(owner))
    assert names_there(ledger) == ["Acme", "Acme (2)"]


def test_vendor_of_the_name_is_told_and_a_suffix_goes_round_it(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    ledger.add_namesake(NAME)
    ledger.add_namesake(f"{NAME} (2)", "employee")
    customer = make(owner, "one@example.com")
    make_worker()
    wait_until(lambda: list_cause_cards(owner.workspace.pk))
    [card] = list_cause_cards(owner.workspace.pk)
    assert [(each.entity, each.name) for each in card.cause.namesakes] == [("vendor", "Acme"), ("employee", "Acme (2)")]
    with pytest.raises(NotLinkableError):
        link_customer(owner, customer.uuid, card.cause.namesakes[0].remote_id)
    assert not Link.objects.exists()

    assert suffix_name(owner, customer.uuid) == "Acme (3)"
    wait_until(lambda: Link.objects.exists() and is_settled(owner))
    assert names_there(ledger) == ["Acme (3)"]


def test_customer_there_is_linked_by_a_person_and_brought_up_to_date(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    """Its bookkeeper made it there, with another address: only a person can know."""
    connection = connect(owner, ledger)
    customer = make(owner, "one@example.com")
    make_worker()
    wait_until(lambda: Link.objects.exists() and is_settled(owner))
    # As if it had been made there: the link is forgotten, its address another.
    Link.objects.all().delete()
    Attempt.objects.filter(company_id=connection.company_id).delete()
    ledger.companies["fake-company"].answers.clear()
    [record] = ledger.records("customer")
    assert isinstance(record.document, CustomerDocument)
    record.document = replace(record.document, email="theirs@example.com")
    save_customer(owner, CustomerInput(NAME, email="new@example.com", currency="GBP"), uuid=customer.uuid)
    wait_until(lambda: list_cause_cards(owner.workspace.pk))

    link_customer(owner, customer.uuid, record.remote_id)
    wait_until(lambda: is_settled(owner))
    [record] = ledger.records("customer")
    assert isinstance(record.document, CustomerDocument)
    assert record.document.email == "new@example.com"
    sync = read_record_sync(owner.workspace.pk, "customer", customer.uuid)
    assert sync is not None
    assert sync.state is SyncState.SYNCED


@pytest.mark.parametrize(
    ("lost", "email", "is_linked"),
    [
        ("Borough Ltd", "borough@example.com", True),
        ("Acme", "", False),
        ("Borough Ltd", "one@example.com", False),
    ],
)
def test_customer_of_the_address_is_linked_unless_it_may_be_the_one_that_was_not_answered(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, lost: str, email: str, is_linked: bool
) -> None:
    connection = connect(owner, ledger)
    make(owner, "one@example.com")
    make_worker()
    wait_until(lambda: Link.objects.exists() and is_settled(owner))
    # As if it had been made there: the link is forgotten.
    Link.objects.all().delete()
    Attempt.objects.filter(company_id=connection.company_id).delete()
    ledger.companies["fake-company"].answers.clear()
    ledger.request_timeout = timedelta(minutes=10)
    ledger.fail_next("customer", OutcomeUnknownError())
    make_customer(owner, lost, typed=CustomerInput(lost, email=email))
    wait_until(Attempt.objects.filter(state="unknown", verdict="unknown").exists)

    ours = make(owner, "one@example.com")
    wait_until(lambda: Link.objects.exists() or list_cause_cards(owner.workspace.pk))
    assert Link.objects.filter(record_uuid=ours.uuid).exists() == is_linked
    assert names_there(ledger) == ["Acme"]


def test_lost_create_is_never_suffixed_into_a_second_one(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    """The answer was lost, looks are blind, the platform forgot the id, and the name is taken: a person decides."""
    connect(owner, ledger)
    save_terms(owner, {"name_policy": "suffix"})
    ledger.memory.is_kept = False
    ledger.looks_are_blind_for = None
    hurry(ledger, 0)
    ledger.fail_next("customer", OutcomeUnknownError(), commit=True)
    make(owner, "")
    make_worker()
    wait_until(lambda: list_cause_cards(owner.workspace.pk))
    assert names_there(ledger) == ["Acme"]
