"""The firm's own exchange rates, on invoices and payments in a foreign currency, at a company of several currencies."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cone.accounting.registry import get_provider, register
from cone.books.models import Attempt, Customer, Invoice, Link, OutboxRow, Payment
from cone.domain.customers import CustomerInput
from cone.domain.errors import InvalidFieldError
from cone.domain.payments import AllocationInput, PaymentInput
from cone.operations.actor import Actor
from cone.operations.edit_payment import edit_payment
from cone.operations.issue_invoice import issue_invoice
from cone.operations.record_payment import record_payment
from cone.operations.save_invoice import save_invoice
from tests.builders import get_no_tax, make_customer, make_invoice, make_invoice_input, make_line
from tests.contract.emulated import EmulatedQuickBooks, running_emulator
from tests.integration.accounting.conftest import MakeWorker, wait_until
from tests.integration.accounting.emulation import Control, connect_and_configure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def control(owner: Actor, make_worker: MakeWorker) -> Iterator[Control]:
    """A worker, and a British company there that knows several currencies."""
    usual = get_provider("quickbooks")
    with running_emulator() as url:
        found = Control(url)
        found.post("/reset", {"scenario": "multicurrency"})
        quickbooks = EmulatedQuickBooks(url, country="Channel Crossing Ltd")
        register(quickbooks.provider)
        connect_and_configure(owner, quickbooks)
        make_worker()
        yield found
    register(usual)


def euro_customer(owner: Actor) -> Customer:
    return make_customer(owner, typed=CustomerInput("Brûlé & Söhne", email="books@example.com", currency="EUR"))


def typed_invoice(owner: Actor, customer: Customer, rate: str | None, *, price: str = "100.00") -> Any:
    line = make_line(get_no_tax(owner.workspace), unit_price=price)
    return replace(make_invoice_input(customer, [line]), exchange_rate=None if rate is None else Decimal(rate))


def arrives(record: Invoice | Payment) -> None:
    record.refresh_from_db()
    mine = Link.objects.filter(record_uuid=record.uuid, synced_revision=record.revision)
    wait_until(lambda: mine.exists() or OutboxRow.objects.filter(state="blocked").exists(), seconds=30)
    assert not OutboxRow.objects.filter(state="blocked").exists()


def there(control: Control, entity: str, record: Invoice | Payment) -> dict[str, Any]:
    remote_id = Link.objects.get(record_uuid=record.uuid).remote_id
    [found] = [each for each in control.records(entity) if each["Id"] == remote_id]
    return found


def test_own_rate_stands_there_follows_edits_and_home_total_is_by_it(owner: Actor, control: Control) -> None:
    customer = euro_customer(owner)
    draft = save_invoice(owner, typed_invoice(owner, customer, "0.8512345678"))
    invoice = issue_invoice(owner, draft.uuid)
    arrives(invoice)
    sent = there(control, "Invoice", invoice)
    assert sent["CurrencyRef"]["value"] == "EUR"
    assert Decimal(str(sent["ExchangeRate"])) == Decimal("0.8512345678")
    assert Decimal(str(sent["HomeTotalAmt"])) == Decimal("85.12")

    save_invoice(owner, typed_invoice(owner, customer, "0.9"), uuid=invoice.uuid)
    arrives(invoice)
    changed = there(control, "Invoice", invoice)
    assert (Decimal(str(changed["ExchangeRate"])), Decimal(str(changed["HomeTotalAmt"]))) == (
        Decimal("0.9"),
        Decimal(90),
    )
    # what isn't said stays: a rate that is emptied here keeps its last value there
    save_invoice(owner, typed_invoice(owner, customer, None), uuid=invoice.uuid)
    arrives(invoice)
    assert Decimal(str(there(control, "Invoice", invoice)["ExchangeRate"])) == Decimal("0.9")
    lines = [attempt.body for attempt in Attempt.objects.filter(kind="invoice").order_by("id")]
    assert [b'"ExchangeRate":' in bytes(body) for body in lines] == [True, True, False]


def test_without_an_own_rate_theirs_of_the_date_stands(owner: Actor, control: Control) -> None:
    draft = save_invoice(owner, typed_invoice(owner, euro_customer(owner), None))
    invoice = issue_invoice(owner, draft.uuid)
    arrives(invoice)
    assert there(control, "Invoice", invoice)["ExchangeRate"] > 0
    assert Invoice.objects.get().exchange_rate is None


def test_payment_has_its_own_rate_and_it_follows_edits(owner: Actor, control: Control) -> None:
    customer = euro_customer(owner)
    draft = save_invoice(owner, typed_invoice(owner, customer, "0.85"))
    invoice = issue_invoice(owner, draft.uuid)
    part = AllocationInput(invoice.uuid, Decimal(100))
    typed = PaymentInput(customer.uuid, timezone.localdate(), Decimal(100), (part,), exchange_rate=Decimal("0.87"))
    payment = record_payment(owner, typed)
    arrives(payment)
    assert Decimal(str(there(control, "Payment", payment)["ExchangeRate"])) == Decimal("0.87")
    edit_payment(owner, replace(typed, exchange_rate=Decimal("0.88")), uuid=payment.uuid)
    arrives(payment)
    assert Decimal(str(there(control, "Payment", payment)["ExchangeRate"])) == Decimal("0.88")
    assert there(control, "Invoice", invoice)["Balance"] == 0


def test_rate_is_among_what_the_answer_must_agree_with(owner: Actor, control: Control) -> None:
    draft = save_invoice(owner, typed_invoice(owner, euro_customer(owner), "0.85"))
    invoice = issue_invoice(owner, draft.uuid)
    arrives(invoice)
    expected = Attempt.objects.get(kind="invoice").expected
    assert expected is not None
    assert (expected["exchange_rate"], expected["currency"]) == ("0.8500000000", "EUR")


def test_rate_in_the_own_currency_is_refused_and_nothing_written(owner: Actor) -> None:
    home = make_customer(owner)
    with pytest.raises(InvalidFieldError) as refusal:
        save_invoice(owner, typed_invoice(owner, home, "1"))
    assert refusal.value.field == "exchange_rate"
    assert not Invoice.objects.exists()
    typed = PaymentInput(home.uuid, timezone.localdate(), Decimal(10), (), exchange_rate=Decimal(1))
    with pytest.raises(InvalidFieldError) as refusal:
        record_payment(owner, typed)
    assert refusal.value.field == "exchange_rate"
    assert not Payment.objects.exists()


def test_database_holds_no_rate_of_zero_or_less(owner: Actor) -> None:
    make_invoice(owner)
    for rate in (Decimal(0), Decimal("-0.85")):
        with pytest.raises(IntegrityError, match="invoice_exchange_rate_positive"), transaction.atomic():
            Invoice.objects.update(exchange_rate=rate)
    record_payment(owner, PaymentInput(Customer.objects.get().uuid, timezone.localdate(), Decimal(10), ()))
    with pytest.raises(IntegrityError, match="payment_exchange_rate_positive"), transaction.atomic():
        Payment.objects.update(exchange_rate=0)


def test_saving_the_same_rate_again_does_nothing(owner: Actor) -> None:
    customer = euro_customer(owner)
    draft = save_invoice(owner, typed_invoice(owner, customer, "0.85"))
    again = save_invoice(owner, typed_invoice(owner, customer, "0.850"), uuid=draft.uuid)
    assert again.revision == draft.revision
    assert save_invoice(owner, typed_invoice(owner, customer, "0.86"), uuid=draft.uuid).revision == draft.revision + 1
