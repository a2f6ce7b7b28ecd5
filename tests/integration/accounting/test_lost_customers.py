"""Customers that were merged, deleted or made inactive there: one cause; mended, all goes."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from cone.accounting.causes import list_cause_cards
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.sql import sweep as sweep_sql
from cone.accounting.states import read_record_sync
from cone.accounting.values import Awaited, CauseCard
from cone.books.models import Attempt, Batch, Customer, Invoice, Link, OutboxRow, RequestBudget
from cone.domain.customers import CustomerInput
from cone.operations.actor import Actor
from cone.operations.pause_sync import pause_sync
from cone.operations.resume_sync import resume_sync
from cone.operations.save_customer import save_customer
from cone.operations.save_invoice import save_invoice
from cone.operations.settle_loss import look_for_customer, make_customer_anew
from cone.operations.settle_name import NotAskedError, NotLinkableError, link_customer
from cone.operations.sync_now import sync_cause, sync_record
from tests.builders import get_tax_rate, make_customer, make_invoice, make_invoice_input, make_line, make_payment
from tests.contract.emulated import EmulatedQuickBooks
from tests.integration.accounting.conftest import is_settled, release_values, wait_until
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
    assert sync.waits_for == (Awaited("customer", "Hatch & Sons"),)

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


def test_sync_now_on_a_waiting_invoice_looks_how_its_customer_stands(
    owner: Actor, control: Control, customer: Customer
) -> None:
    pay(owner, invoices_of(control, remote_id_of(customer))[0])
    settle(owner)
    control.act("deactivate", "Customer", id=remote_id_of(customer))
    numbers = add_two_invoices(owner, customer)
    assert wait_for_card(owner).count == 3
    control.act("activate", "Customer", id=remote_id_of(customer))

    sync_record(owner, "invoice", Invoice.objects.get(workspace=owner.workspace, number=numbers[0]).uuid)
    wait_until(lambda: not OutboxRow.objects.exists(), seconds=30)
    assert set(numbers) < set(invoices_of(control, remote_id_of(customer)))


def test_change_of_a_merged_customer_ends_in_the_same_cause(owner: Actor, control: Control, customer: Customer) -> None:
    survivor = control.act("create", "Customer", fields={"DisplayName": "Hatch Group"})["record"]["Id"]
    control.act("merge", "Customer", id=remote_id_of(customer), fields={"into": survivor})
    save_customer(owner, CustomerInput("Hatch & Sons", phone="020 7946 0000", currency="GBP"), uuid=customer.uuid)
    assert wait_for_card(owner).count == 1
    make_customer_anew(owner, customer.uuid)
    wait_until(lambda: not OutboxRow.objects.exists(), seconds=30)
    [there] = [each for each in control.records("Customer") if each["Id"] == remote_id_of(customer)]
    assert (there["DisplayName"], there["PrimaryPhone"]["FreeFormNumber"]) == ("Hatch & Sons", "020 7946 0000")


def test_loss_of_a_customer_is_said_although_its_own_change_waits_for_something_else(
    owner: Actor, control: Control, customer: Customer
) -> None:
    renamed = CustomerInput("Hatch: Sons", email="hatch@example.com", currency="GBP")
    save_customer(owner, renamed, uuid=customer.uuid)
    wait_until(lambda: OutboxRow.objects.filter(kind="customer", state="blocked").exists(), seconds=30)
    [card] = list_cause_cards(owner.workspace.pk)
    assert not card.cause.is_customer_lost
    lose(control, customer)

    numbers = add_two_invoices(owner, customer)
    wait_until(lambda: any(card.cause.is_customer_lost for card in list_cause_cards(owner.workspace.pk)), seconds=30)
    assert wait_for_card(owner).count == 3

    # What it waited for before is said again once that's mended.
    make_customer_anew(owner, customer.uuid)
    wait_until(lambda: OutboxRow.objects.filter(kind="customer", state="blocked").exists(), seconds=30)
    settle(owner)
    [again] = list_cause_cards(owner.workspace.pk)
    assert (again.cause.key, again.count) == (card.cause.key, 3)
    save_customer(owner, CustomerInput("Hatch & Sons", currency="GBP"), uuid=customer.uuid)
    wait_until(lambda: not OutboxRow.objects.exists(), seconds=30)
    assert invoices_of(control, remote_id_of(customer)) == sorted(numbers)


def lose(control: Control, customer: Customer) -> None:
    """Merge it into another one."""
    survivor = control.act("create", "Customer", fields={"DisplayName": "Hatch Group"})["record"]["Id"]
    control.act("merge", "Customer", id=remote_id_of(customer), fields={"into": survivor})


def count_reads(control: Control, entity: str) -> int:
    """How many records of a kind were read by their ids, one by one."""
    return len([each for each in control.requests(method="GET", path=f"/{entity}/") if "/query" not in each["path"]])


def issue(owner: Actor, customer: Customer, count: int) -> None:
    """So many invoices beside its first one."""
    for _ in range(count):
        make_invoice(owner, customer, is_issued=True)
    wait_until(lambda: Link.objects.filter(kind="invoice").count() == count + 1 and is_settled(owner), seconds=60)


def edit_all(owner: Actor, customer: Customer) -> None:
    """Give each of its invoices a memo, at one moment."""
    line = make_line(get_tax_rate(owner.workspace, 20))
    pause_sync(owner)
    for invoice in Invoice.objects.filter(customer=customer):
        save_invoice(owner, make_invoice_input(customer, [line], memo="Second thoughts"), uuid=invoice.uuid)
    resume_sync(owner)


def test_thirty_updates_refused_together_cost_one_read_of_the_customer(
    owner: Actor, control: Control, customer: Customer
) -> None:
    issue(owner, customer, 29)
    lose(control, customer)
    # As they are there since the merge: otherwise each would be read for that.
    for there in control.records("Invoice"):
        Link.objects.filter(kind="invoice", remote_id=there["Id"]).update(remote_version=there["SyncToken"])
    before = set(Batch.objects.values_list("id", flat=True))

    edit_all(owner, customer)
    assert wait_for_card(owner).count == 31

    refused = Attempt.objects.filter(kind="invoice", operation="update", state="failed")
    assert refused.count() == 30
    assert refused.filter(batch__isnull=False).exclude(batch_id__in=before).count() >= 25
    # Once for what was refused, once by its own row, which then asks a person.
    assert (count_reads(control, "customer"), count_reads(control, "invoice")) == (2, 0)


def test_each_request_that_looks_into_a_refused_batch_has_its_turn(
    owner: Actor, control: Control, customer: Customer
) -> None:
    def count_requests() -> int:
        return len(control.requests(method="", path="/v3/company/"))

    issue(owner, customer, 7)
    lose(control, customer)
    for there in control.records("Invoice"):
        Link.objects.filter(kind="invoice", remote_id=there["Id"]).update(remote_version=there["SyncToken"])
    RequestBudget.objects.update(recent=[])
    before = count_requests()

    edit_all(owner, customer)
    wait_for_card(owner)

    # The ledger remembers the last nine.
    made = count_requests() - before
    assert 3 <= made <= 9
    assert len(RequestBudget.objects.get().recent) == made


def test_updates_refused_together_for_their_item_cost_one_read_of_the_customer(
    owner: Actor, control: Control, customer: Customer
) -> None:
    issue(owner, customer, 7)
    control.act("deactivate", "Item", id=Link.objects.get(kind="service").remote_id)

    edit_all(owner, customer)
    wait_until(lambda: OutboxRow.objects.filter(state="blocked").count() == 8, seconds=30)

    # Usually one batch; each that they went in read the customer once.
    refused = Attempt.objects.filter(kind="invoice", operation="update", state="failed")
    works = {attempt.batch_id or f"alone {attempt.pk}" for attempt in refused}
    assert refused.count() == 8 > len(works)
    assert (count_reads(control, "customer"), count_reads(control, "invoice")) == (len(works), 8)
    assert not Link.objects.filter(standing="unsure").exists()


def test_customer_that_cant_be_read_at_the_refusal_is_read_again_by_itself(
    owner: Actor, control: Control, customer: Customer
) -> None:
    lose(control, customer)
    unreadable = {"match": {"entity": "customer", "method": "GET"}, "action": {"status": 500}, "count": 4}
    control.post("/faults", unreadable)
    before = len(control.requests(path="/invoice"))

    make_invoice(owner, customer=customer, is_issued=True)
    wait_until(lambda: any(card.cause.is_customer_lost for card in list_cause_cards(owner.workspace.pk)), seconds=60)

    assert wait_for_card(owner).count == 2
    # The invoice was refused once, and waits; its customer alone is asked for.
    assert len(control.requests(path="/invoice")) == before + 1
    assert count_reads(control, "customer") == 5


def test_doubt_of_a_customer_that_couldnt_be_read_ends_by_itself_where_it_was_unfounded(
    owner: Actor, control: Control, customer: Customer
) -> None:
    item_id = Link.objects.get(kind="service").remote_id
    control.act("deactivate", "Item", id=item_id)
    control.post("/faults", {"match": {"entity": "customer", "method": "GET"}, "action": {"status": 500}, "count": 1})
    before = len(control.requests(path="/invoice"))

    invoice = make_invoice(owner, customer=customer, is_issued=True)
    wait_until(lambda: OutboxRow.objects.filter(state="blocked").exists(), seconds=30)

    [card] = list_cause_cards(owner.workspace.pk)
    assert not card.cause.is_customer_lost
    assert card.examples[0][1] == invoice.uuid
    assert Link.objects.get(kind="customer").standing == "live"
    assert len(control.requests(path="/invoice")) == before + 2


def look_for(owner: Actor, customer: Customer, typed: str) -> tuple[str, list[str]]:
    """What a search says, and the names that it offers."""
    look_for_customer(owner, customer.uuid, typed)
    card = wait_for_card(owner)
    assert card.cause.looked_for == typed
    return card.cause.search, [entry.name for entry in card.cause.namesakes]


def test_lost_customer_is_found_by_the_beginning_of_its_name_or_by_its_address(
    owner: Actor, control: Control, customer: Customer
) -> None:
    address = {"PrimaryEmailAddr": {"Address": "Accounts@Hatch.example"}}
    lose(control, customer)
    for name, more in (("Hatch Partners", {}), ("Offices of Hatch", address)):
        control.act("create", "Customer", fields={"DisplayName": name, **more})
    add_two_invoices(owner, customer)
    assert wait_for_card(owner).cause.search == ""

    assert look_for(owner, customer, "hatch g") == ("some", ["Hatch Group"])
    assert look_for(owner, customer, "Hatch") == ("some", ["Hatch Group", "Hatch Partners"])
    assert look_for(owner, customer, "accounts@hatch.example") == ("some", ["Offices of Hatch"])
    assert look_for(owner, customer, "Partners") == ("none", [])
    for number in range(9):
        control.act("create", "Customer", fields={"DisplayName": f"Hatch {number}"})
    assert look_for(owner, customer, "Hatch") == ("many", [])
    # Its whole name is enough however many begin so.
    control.act("create", "Customer", fields={"DisplayName": "Hatch"})
    assert look_for(owner, customer, "Hatch") == ("some", ["Hatch"])


def test_second_of_two_people_who_settle_a_lost_customer_at_once_is_told(
    owner: Actor, control: Control, customer: Customer
) -> None:
    lose(control, customer)
    numbers = add_two_invoices(owner, customer)
    wait_for_card(owner)
    assert look_for(owner, customer, "Hatch Group")[0] == "some"
    [survivor] = [each["Id"] for each in control.records("Customer") if each["DisplayName"] == "Hatch Group"]
    start = threading.Barrier(2)

    def decide(act: Callable[[], None]) -> str:
        try:
            start.wait(10)
            act()
        except NotAskedError:
            return "told"
        finally:
            connection.close()
        return "done"

    acts = [
        lambda: link_customer(owner, customer.uuid, survivor),
        lambda: make_customer_anew(owner, customer.uuid),
    ]
    with ThreadPoolExecutor() as people:
        assert sorted(people.map(decide, acts)) == ["done", "told"]
    wait_until(lambda: not OutboxRow.objects.exists(), seconds=30)

    assert Link.objects.filter(kind="customer").count() == 1
    assert set(numbers) < set(invoices_of(control, survivor)) | set(invoices_of(control, remote_id_of(customer)))
    assert len([each for each in control.records("Invoice") if each["DocNumber"] in numbers]) == 2
    assert len([each for each in control.records("Customer") if each["DisplayName"].startswith("Hatch")]) <= 2


def test_sweep_leaves_what_waits_for_a_lost_customer_as_long_as_that_one_is_looked_after(
    owner: Actor, control: Control, customer: Customer
) -> None:
    lose(control, customer)
    add_two_invoices(owner, customer)
    assert wait_for_card(owner).count == 3

    def sweep() -> int:
        with connection.cursor() as cursor:
            cursor.execute(sweep_sql.RELEASE_LINKED_WAITS, release_values(owner))
            released: int = cursor.rowcount
        return released

    assert sweep() == 0
    OutboxRow.objects.filter(kind="customer").delete()
    assert sweep() == 2
    # Asked for anew by what waited for it.
    assert wait_for_card(owner).count == 3


def test_worker_killed_between_doubt_and_card_leaves_the_next_one_to_ask(
    owner: Actor, quickbooks: EmulatedQuickBooks, tmp_path: Path
) -> None:
    connect_and_configure(owner, quickbooks)
    control = Control(quickbooks.url)
    log = tmp_path / "worker.log"
    worker = start_worker(quickbooks.url, log)
    customer = make_customer(owner, "Hatch & Sons", typed=CustomerInput("Hatch & Sons"))
    make_invoice(owner, customer=customer, is_issued=True)
    settle(owner)
    lose(control, customer)
    # The first read is that of the refusal, the second that of the customer's own row.
    second = {"match": {"entity": "customer", "method": "GET"}, "action": "hang_before", "nth": 2}
    control.post("/faults", second)
    add_two_invoices(owner, customer)
    wait_until(lambda: count_reads(control, "customer") == 2, seconds=30)
    assert Link.objects.get(kind="customer").standing == "unsure"
    worker.kill()
    worker.wait(10)
    assert list_cause_cards(owner.workspace.pk) == ()
    posted = len(control.requests(path="/invoice"))

    worker = start_worker(quickbooks.url, log)
    try:
        wait_until(lambda: list_cause_cards(owner.workspace.pk), seconds=30)
        assert wait_for_card(owner).count == 3
        assert len(control.requests(path="/invoice")) == posted
    finally:
        worker.terminate()
        worker.wait(10)
