"""Undoing a run whose payments moved the versions of its invoices there."""

from datetime import timedelta
from decimal import Decimal

import pytest

from cone.accounting.port.documents import InvoiceDocument
from cone.accounting.runs.reading import view_run
from cone.books.models import Invoice, Link, OutboxRow, RunRecord
from cone.kit.values import replace
from cone.operations.actor import Actor
from cone.operations.send_existing_invoices import send_existing_invoices
from cone.operations.undo_run import undo_run
from tests.builders import get_tax_rate, make_customer, make_invoice, make_line, make_payment
from tests.contract.emulated import EmulatedQuickBooks
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import MakeWorker, configure, connect, wait_until
from tests.integration.accounting.emulation import Control, connect_and_configure
from tests.integration.accounting.test_runs import TODAY, existing, finish

pytestmark = pytest.mark.django_db(transaction=True)


def test_undo_keeps_what_was_changed_there_though_payments_of_the_run_moved_its_version(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    untouched, due, memo = invoices = existing(owner, 3)
    for invoice in invoices:
        make_payment(owner, invoice)
    connect(owner, ledger)
    configure(owner)
    run = send_existing_invoices(owner, TODAY)
    make_worker()
    finish(run)
    there_now = {each.document.uuid: each for each in ledger.records("invoice")}
    for invoice, words in ((due, {"due_date": TODAY + timedelta(days=90)}), (memo, {"memo": "Told on the phone"})):
        record = there_now[invoice.uuid]
        assert isinstance(record.document, InvoiceDocument)
        record.document = replace(record.document, **words)
        record.version += 1

    undo_run(owner, run.uuid, by="delete")
    finish(run, "undone")

    changed = "It was changed there after it had been sent."
    assert {each.uuid: each.why for each in view_run(run).refused} == {due.uuid: changed, memo.uuid: changed}
    standing = {each.document.uuid: each.standing for each in ledger.records("invoice")}
    assert standing == {due.uuid: "live", memo.uuid: "live"}
    assert untouched.uuid not in standing
    assert ledger.records("payment") == []


def test_undo_keeps_what_the_bookkeeper_set_beside_ours_though_payments_moved_its_version(
    owner: Actor, quickbooks: EmulatedQuickBooks, make_worker: MakeWorker
) -> None:
    untouched, address, terms, sorted_by = invoices = existing(owner, 4)
    for invoice in invoices:
        make_payment(owner, invoice)
    control = Control(quickbooks.url)
    connect_and_configure(owner, quickbooks)
    tracking = {"ClassTrackingPerTxn": True}
    control.act("update", "Preferences", id="1", fields={"AccountingInfoPrefs": tracking})
    north = control.act("create", "Class", fields={"Name": "North"})["record"]["Id"]
    term = control.act("create", "Term", fields={"Name": "Net 45", "DueDays": 45})["record"]["Id"]
    run = send_existing_invoices(owner, TODAY)
    make_worker()
    finish(run)

    def set_there(invoice: Invoice, **fields: object) -> None:
        remote_id = Link.objects.get(record_uuid=invoice.uuid).remote_id
        control.act("update", "Invoice", id=remote_id, fields=fields)

    set_there(address, BillAddr={"Line1": "The Old Mill", "City": "Exeter"})
    set_there(terms, SalesTermRef={"value": term}, DueDate=terms.due_date.isoformat())
    set_there(sorted_by, ClassRef={"value": north})

    undo_run(owner, run.uuid, by="delete")
    finish(run, "undone")
    changed = "It was changed there after it had been sent."
    assert {each.uuid: each.why for each in view_run(run).refused} == {
        each.uuid: changed for each in (address, terms, sorted_by)
    }
    assert not Link.objects.filter(record_uuid=untouched.uuid).exists()
    assert len(control.records("Invoice")) == 3
    assert control.records("Payment") == []


_SAME_TOTAL: dict[str, dict[str, object]] = {
    "quantity and price": {"quantity": Decimal(2), "unit_price": Decimal(50)},
    "words": {"description": "Advice, as agreed"},
    "nothing": {},
}


@pytest.mark.parametrize("known", ["all", "the first part", "nothing"])
def test_undo_compares_what_is_known_of_how_it_was_answered(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, known: str
) -> None:
    """Nothing of it is taken for touched that wasn't told then; what nothing is known of stays."""
    unpaid, *paid = existing(owner, 1 + len(_SAME_TOTAL))
    invoices = dict(zip(_SAME_TOTAL, paid, strict=True))
    for invoice in invoices.values():
        make_payment(owner, invoice)
    connect(owner, ledger)
    configure(owner)
    run = send_existing_invoices(owner, TODAY)
    make_worker()
    finish(run)
    for link in Link.objects.filter(kind="invoice") if known != "all" else ():
        besides = link.answer.pop("besides")
        if known == "the first part":
            link.answer["besides"] = besides.split(".")[0]
        link.save()
    there_now = {each.document.uuid: each for each in ledger.records("invoice")}
    for what, invoice in invoices.items():
        record = there_now[invoice.uuid]
        assert isinstance(record.document, InvoiceDocument)
        [line] = record.document.lines
        record.document = replace(record.document, lines=(replace(line, **_SAME_TOTAL[what]),))
        record.version += 1

    undo_run(owner, run.uuid, by="delete")
    finish(run, "undone")
    changed = "It was changed there after it had been sent."
    unknown = "Whether it was changed there can't be told: an older version of Cone sent it."
    kept = {
        "all": {"quantity and price": changed, "words": changed},
        # Words are compared with what was sent, too.
        "the first part": {"words": changed},
        "nothing": dict.fromkeys(_SAME_TOTAL, unknown),
    }
    assert {each.uuid: each.why for each in view_run(run).refused} == {
        invoices[what].uuid: why for what, why in kept[known].items()
    }
    assert unpaid.uuid not in {each.document.uuid for each in ledger.records("invoice")}


# Description, quantity, price and day of the line, and a line of text: each comes to the same total.
_WRITTEN = {
    "the same": ("Advice", 2, 50, "", ""),
    "quantity and price": ("Advice", 4, 25, "", ""),
    "words": ("Advice, as agreed", 2, 50, "", ""),
    "date": ("Advice", 2, 50, "2026-01-05", ""),
    "line of text": ("Advice", 2, 50, "", "Thank you"),
}


def write_there(control: Control, remote_id: str, words: str, quantity: int, price: int, day: str, text: str) -> None:
    """Write the one line anew, as a form does that sends all of them: with ids of their own."""
    [there] = [each for each in control.records("Invoice") if each["Id"] == remote_id]
    [line] = [each for each in there["Line"] if each["DetailType"] == "SalesItemLineDetail"]
    detail = line["SalesItemLineDetail"] | {"Qty": quantity, "UnitPrice": price}
    if day:
        detail["ServiceDate"] = day
    lines = [{**line, "Id": None, "Description": words, "SalesItemLineDetail": detail}]
    if text:
        lines.append({"DetailType": "DescriptionOnly", "Description": text, "DescriptionLineDetail": {}})
    control.act("update", "Invoice", id=remote_id, fields={"Line": lines})


def test_undo_keeps_what_the_bookkeeper_wrote_on_lines_though_the_total_is_the_same(
    owner: Actor, quickbooks: EmulatedQuickBooks, make_worker: MakeWorker
) -> None:
    rate = get_tax_rate(owner.workspace, 20)
    lines = [make_line(rate, description="Advice", quantity="2", unit_price="50.00")]
    written = {
        what: make_invoice(owner, make_customer(owner, f"Customer {what}"), is_issued=True, lines=lines)
        for what in _WRITTEN
    }
    for invoice in written.values():
        make_payment(owner, invoice)
    control = Control(quickbooks.url)
    connect_and_configure(owner, quickbooks)
    run = send_existing_invoices(owner, TODAY)
    make_worker()
    finish(run)
    for what, invoice in written.items():
        there = Link.objects.get(record_uuid=invoice.uuid).remote_id
        write_there(control, there, *_WRITTEN[what])

    undo_run(owner, run.uuid, by="delete")
    finish(run, "undone")
    assert {each.uuid for each in view_run(run).refused} == {
        invoice.uuid for what, invoice in written.items() if what != "the same"
    }
    assert len(control.records("Invoice")) == len(_WRITTEN) - 1


@pytest.mark.parametrize("act", ["void", "delete"])
def test_undo_leaves_what_somebody_removed_there_and_another_run_doesnt_bring_it_back(
    owner: Actor, quickbooks: EmulatedQuickBooks, make_worker: MakeWorker, act: str
) -> None:
    removed, other = existing(owner, 2)
    control = Control(quickbooks.url)
    connect_and_configure(owner, quickbooks)
    run = send_existing_invoices(owner, TODAY)
    make_worker()
    finish(run)
    there = Link.objects.get(record_uuid=removed.uuid).remote_id
    control.act(act, "Invoice", id=there)

    undo_run(owner, run.uuid, by="delete")
    finish(run, "undone")
    words = "It was voided or deleted there after it had been sent."
    assert {each.uuid: each.why for each in view_run(run).refused} == {removed.uuid: words}
    link = Link.objects.get(kind="invoice")
    assert (link.record_uuid, link.standing) == (removed.uuid, {"void": "void", "delete": "deleted"}[act])
    # Its row is looked at once more after it has been left.
    wait_until(lambda: not OutboxRow.objects.exists())

    before = len(control.records("Invoice"))
    again = send_existing_invoices(owner, TODAY)
    finish(again)
    assert len(control.records("Invoice")) == before + 1
    assert set(RunRecord.objects.filter(run=again, kind="invoice").values_list("record_uuid", flat=True)) == {
        other.uuid
    }


def test_undo_goes_on_after_somebody_deleted_a_payment_there(
    owner: Actor, quickbooks: EmulatedQuickBooks, make_worker: MakeWorker
) -> None:
    [invoice] = existing(owner, 1)
    payment = make_payment(owner, invoice)
    control = Control(quickbooks.url)
    connect_and_configure(owner, quickbooks)
    run = send_existing_invoices(owner, TODAY)
    make_worker()
    finish(run)
    control.act("delete", "Payment", id=Link.objects.get(kind="payment").remote_id)

    undo_run(owner, run.uuid, by="delete")
    finish(run, "undone")
    assert {each.uuid for each in view_run(run).refused} == {payment.uuid}
    assert not Link.objects.filter(kind="invoice").exists()


@pytest.mark.parametrize("by", ["delete", "void"])
def test_undo_says_of_books_closed_meanwhile_what_it_says_of_those_it_knew_of(
    owner: Actor, quickbooks: EmulatedQuickBooks, make_worker: MakeWorker, by: str
) -> None:
    [invoice] = existing(owner, 1)
    control = Control(quickbooks.url)
    connect_and_configure(owner, quickbooks)
    run = send_existing_invoices(owner, TODAY)
    make_worker()
    finish(run)
    control.act("close_books", "Preferences", date=TODAY.isoformat())

    undo_run(owner, run.uuid, by=by)
    finish(run, "undone")
    words = "The books are closed for its date."
    assert {each.uuid: each.why for each in view_run(run).refused} == {invoice.uuid: words}
    assert len(control.records("Invoice")) == 1
