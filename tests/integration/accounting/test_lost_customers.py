"""Customers that were merged, deleted or made inactive there: one cause; mended, all goes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cone.accounting.causes import list_cause_cards
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.states import read_record_sync
from cone.accounting.values import CauseCard
from cone.books.models import Customer, Invoice, Link, OutboxRow
from cone.domain.customers import CustomerInput
from cone.operations.actor import Actor
from cone.operations.save_customer import save_customer
from cone.operations.settle_loss import look_for_customer, make_customer_anew
from cone.operations.settle_name import NotLinkableError, link_customer
from cone.operations.sync_now import sync_cause
from tests.builders import make_customer, make_invoice, make_payment
from tests.contract.emulated import EmulatedQuickBooks
from tests.integration.accounting.conftest import is_settled, wait_until
from tests.integration.accounting.emulation import Control, connect_and_configure, start_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def control(owner: Actor, quickbooks: EmulatedQuickBooks, tmp_path: Path) -> Iterator[Control]:
    """The books of a connected firm, with a worker at work."""
    connect_and_configure(owner, quickbooks)
    worker = start_worker(quickbooks.url, tmp_path / "worker.log")
    try:
        yield Control(quickbooks.url)
    finally:
        worker.terminate()
        worker.wait(10)


@pytest.fixture
def customer(owner: Actor, control: Control) -> Customer:
    """Stands there with a first invoice."""
    made = make_customer(owner, "Hatch & Sons", typed=CustomerInput("Hatch & Sons", email="hatch@example.com"))
    make_invoice(owner, customer=made, is_issued=True)
    settle(owner)
    assert len(invoices_of(control, remote_id_of(made))) == 1
    return made


def settle(owner: Actor) -> None:
    wait_until(lambda: is_settled(owner), seconds=30)


def remote_id_of(customer: Customer) -> str:
    return Link.objects.get(kind="customer", record_uuid=customer.uuid).remote_id


def invoices_of(control: Control, remote_id: str) -> list[str]:
    return sorted(
        str(each["DocNumber"]) for each in control.records("Invoice") if each["CustomerRef"]["value"] == remote_id
    )


def wait_for_card(owner: Actor) -> CauseCard:
    """The one cause of all that waits."""
    settle(owner)
    [card] = list_cause_cards(owner.workspace.pk)
    assert card.cause.key.startswith(CauseCode.CUSTOMER_LOST)
    return card


def add_two_invoices(owner: Actor, customer: Customer) -> list[str]:
    made = [make_invoice(owner, customer=customer, is_issued=True) for _ in range(2)]
    return [invoice.number or "" for invoice in made]


def pay(owner: Actor, number: str) -> None:
    make_payment(owner, Invoice.objects.get(workspace=owner.workspace, number=number))


def test_invoices_of_a_merged_customer_wait_for_it_and_follow_to_the_one_that_is_left(
    owner: Actor, control: Control, customer: Customer
) -> None:
    loser = remote_id_of(customer)
    survivor = control.act("create", "Customer", fields={"DisplayName": "Hatch Group"})["record"]["Id"]
    control.act("merge", "Customer", id=loser, fields={"into": survivor})
    [moved] = invoices_of(control, survivor)

    numbers = add_two_invoices(owner, customer)
    card = wait_for_card(owner)
    # The customer itself and both of its invoices, under one card of the customer.
    assert (card.count, card.cause.target, card.cause.target_uuid) == (3, "customer", customer.uuid)
    assert "merged or deleted" in card.cause.title
    assert card.cause.is_customer_lost
    waiting = Invoice.objects.get(workspace=owner.workspace, number=numbers[0])
    sync = read_record_sync(owner.workspace.pk, "invoice", waiting.uuid)
    assert sync is not None
    assert sync.waits_for == "Hatch & Sons"

    # It has another name there: it's looked for by that.
    look_for_customer(owner, customer.uuid, " hatch group ")
    wait_until(lambda: is_settled(owner) and list_cause_cards(owner.workspace.pk)[0].cause.namesakes, seconds=30)
    [found] = list_cause_cards(owner.workspace.pk)[0].cause.namesakes
    assert (found.remote_id, found.name, found.obstacle) == (survivor, "Hatch Group", "")
    link_customer(owner, customer.uuid, survivor)
    wait_until(lambda: not OutboxRow.objects.exists(), seconds=30)

    assert remote_id_of(customer) == survivor
    assert invoices_of(control, survivor) == sorted([moved, *numbers])
    assert list_cause_cards(owner.workspace.pk) == ()
    # The firm's name for it stays, until it's renamed here.
    [there] = [each for each in control.records("Customer") if each["Id"] == survivor]
    assert there["DisplayName"] == "Hatch Group"
    add_two_invoices(owner, customer)
    wait_until(lambda: not OutboxRow.objects.exists(), seconds=30)
    assert len(invoices_of(control, survivor)) == 5


def test_merged_customer_is_made_there_again_under_its_own_name(
    owner: Actor, control: Control, customer: Customer
) -> None:
    loser = remote_id_of(customer)
    other = make_customer(owner, "Hatch Group", typed=CustomerInput("Hatch Group"))
    make_invoice(owner, customer=other, is_issued=True)
    settle(owner)
    survivor = remote_id_of(other)
    control.act("merge", "Customer", id=loser, fields={"into": survivor})
    before = invoices_of(control, survivor)
    # A payment waits for its customer as an invoice does.
    numbers = add_two_invoices(owner, customer)
    pay(owner, numbers[0])
    assert wait_for_card(owner).count == 4
    # The one that's left is another customer's here already, and stays that one's.
    look_for_customer(owner, customer.uuid, "Hatch Group")
    wait_until(lambda: is_settled(owner) and list_cause_cards(owner.workspace.pk)[0].cause.namesakes, seconds=30)
    assert [each.obstacle for each in list_cause_cards(owner.workspace.pk)[0].cause.namesakes] == ["ours"]
    with pytest.raises(NotLinkableError):
        link_customer(owner, customer.uuid, survivor)

    make_customer_anew(owner, customer.uuid)
    wait_until(lambda: not OutboxRow.objects.exists(), seconds=30)
    assert remote_id_of(customer) not in (loser, survivor)
    assert invoices_of(control, remote_id_of(customer)) == sorted(numbers)
    assert invoices_of(control, survivor) == before
    assert [each["CustomerRef"]["value"] for each in control.records("Payment")][-1:] == [remote_id_of(customer)]
    names = [each["DisplayName"] for each in control.records("Customer")]
    assert names.count("Hatch & Sons") == 1


def test_inactive_customer_takes_its_invoices_once_it_is_active_again(
    owner: Actor, control: Control, customer: Customer
) -> None:
    remote_id = remote_id_of(customer)
    # While it owes something it can't be made inactive there.
    pay(owner, invoices_of(control, remote_id)[0])
    settle(owner)
    control.act("deactivate", "Customer", id=remote_id)
    numbers = add_two_invoices(owner, customer)
    card = wait_for_card(owner)
    assert card.count == 3
    assert "made inactive" in card.cause.title
    # Nothing was mended: it's still one card.
    sync_cause(owner, card.cause.key)
    assert wait_for_card(owner).count == 3

    control.act("activate", "Customer", id=remote_id)
    sync_cause(owner, card.cause.key)
    wait_until(lambda: not OutboxRow.objects.exists(), seconds=30)
    assert remote_id_of(customer) == remote_id
    assert set(numbers) < set(invoices_of(control, remote_id))
    assert len(invoices_of(control, remote_id)) == 3


def test_change_of_a_merged_customer_ends_in_the_same_cause(owner: Actor, control: Control, customer: Customer) -> None:
    survivor = control.act("create", "Customer", fields={"DisplayName": "Hatch Group"})["record"]["Id"]
    control.act("merge", "Customer", id=remote_id_of(customer), fields={"into": survivor})
    save_customer(owner, CustomerInput("Hatch & Sons", phone="020 7946 0000", currency="GBP"), uuid=customer.uuid)
    assert wait_for_card(owner).count == 1
    make_customer_anew(owner, customer.uuid)
    wait_until(lambda: not OutboxRow.objects.exists(), seconds=30)
    [there] = [each for each in control.records("Customer") if each["Id"] == remote_id_of(customer)]
    assert (there["DisplayName"], there["PrimaryPhone"]["FreeFormNumber"]) == ("Hatch & Sons", "020 7946 0000")
