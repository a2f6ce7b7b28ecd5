"""What QuickBooks refuses in its own words: a customer's e-mail address, and a code that nobody has seen before."""

import pytest

from cone.accounting.causes import list_cause_cards
from cone.books.models import Customer
from cone.domain.customers import CustomerInput
from cone.operations.actor import Actor
from cone.operations.save_customer import save_customer
from tests.builders import make_customer, make_invoice
from tests.contract.emulated import EmulatedQuickBooks
from tests.integration.accounting.conftest import MakeWorker, is_settled, wait_until
from tests.integration.accounting.emulation import Control, connect_and_configure

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def there(owner: Actor, quickbooks: EmulatedQuickBooks) -> Control:
    connect_and_configure(owner, quickbooks)
    return Control(quickbooks.url)


def refuse_invoices(there: Control, code: str, message: str, detail: str) -> None:
    fault = {"code": code, "message": message, "detail": detail}
    there.post("/faults", {"match": {"entity": "invoice"}, "count": 2, "action": {"fault": fault}})


def issue_two(owner: Actor) -> Customer:
    customer = make_customer(owner, "Anna", typed=CustomerInput(name="", email="anna@example.com"))
    make_invoice(owner, customer, is_issued=True)
    make_invoice(owner, customer, is_issued=True)
    return customer


@pytest.mark.parametrize(("code", "cause"), [("2210", "email_invalid"), ("6420", "email_missing")])
def test_invoices_of_one_customer_wait_for_its_address_and_go_once_it_is_changed(
    owner: Actor, there: Control, make_worker: MakeWorker, code: str, cause: str
) -> None:
    refuse_invoices(there, code, "Invalid email address format", "BillEmail")
    make_worker()
    customer = issue_two(owner)
    wait_until(lambda: is_settled(owner) and list_cause_cards(owner.workspace.pk))
    [card] = list_cause_cards(owner.workspace.pk)
    assert (card.cause.key, card.count) == (f"{cause}:{customer.uuid}", 2)
    assert (card.cause.target, card.cause.target_uuid) == ("customer_form", customer.uuid)
    assert there.records("Invoice") == []

    save_customer(owner, CustomerInput(name="Anna", email="books@example.com"), uuid=customer.uuid)
    wait_until(lambda: is_settled(owner) and len(there.records("Invoice")) == 2)
    assert list_cause_cards(owner.workspace.pk) == ()


def test_code_that_nobody_knows_is_told_in_their_words(owner: Actor, there: Control, make_worker: MakeWorker) -> None:
    refuse_invoices(there, "7777", "New Rule", "New Rule : Ask your accountant about line 3.")
    make_worker()
    issue_two(owner)
    wait_until(lambda: is_settled(owner) and len(list_cause_cards(owner.workspace.pk)) == 2)
    for card in list_cause_cards(owner.workspace.pk):
        assert card.cause.title.startswith("QuickBooks Online refused INV-")
        assert "Ask your accountant about line 3." in card.cause.provider_says
