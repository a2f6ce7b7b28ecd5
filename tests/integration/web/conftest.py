"""A browser without JavaScript for each of the cast, and a firm connected to a ledger in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import reverse

from cone.accounting.registry import register, unregister
from cone.books.models import Customer, Invoice, Payment, Service, TaxRate
from cone.operations.actor import Actor
from tests.builders import Cast, get_tax_rate, make_cast, make_customer, make_invoice, make_payment, make_service
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import connect

ClientOf = Callable[[Actor], Client]


@dataclass(frozen=True, slots=True)
class Books:
    """One of everything in the owner's firm."""

    customer: Customer
    service: Service
    tax_rate: TaxRate
    draft: Invoice
    issued: Invoice
    paid: Invoice
    payment: Payment


@pytest.fixture
def cast(db: None) -> Cast:
    """An owner, a biller, a bookkeeper, and an outsider."""
    return make_cast()


@pytest.fixture
def client_of() -> ClientOf:
    """Make a signed-in browser."""

    def make(actor: Actor) -> Client:
        client = Client()
        client.force_login(actor.user)
        return client

    return make


@pytest.fixture
def owner(cast: Cast, client_of: ClientOf) -> Client:
    """The owner's browser."""
    return client_of(cast.owner)


@pytest.fixture
def books(cast: Cast) -> Books:
    """One of everything."""
    customer = make_customer(cast.owner)
    paid = make_invoice(cast.owner, customer, is_issued=True)
    return Books(
        customer=customer,
        service=make_service(cast.owner),
        tax_rate=get_tax_rate(cast.workspace),
        draft=make_invoice(cast.owner, customer),
        issued=make_invoice(cast.owner, customer, is_issued=True),
        paid=paid,
        payment=make_payment(cast.owner, paid),
    )


@pytest.fixture
def ledger() -> Iterator[FakeLedger]:
    """A second provider beside QuickBooks, registered for this test."""
    fake = FakeLedger()
    register(fake)
    yield fake
    unregister(fake.key)


@pytest.fixture
def connected(cast: Cast, ledger: FakeLedger) -> FakeLedger:
    """The owner's firm is connected to the ledger; nothing is configured."""
    connect(cast.owner, ledger)
    return ledger


def address(name: str, books: Books) -> str:
    """The address of a page by its name, with the records it needs."""
    arguments = {
        "invoice": books.issued,
        "invoice_edit": books.issued,
        "invoice_sent": books.issued,
        "invoice_number": books.issued,
        "invoice_take_number": books.issued,
        "invoice_payment": books.issued,
        "invoice_void": books.issued,
        "invoice_write-off": books.issued,
        "invoice_removed": books.issued,
        "invoice_issue": books.draft,
        "invoice_delete": books.draft,
        "customer": books.customer,
        "customer_edit": books.customer,
        "customer_link": books.customer,
        "customer_look_for": books.customer,
        "customer_make_anew": books.customer,
        "customer_suffix": books.customer,
        "customer_archive": books.customer,
        "customer_restore": books.customer,
        "service_edit": books.service,
        "service_archive": books.service,
        "service_restore": books.service,
        "tax_rate_edit": books.tax_rate,
        "tax_rate_archive": books.tax_rate,
    }
    if name == "invoice_payment_void":
        return reverse(name, args=[books.paid.uuid, books.payment.uuid])
    if name in ("sync_panel", "sync_now"):
        return reverse(name, args=["invoice", books.issued.uuid])
    return reverse(name, args=[arguments[name].uuid] if name in arguments else [])
