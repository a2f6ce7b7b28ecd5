"""An older copy of the database, dumped and restored with Postgres' own tools while QuickBooks has moved on.

What the copy knows isn't made a second time, whether QuickBooks still remembers the request ids or not; what was made
after it is told apart by its mark and never taken for ours.
"""

import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from cone.accounting.causes import list_cause_cards
from cone.accounting.port.documents import InvoiceDocument, Kind
from cone.books.models import Invoice, Link, OutboxRow, Payment, RemoteCompany
from cone.cli.postgres.binaries import find_binaries
from cone.domain.customers import CustomerInput
from cone.kit.values import replace
from cone.operations.actor import Actor
from cone.operations.confirm_compared import confirm_compared
from cone.operations.note_restored import note_restored
from cone.operations.pause_sync import pause_sync
from cone.operations.resume_sync import resume_sync
from cone.operations.save_customer import save_customer
from cone.operations.save_invoice import save_invoice
from cone.operations.save_removal_policy import save_removal_policy
from cone.operations.void_invoice import void_invoice
from tests.builders import get_tax_rate, make_customer, make_invoice, make_invoice_input, make_line, make_payment
from tests.contract.emulated import EmulatedQuickBooks
from tests.fakes.ledger import DEFAULT_COMPANY, FakeLedger
from tests.integration.accounting.conftest import MakeWorker, configure, connect, is_settled, wait_until
from tests.integration.accounting.emulation import Control, address_of, connect_and_configure

CLARA = CustomerInput(name="", email="clara@example.com")

pytestmark = pytest.mark.django_db(transaction=True)


def run_tool(name: str, *arguments: str) -> None:
    """One of Postgres' tools, of the server's own version."""
    with connection.cursor() as cursor:
        cursor.execute("show server_version_num")
        major = int(cursor.fetchone()[0]) // 10_000
    connection.close()
    binaries = find_binaries(major=major)
    done = subprocess.run([binaries.bin_dir / name, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def dump(to: Path) -> None:
    run_tool("pg_dump", "--format=custom", f"--file={to}", address_of(connection.settings_dict))


def restore(copy: Path) -> None:
    target = f"--dbname={address_of(connection.settings_dict)}"
    run_tool("pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", target, str(copy))


class Books:
    """A firm, what stands in QuickBooks, and a worker only while something is to be sent."""

    def __init__(self, owner: Actor, control: Control, make_worker: MakeWorker) -> None:
        self.owner = owner
        self.control = control
        self._make_worker = make_worker

    def sync(self) -> None:
        """Until nothing is due; what needs a person stays."""
        worker = self._make_worker()
        wait_until(lambda: is_settled(self.owner), seconds=30)
        worker.stop()

    def edit(self, invoice: Invoice, price: str, *, memo: str = "") -> None:
        line = make_line(get_tax_rate(self.owner.workspace, 20), unit_price=price)
        typed = make_invoice_input(invoice.customer, [line], memo=memo)
        save_invoice(self.owner, typed, uuid=invoice.uuid)

    def there(self, entity: str) -> list[dict[str, Any]]:
        return self.control.records(entity)

    def invoice_there(self, invoice: Invoice) -> dict[str, Any]:
        [found] = [each for each in self.there("Invoice") if str(invoice.uuid) in each.get("PrivateNote", "")]
        return found

    def count(self) -> Counter[str]:
        return Counter({entity: len(self.there(entity)) for entity in ("Customer", "Item", "Invoice", "Payment")})

    def causes(self) -> set[str]:
        return {card.cause.key.partition(":")[0] for card in list_cause_cards(self.owner.workspace.pk)}


@pytest.fixture
def books(owner: Actor, quickbooks: EmulatedQuickBooks, make_worker: MakeWorker) -> Books:
    connect_and_configure(owner, quickbooks)
    save_removal_policy(owner, "void")
    return Books(owner, Control(quickbooks.url), make_worker)


@pytest.fixture(params=["forever", "ignored"])
def remembered(request: pytest.FixtureRequest, books: Books) -> str:
    books.control.post("/request-ids", {"remembered": request.param})
    chosen: str = request.param
    return chosen


@pytest.mark.usefixtures("remembered")
def test_what_the_copy_knows_is_not_made_a_second_time(books: Books, tmp_path: Path) -> None:
    owner, copy = books.owner, tmp_path / "copy"
    anna, ben = make_customer(owner, "Anna"), make_customer(owner, "Ben")
    edited, voided = make_invoice(owner, anna, is_issued=True), make_invoice(owner, anna, is_issued=True)
    books.sync()
    pause_sync(owner)
    waiting, paid = make_invoice(owner, ben, is_issued=True), make_invoice(owner, anna, is_issued=True)
    payment = make_payment(owner, paid)
    resume_sync(owner)
    dump(copy)

    # Lost with the restore: all that was sent of it, an edit, a void, a new name.
    books.sync()
    books.edit(edited, "150.00", memo="Before")
    void_invoice(owner, voided.uuid)
    save_customer(owner, CustomerInput(name="Ben & Co", email="books@example.com"), uuid=ben.uuid)
    books.sync()
    before = books.count()
    restore(copy)
    assert Invoice.objects.get(pk=edited.pk).total == 120
    assert not Link.objects.filter(record_uuid=waiting.uuid).exists()
    assert note_restored().records == 3
    assert note_restored().records == 0

    # Entered anew: the edit with the same price and another memo, the void as it was; and one record that waited moves.
    books.edit(Invoice.objects.get(pk=edited.pk), "150.00", memo="Afterwards")
    books.edit(Invoice.objects.get(pk=waiting.pk), "100.00", memo="Moved on")
    void_invoice(owner, voided.uuid)
    books.sync()

    assert books.count() == before
    assert books.causes() == set()
    assert not OutboxRow.objects.exists()
    assert Link.objects.count() == 8
    assert books.invoice_there(Invoice.objects.get(pk=edited.pk))["CustomerMemo"] == {"value": "Afterwards"}
    assert books.invoice_there(Invoice.objects.get(pk=edited.pk))["TotalAmt"] == 180
    assert books.invoice_there(Invoice.objects.get(pk=waiting.pk))["CustomerMemo"] == {"value": "Moved on"}
    assert books.invoice_there(Invoice.objects.get(pk=voided.pk))["TotalAmt"] == 0
    assert books.invoice_there(Invoice.objects.get(pk=paid.pk))["Balance"] == 0
    assert Payment.objects.get(pk=payment.pk).allocated == Decimal(120)


def test_what_was_made_after_the_copy_is_told_apart_when_it_is_entered_again(books: Books, tmp_path: Path) -> None:
    """Its number comes again, its uuid doesn't: nothing is made over it or taken for it, and a person is told."""
    owner, copy = books.owner, tmp_path / "copy"
    make_invoice(owner, make_customer(owner, "Anna"), is_issued=True)
    books.sync()
    dump(copy)
    lost = make_invoice(owner, make_customer(owner, "Clara", typed=CLARA), is_issued=True)
    lost_payment = make_payment(owner, lost)
    books.sync()
    before, stood = books.count(), books.invoice_there(lost)
    restore(copy)
    note_restored()
    assert not Invoice.objects.filter(uuid=lost.uuid).exists()

    clara = make_customer(owner, "Clara", typed=CLARA)
    again = make_invoice(owner, clara, is_issued=True)
    make_payment(owner, again)
    assert again.number == lost.number
    books.sync()
    assert books.count() == before
    assert books.invoice_there(lost) == stood
    [payment_there] = [each for each in books.there("Payment") if str(lost_payment.uuid) in each["PrivateNote"]]
    assert payment_there["TotalAmt"] == 120
    [card] = list_cause_cards(owner.workspace.pk)
    # The payment waits for its invoice and is counted with it; the customer is the same by name and address.
    assert (card.cause.key, card.count) == (f"number_taken:{again.uuid}", 2)
    assert "Another transaction in QuickBooks Online has this number" in card.cause.explanation
    assert Link.objects.filter(record_uuid=clara.uuid).exists()


def test_dump_restored_once_more_is_told_anew_though_it_knows_that_the_first_was_compared(
    owner: Actor, ledger: FakeLedger, tmp_path: Path
) -> None:
    connect(owner, ledger)
    note_restored()
    confirm_compared(owner)
    dump(tmp_path / "copy")
    restore(tmp_path / "copy")
    assert RemoteCompany.objects.get().restored_at is None
    assert note_restored().compared == ()
    assert RemoteCompany.objects.get().restored_at is not None


def test_answer_from_before_the_copy_was_restored_is_brought_up_to_date(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, tmp_path: Path
) -> None:
    """Also where nobody said that the books were restored: what stands there was made long before it was sent."""
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, is_issued=True)
    dump(tmp_path / "copy")
    worker = make_worker()
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    worker.stop()
    kinds: tuple[Kind, ...] = ("customer", "invoice")
    for kind in kinds:
        [record] = ledger.records(kind)
        record.created_at -= timedelta(minutes=6)
    ledger.companies[DEFAULT_COMPANY].answers = {
        request_id: replace(sent, record=replace(sent.record, created_at=datetime.now(UTC) - timedelta(minutes=6)))
        for request_id, sent in ledger.companies[DEFAULT_COMPANY].answers.items()
    }
    restore(tmp_path / "copy")
    typed = make_invoice_input(invoice.customer, [make_line(get_tax_rate(owner.workspace, 20))], memo="Moved on")
    save_invoice(owner, typed, uuid=invoice.uuid)
    make_worker()
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner))
    [there] = ledger.records("invoice")
    assert isinstance(there.document, InvoiceDocument)
    assert there.document.memo == "Moved on"
    assert Link.objects.get(kind="invoice").synced_revision == Invoice.objects.get().revision
