"""What a bookkeeper adds to an invoice in QuickBooks stays when it's edited here: updates say our own fields only."""

import pytest

from cone.books.models import Invoice, Link
from cone.operations.actor import Actor
from cone.operations.save_invoice import save_invoice
from tests.builders import get_tax_rate, make_invoice, make_invoice_input, make_line
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
