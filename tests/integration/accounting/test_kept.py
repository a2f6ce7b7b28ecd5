"""What a bookkeeper adds to an invoice in QuickBooks stays when it's edited here: updates say our own fields only."""

from dataclasses import replace
from decimal import Decimal
from importlib import import_module

import pytest
from django.db import connection

from cone.books.models import Customer, Invoice, Link, Payment
from cone.domain.payments import PaymentInput
from cone.operations.actor import Actor
from cone.operations.edit_payment import edit_payment
from cone.operations.record_payment import record_payment
from cone.operations.save_invoice import save_invoice
from tests.builders import get_tax_rate, make_customer, make_invoice, make_invoice_input, make_line
from tests.contract.emulated import EmulatedQuickBooks
from tests.integration.accounting.conftest import MakeWorker, is_settled, wait_until
from tests.integration.accounting.emulation import Control, connect_and_configure

pytestmark = pytest.mark.django_db(transaction=True)

_TRACKING = {"ClassTrackingPerTxn": True, "TrackDepartments": True}
_FIELD = {"DefinitionId": "1", "Name": "Order", "Type": "StringType", "StringValue": "PO 77"}


def test_class_location_and_custom_fields_of_an_invoice_survive_an_edit_here(
    owner: Actor, quickbooks: EmulatedQuickBooks, make_worker: MakeWorker
) -> None:
    control = Control(quickbooks.url)
    connect_and_configure(owner, quickbooks)
    make_worker()
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner), seconds=30)
    remote_id = Link.objects.get(kind="invoice").remote_id

    control.act("update", "Preferences", id="1", fields={"AccountingInfoPrefs": _TRACKING})
    north = control.act("create", "Class", fields={"Name": "North"})["record"]["Id"]
    leeds = control.act("create", "Department", fields={"Name": "Leeds"})["record"]["Id"]
    theirs = {"ClassRef": {"value": north}, "DepartmentRef": {"value": leeds}, "CustomField": [_FIELD]}
    control.act("update", "Invoice", id=remote_id, fields=theirs)

    line = make_line(get_tax_rate(owner.workspace, 20), unit_price="150.00")
    save_invoice(owner, make_invoice_input(invoice.customer, [line], memo="Ours"), uuid=invoice.uuid)
    revision = Invoice.objects.get().revision
    wait_until(lambda: Link.objects.get(kind="invoice").synced_revision == revision, seconds=30)
    [there] = [record for record in control.records("Invoice") if record["Id"] == remote_id]
    assert there["TotalAmt"] == Invoice.objects.get().total == 180
    assert there["CustomerMemo"] == {"value": "Ours"}
    assert there["ClassRef"] == {"value": north, "name": "North"}
    assert there["DepartmentRef"] == {"value": leeds, "name": "Leeds"}
    assert there["CustomField"] == [_FIELD]


class Edited:
    """An invoice and a payment that stand there, edited on both sides."""

    def __init__(self, owner: Actor, quickbooks: EmulatedQuickBooks, make_worker: MakeWorker) -> None:
        self.owner = owner
        self.control = Control(quickbooks.url)
        connect_and_configure(owner, quickbooks)
        make_worker()
        self.customer: Customer = make_customer(owner)
        self.invoice = make_invoice(owner, self.customer, is_issued=True)
        self.payment = PaymentInput(
            customer=self.customer.uuid, received_date=self.invoice.issue_date, amount=Decimal(10), allocations=()
        )
        record_payment(owner, self.payment)
        self.settle()

    def settle(self) -> None:
        wait_until(lambda: Link.objects.filter(kind="payment").exists() and is_settled(self.owner), seconds=30)

    def edit(self, *, price: str, memo: str = "", reference: str = "") -> None:
        """Edit both here."""
        line = make_line(get_tax_rate(self.owner.workspace, 20), unit_price=price)
        save_invoice(self.owner, make_invoice_input(self.customer, [line], memo=memo), uuid=self.invoice.uuid)
        typed = replace(self.payment, amount=Decimal(price), reference=reference)
        edit_payment(self.owner, typed, uuid=Payment.objects.get().uuid)
        self.settle()

    def there(self) -> tuple[str, str, object]:
        """The texts there, after making sure that both edits arrived."""
        [invoice], [payment] = self.control.records("Invoice"), self.control.records("Payment")
        assert invoice["TotalAmt"] == Invoice.objects.get().total
        return invoice.get("CustomerMemo", {}).get("value", ""), payment.get("PaymentRefNum", ""), payment["TotalAmt"]

    def type_there(self, *, memo: str, reference: str) -> None:
        """The bookkeeper writes both texts."""
        ids = dict(Link.objects.values_list("kind", "remote_id"))
        self.control.act("update", "Invoice", id=ids["invoice"], fields={"CustomerMemo": {"value": memo}})
        self.control.act("update", "Payment", id=ids["payment"], fields={"PaymentRefNum": reference})


def test_texts_that_only_the_bookkeeper_wrote_survive_an_edit_here_and_ours_are_emptied(
    owner: Actor, quickbooks: EmulatedQuickBooks, make_worker: MakeWorker
) -> None:
    books = Edited(owner, quickbooks, make_worker)
    books.type_there(memo="Pay by Friday", reference="Cheque 7")
    books.edit(price="20")
    assert books.there() == ("Pay by Friday", "Cheque 7", 20)

    books.edit(price="30", memo="Ours", reference="R 1")
    assert books.there() == ("Ours", "R 1", 30)
    books.edit(price="40")
    assert books.there() == ("", "", 40)

    # What was emptied isn't ours any more.
    books.type_there(memo="Theirs again", reference="Cheque 8")
    books.edit(price="50")
    assert books.there() == ("Theirs again", "Cheque 8", 50)


def test_texts_sent_before_it_was_kept_whose_they_are_can_still_be_emptied(
    owner: Actor, quickbooks: EmulatedQuickBooks, make_worker: MakeWorker
) -> None:
    books = Edited(owner, quickbooks, make_worker)
    books.edit(price="20", memo="Ours", reference="R 1")
    with connection.cursor() as cursor:
        cursor.execute("update books_link set answer = answer - 'has_text'")
        [upgrade] = import_module("cone.books.migrations.0018_sent_texts").Migration.operations
        cursor.execute(upgrade.sql)
    assert set(Link.objects.filter(answer__has_text=True).values_list("kind", flat=True)) == {"invoice", "payment"}
    books.edit(price="30")
    assert books.there() == ("", "", Decimal(30))
