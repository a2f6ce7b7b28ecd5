"""What records are called: those of one name can be told apart wherever they're listed together."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cone.accounting.causes import list_cause_cards
from cone.accounting.labels import label_records, name_way
from cone.accounting.records import general_service_uuid
from cone.accounting.states import read_record_sync
from cone.accounting.values import Awaited
from cone.books.models import Connection, Customer, OutboxRow, Service
from cone.domain.customers import CustomerInput
from cone.operations.actor import Actor
from cone.operations.archive_service import archive_service
from tests.builders import make_customer, make_service
from tests.fakes.ledger import FakeLedger

from .conftest import connect

pytestmark = pytest.mark.django_db(transaction=True)


def make_archived(owner: Actor, name: str, *, made_at: datetime | None = None) -> Service:
    service = make_service(owner, name)
    archive_service(owner, service.uuid)
    if made_at is not None:
        Service.objects.filter(pk=service.pk).update(created_at=made_at)
    return service


def test_two_services_of_one_name_on_a_card_can_be_told_apart(owner: Actor, ledger: FakeLedger) -> None:
    connect(owner, ledger)
    company = Connection.objects.get().company
    services = [make_archived(owner, "Advice"), make_service(owner, "Advice"), make_service(owner, "Audit")]
    for service in services:
        OutboxRow.objects.create(
            company=company,
            kind="service",
            record_uuid=service.uuid,
            wanted_revision=1,
            state="blocked",
            cause_key="income_account_missing",
            cause={"code": "income_account_missing", "params": {}},
        )

    [card] = list_cause_cards(owner.workspace.pk)

    assert [label for _, _, label in card.examples] == ["Advice (archived)", "Advice", "Audit"]


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("name_taken", "The name J. Smith is already used in Fake Ledger"),
        ("name_invalid", "Fake Ledger doesn't accept the name J. Smith"),
    ],
)
def test_text_that_states_a_name_states_it_alone(code: str, title: str, owner: Actor, ledger: FakeLedger) -> None:
    connect(owner, ledger)
    company = Connection.objects.get().company
    emails = ("anna@x.example", "")
    customers = [make_customer(owner, "J. Smith", typed=CustomerInput("J. Smith", email=email)) for email in emails]
    for customer in customers:
        key = f"{code}:{customer.uuid}"
        OutboxRow.objects.filter(record_uuid=customer.uuid).delete()
        OutboxRow.objects.create(
            company=company,
            kind="customer",
            record_uuid=customer.uuid,
            wanted_revision=1,
            state="blocked",
            cause_key=key,
            cause={"code": code, "params": {}},
        )

    cards = list_cause_cards(owner.workspace.pk)

    assert [card.cause.title for card in cards] == [title, title]
    own = read_record_sync(owner.workspace.pk, "customer", customers[0].uuid)
    assert own is not None
    assert own.cause is not None
    assert own.cause.title == title
    assert sorted(label for card in cards for _, _, label in card.examples) == ["J. Smith", "J. Smith (anna@x.example)"]


def test_archived_services_of_one_name_are_told_apart_by_the_day_they_were_made(owner: Actor) -> None:
    first = make_archived(owner, "Advice", made_at=datetime(2026, 3, 2, tzinfo=UTC))
    second = make_archived(owner, "advice", made_at=datetime(2026, 4, 5, tzinfo=UTC))

    labels = label_records([("service", first.uuid), ("service", second.uuid), ("service", first.uuid)])

    assert list(labels.values()) == ["Advice (archived, made 2 Mar 2026)", "advice (archived, made 5 Apr 2026)"]
    assert label_records([("service", first.uuid)]) == {("service", first.uuid): "Advice"}


def test_customers_of_one_name_are_told_apart_by_their_address(owner: Actor) -> None:
    typed = CustomerInput("Hatch Ltd", email="anna@hatch.example")
    anna, nobody = (
        make_customer(owner, "Hatch Ltd", typed=typed),
        make_customer(owner, "Hatch Ltd", typed=CustomerInput("")),
    )

    labels = label_records([("customer", anna.uuid), ("customer", nobody.uuid)])

    assert labels == {
        ("customer", anna.uuid): "Hatch Ltd (anna@hatch.example)",
        ("customer", nobody.uuid): "Hatch Ltd",
    }


def test_service_of_the_general_items_name_is_told_from_it(owner: Actor) -> None:
    general, service = general_service_uuid(owner.workspace.uuid), make_service(owner, "Services")

    labels = label_records([("service", general), ("service", service.uuid)])

    assert list(labels.values()) == ["Services (for lines without a service)", "Services"]


def test_way_of_waits_is_read_in_one_statement_for_each_kind(owner: Actor) -> None:
    customer, archived, live = (
        make_customer(owner, "Anna"),
        make_archived(owner, "Advice"),
        make_service(owner, "Advice"),
    )
    Customer.objects.filter(pk=customer.pk).update(archived_at=datetime(2026, 3, 2, tzinfo=UTC))
    with CaptureQueriesContext(connection) as queries:
        way = name_way(
            ("invoice", uuid4()),
            [("service", archived.uuid), ("service", live.uuid), ("customer", customer.uuid)],
            owner.workspace,
        )
    assert way == (
        Awaited("service", "Advice", is_archived=True),
        Awaited("service", "Advice"),
        Awaited("customer", "Anna", is_archived=True),
    )
    assert len(queries) == len(("invoice", "service", "customer"))
