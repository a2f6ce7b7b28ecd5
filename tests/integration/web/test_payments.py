"""Payments on their pages: recorded over several invoices, edited, voided; what is refused stays where it was typed."""

from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from cone.books.models import Connection, Link, OutboxRow, Payment
from cone.books.queries.customers import get_customer
from cone.domain.customers import CustomerInput
from tests.builders import Cast, make_customer, make_invoice, make_payment
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import connect
from tests.integration.web.conftest import ClientOf

pytestmark = pytest.mark.django_db


@pytest.fixture
def connected(cast: Cast, ledger: FakeLedger) -> FakeLedger:
    connect(cast.owner, ledger)
    return ledger


def make_link(payment: Payment, *, standing: str = "live") -> None:
    Link.objects.create(
        company=Connection.objects.get().company,
        kind="payment",
        record_uuid=payment.uuid,
        remote_id="77",
        remote_version="0",
        synced_revision=payment.revision,
        standing=standing,
    )


def test_payment_of_two_invoices_with_a_rest_is_recorded_and_shown(cast: Cast, owner: Client) -> None:
    customer = make_customer(cast.owner)
    first, second = (make_invoice(cast.owner, customer, is_issued=True) for _ in range(2))
    url = reverse("payment_new")

    chooser = owner.get(url).text
    assert escape(customer.name) in chooser
    assert "This pays" not in chooser
    form = owner.get(url, {"customer": str(customer.uuid)}).text
    assert (first.number or "") in form
    assert (second.number or "") in form
    typed = {
        "customer": str(customer.uuid),
        "amount": "150",
        "received_date": "2026-11-20",
        "method": "Bank transfer",
        "reference": "BACS 7",
        f"part-{first.uuid}": "120",
        f"part-{second.uuid}": "20",
    }
    answer = owner.post(url, typed)

    payment = Payment.objects.get()
    assert answer.headers["location"] == reverse("payment", args=[payment.uuid])
    page = owner.get(answer.headers["location"]).text
    for shown in ("Payment of £150.00", "£120.00", "£20.00", "£10.00", "BACS 7", first.number or ""):
        assert shown in page
    assert get_customer(cast.workspace, customer.uuid, today=payment.received_date).credit.amount == Decimal("10.00")
    assert "Credit" in owner.get(reverse("customer", args=[customer.uuid])).text
    assert reverse("payment", args=[payment.uuid]) in owner.get(reverse("payments")).text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"amount": "100"}, "The invoices&#x27; parts come to GBP 120.00, the payment is only GBP 100.00."),
        ({"part": "120.01"}, "Only GBP 120.00 is owed on this invoice; pay that or less."),
        ({"reference": "x" * 22}, "Shorten the reference to 21 characters; it has 22."),
    ],
)
def test_refused_payment_is_told_beside_its_field(
    cast: Cast, owner: Client, changes: dict[str, str], message: str
) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    typed = {
        "customer": str(invoice.customer.uuid),
        "amount": changes.get("amount", "200"),
        "received_date": "2026-11-20",
        "reference": changes.get("reference", ""),
        f"part-{invoice.uuid}": changes.get("part", "120"),
    }
    answer = owner.post(reverse("payment_new"), typed)
    assert answer.status_code == 422
    assert message in answer.text
    assert not Payment.objects.exists()


def test_payment_is_edited_where_nobody_changed_it_meanwhile(cast: Cast, owner: Client) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    payment = make_payment(cast.owner, invoice)
    url = reverse("payment_edit", args=[payment.uuid])
    form = owner.get(url).text
    assert 'value="120"' in form
    typed = {
        "amount": "50",
        "received_date": "2026-11-20",
        "method": "Cash",
        "revision": "1",
        f"part-{invoice.uuid}": "40",
    }
    assert owner.post(url, typed).headers["location"] == reverse("payment", args=[payment.uuid])
    payment.refresh_from_db()
    assert (payment.amount, payment.allocated, payment.method, payment.revision) == (
        Decimal(50),
        Decimal(40),
        "Cash",
        2,
    )

    late = owner.post(url, {**typed, "amount": "60"}, follow=True)
    assert "Someone else changed this payment meanwhile" in late.text
    payment.refresh_from_db()
    assert payment.amount == Decimal(50)


def test_voided_payment_says_so_and_whether_to_remove_it_there(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    payment = make_payment(cast.owner, make_invoice(cast.owner, is_issued=True))
    make_link(payment)
    page = reverse("payment", args=[payment.uuid])
    assert f"it stays in {connected.name} until you remove it there" in owner.get(page).text
    owner.post(reverse("payment_void", args=[payment.uuid]))
    key = f"voided_here:{payment.uuid}"
    OutboxRow.objects.filter(record_uuid=payment.uuid).update(
        state="blocked", cause_key=key, cause={"code": "voided_here", "params": {}}
    )
    assert "I removed it there" in owner.get(page).text
    assert f"Void here: remove it in {connected.name}." in owner.get(page).text
    assert owner.get(reverse("payment_edit", args=[payment.uuid])).headers["location"] == page

    owner.post(reverse("payment_removed", args=[payment.uuid]))
    assert "Removed in Fake Ledger by hand." in owner.get(page).text
    assert not OutboxRow.objects.filter(record_uuid=payment.uuid).exists()


def test_payments_of_others_are_not_found(cast: Cast, client_of: ClientOf) -> None:
    outsider, bookkeeper = client_of(cast.outsider), client_of(cast.bookkeeper)
    payment = make_payment(cast.owner, make_invoice(cast.owner, is_issued=True))
    for name in ("payment", "payment_edit", "payment_void"):
        assert outsider.get(reverse(name, args=[payment.uuid])).status_code == 404
    assert bookkeeper.get(reverse("payment", args=[payment.uuid])).status_code == 200
    assert bookkeeper.get(reverse("payment_edit", args=[payment.uuid])).status_code == 403
    assert bookkeeper.post(reverse("payment_void", args=[payment.uuid])).status_code == 403


def test_policy_for_what_is_voided_asks_once_before_books_change_there(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    url = reverse("manage_removals")
    asked = owner.post(url, {"removal_policy": "delete"})
    assert asked.status_code == 200
    assert "removes the invoice there for good" in asked.text
    assert Connection.objects.get().removal_policy == "leave"

    owner.post(url, {"removal_policy": "delete", "is_understood": "yes"})
    assert Connection.objects.get().removal_policy == "delete"
    assert 'value="delete" checked' in owner.get(reverse("manage")).text
    owner.post(url, {"removal_policy": "leave"})
    assert Connection.objects.get().removal_policy == "leave"
    assert "Choose what to do." in owner.post(url, {"removal_policy": "burn"}, follow=True).text


def test_rate_of_a_payment_is_asked_for_in_a_foreign_currency_only(cast: Cast, owner: Client) -> None:
    home = make_customer(cast.owner)
    abroad = make_customer(cast.owner, typed=CustomerInput("Söhne GmbH", email="b@example.com", currency="EUR"))
    url = reverse("payment_new")
    assert 'name="exchange_rate"' not in owner.get(url, {"customer": str(home.uuid)}).text
    assert "GBP for 1 EUR" in owner.get(url, {"customer": str(abroad.uuid)}).text
    typed = {"customer": str(abroad.uuid), "amount": "150", "received_date": "2026-11-20", "exchange_rate": "0.87"}
    owner.post(url, typed)
    payment = Payment.objects.get()
    assert payment.exchange_rate == Decimal("0.87")
    assert "1 EUR = 0.87 GBP" in owner.get(reverse("payment", args=[payment.uuid])).text
    edit = reverse("payment_edit", args=[payment.uuid])
    assert 'name="exchange_rate" value="0.87"' in owner.get(edit).text
    owner.post(edit, typed | {"exchange_rate": "0.88", "revision": "1"})
    payment.refresh_from_db()
    assert (payment.exchange_rate, payment.revision) == (Decimal("0.88"), 2)


def test_payment_on_an_invoices_page_takes_a_rate_too(cast: Cast, owner: Client) -> None:
    abroad = make_customer(cast.owner, typed=CustomerInput("Söhne GmbH", email="b@example.com", currency="EUR"))
    invoice = make_invoice(cast.owner, abroad, is_issued=True)
    page = owner.get(reverse("invoice", args=[invoice.uuid])).text
    assert 'name="exchange_rate"' in page
    typed = {"amount": "120", "received_date": "2026-11-20", "exchange_rate": "0.87"}
    owner.post(reverse("invoice_payment", args=[invoice.uuid]), typed)
    assert Payment.objects.get().exchange_rate == Decimal("0.87")


def test_void_of_a_paid_invoice_says_what_comes_first_and_offers_no_button(cast: Cast, owner: Client) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    unpaid = unescape(owner.get(reverse("invoice_void", args=[invoice.uuid])).text)
    assert "Void invoice</button>" in unpaid
    make_payment(cast.owner, invoice, "20.00")
    for name in ("invoice", "invoice_void"):
        page = unescape(owner.get(reverse(name, args=[invoice.uuid])).text)
        assert "£20.00 of it is paid, so it can't be voided yet: void the payment first" in page
        assert "Void invoice</button>" not in page
