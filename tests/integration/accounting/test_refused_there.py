"""What QuickBooks refuses in its own words: a customer's e-mail address, and a code that nobody has seen before."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from cone.accounting.causes import list_cause_cards
from cone.books.models import Connection, Customer, OutboxRow
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
    assert card.cause.title.endswith("e-mail address of Anna")
    assert (card.cause.target, card.cause.target_uuid) == ("customer_form", customer.uuid)
    assert there.records("Invoice") == []

    save_customer(owner, CustomerInput(name="Anna", email="books@example.com"), uuid=customer.uuid)
    wait_until(lambda: is_settled(owner) and len(there.records("Invoice")) == 2)
    assert list_cause_cards(owner.workspace.pk) == ()


def revision() -> int:
    return Connection.objects.get().settings_revision


def test_new_address_counts_for_what_is_under_way_with_the_former_one(owner: Actor, there: Control) -> None:
    """A refusal of what was planned before then blocks nothing: it's planned again."""
    customer = issue_two(owner)
    before = revision()
    save_customer(owner, CustomerInput(name="Anna", email="anna@example.com", phone="1"), uuid=customer.uuid)
    idle = make_customer(owner, "Bert", typed=CustomerInput(name="", email="bert@example.com"))
    save_customer(owner, CustomerInput(name="Bert", email="books@example.com"), uuid=idle.uuid)
    assert revision() == before
    save_customer(owner, CustomerInput(name="Anna", email="books@example.com"), uuid=customer.uuid)
    assert revision() == before + 1


def test_new_address_waits_for_a_lane_that_settles_the_former_one(owner: Actor, there: Control) -> None:
    """Lanes lock the connection and then the row."""
    customer = issue_two(owner)

    def save() -> None:
        try:
            save_customer(owner, CustomerInput(name="Anna", email="books@example.com"), uuid=customer.uuid)
        finally:
            connection.close()

    with ThreadPoolExecutor() as others:
        with transaction.atomic():
            Connection.objects.select_for_update().get()
            saving = others.submit(save)
            wait_until(someone_waits_for_a_lock)
            OutboxRow.objects.filter(kind="customer", record_uuid=customer.uuid).update(tries=1)
        saving.result(20)
    assert Customer.objects.get(uuid=customer.uuid).email == "books@example.com"


def someone_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select exists (select from pg_locks where not granted)")
        [found] = cursor.fetchone()
    return bool(found)


def test_code_that_nobody_knows_is_told_in_their_words(owner: Actor, there: Control, make_worker: MakeWorker) -> None:
    refuse_invoices(there, "7777", "New Rule", "New Rule : Ask your accountant about line 3.")
    make_worker()
    issue_two(owner)
    wait_until(lambda: is_settled(owner) and len(list_cause_cards(owner.workspace.pk)) == 2)
    for card in list_cause_cards(owner.workspace.pk):
        assert card.cause.title.startswith("QuickBooks Online refused INV-")
        assert "Ask your accountant about line 3." in card.cause.provider_says
