"""Which changes accounting hears of, and in which revision; a rollback leaves no row."""

from decimal import Decimal
from uuid import UUID

import pytest
from django.db import transaction

from cone.books.models import Connection, OutboxRow, RemoteCompany
from cone.domain.customers import CustomerInput
from cone.domain.errors import InvalidFieldError
from cone.domain.payments import AllocationInput, PaymentInput
from cone.domain.services import ServiceInput
from cone.operations.actor import Actor
from cone.operations.archive_customer import archive_customer
from cone.operations.delete_invoice import delete_invoice
from cone.operations.edit_payment import edit_payment
from cone.operations.issue_invoice import issue_invoice
from cone.operations.mark_invoice_sent import mark_invoice_sent
from cone.operations.save_customer import save_customer
from cone.operations.save_invoice import save_invoice
from cone.operations.save_service import save_service
from cone.operations.void_invoice import void_invoice
from cone.operations.void_payment import void_payment
from tests.builders import (
    get_tax_rate,
    make_customer,
    make_invoice,
    make_invoice_input,
    make_line,
    make_owner,
    make_payment,
    make_service,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Actor:
    """The owner of a firm that is connected to a company."""
    actor = make_owner()
    company = RemoteCompany.objects.create(
        workspace=actor.workspace, provider="fake", environment="emulator", remote_id="1"
    )
    Connection.objects.create(
        workspace=actor.workspace,
        company=company,
        provider="fake",
        environment="emulator",
        company_id_remote="1",
    )
    return actor


def wanted() -> dict[UUID, tuple[str, int]]:
    return {row.record_uuid: (row.kind, row.wanted_revision) for row in OutboxRow.objects.all()}


def test_customers_are_wanted_as_soon_as_they_are_saved_and_services_when_an_invoice_needs_them(owner: Actor) -> None:
    customer, service = make_customer(owner), make_service(owner)
    save_customer(owner, CustomerInput(name="Changed"), uuid=customer.uuid)
    save_service(owner, ServiceInput("Changed", unit_price=Decimal(1)), uuid=service.uuid)
    archive_customer(owner, customer.uuid)

    assert wanted() == {customer.uuid: ("customer", 2)}


def test_invoice_is_wanted_once_issued_then_edited_then_void(owner: Actor) -> None:
    customer = make_customer(owner)
    OutboxRow.objects.all().delete()
    draft = make_invoice(owner, customer)
    typed = make_invoice_input(customer, [make_line(get_tax_rate(owner.workspace), unit_price="7")])
    save_invoice(owner, typed, uuid=draft.uuid)
    assert wanted() == {}

    issue_invoice(owner, draft.uuid)
    assert wanted() == {draft.uuid: ("invoice", 3)}
    mark_invoice_sent(owner, draft.uuid)
    save_invoice(owner, typed, uuid=draft.uuid)
    assert wanted() == {draft.uuid: ("invoice", 3)}
    save_invoice(owner, make_invoice_input(customer, [make_line(get_tax_rate(owner.workspace))]), uuid=draft.uuid)
    assert wanted() == {draft.uuid: ("invoice", 4)}
    void_invoice(owner, draft.uuid)
    assert wanted() == {draft.uuid: ("invoice", 5)}


def test_payment_is_wanted_once_recorded_then_edited_then_void(owner: Actor) -> None:
    invoice = make_invoice(owner, is_issued=True)
    OutboxRow.objects.all().delete()

    payment = make_payment(owner, invoice, "20.00")
    assert wanted() == {payment.uuid: ("payment", 1)}
    assert OutboxRow.objects.get().is_in_scope
    typed = PaymentInput(
        customer=invoice.customer.uuid,
        received_date=payment.received_date,
        amount=Decimal("30.00"),
        allocations=(AllocationInput(invoice.uuid, Decimal("20.00")),),
        method="Bank transfer",
    )
    edit_payment(owner, typed, uuid=payment.uuid)
    edit_payment(owner, typed, uuid=payment.uuid)
    assert wanted() == {payment.uuid: ("payment", 2)}
    void_payment(owner, payment.uuid)
    assert wanted() == {payment.uuid: ("payment", 3)}


def test_deleted_drafts_are_not_sent(owner: Actor) -> None:
    customer = make_customer(owner)
    OutboxRow.objects.all().delete()

    delete_invoice(owner, make_invoice(owner, customer).uuid)

    assert wanted() == {}


def test_refused_or_rolled_back_changes_are_not_wanted(owner: Actor) -> None:
    with pytest.raises(InvalidFieldError):
        save_customer(owner, CustomerInput(name=""))
    with transaction.atomic():
        make_customer(owner)
        transaction.set_rollback(True)

    assert wanted() == {}
