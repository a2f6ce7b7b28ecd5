"""Voiding, writing off, marking as sent, deleting."""

from decimal import Decimal
from uuid import uuid4

import pytest

from cone.books.models import Activity, Counter, Invoice, InvoiceLine, OutboxRow, Payment, RemoteCompany
from cone.books.queries.activity import list_activity
from cone.domain.errors import RecordNotFoundError
from cone.domain.invoices import (
    DisplayStatus,
    InvoiceHasPaymentsError,
    InvoiceNotDeletableError,
    InvoiceStatusError,
)
from cone.domain.workspaces import WorkspaceInput
from cone.operations.delete_invoice import delete_invoice
from cone.operations.mark_invoice_sent import mark_invoice_sent
from cone.operations.save_workspace import save_workspace
from cone.operations.void_invoice import void_invoice
from cone.operations.void_payment import void_payment
from cone.operations.write_off_invoice import write_off_invoice
from tests.builders import make_invoice, make_owner, make_payment

pytestmark = pytest.mark.django_db


def test_void_invoice_keeps_number_and_figures() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)

    void_invoice(owner, invoice.uuid)

    voided = Invoice.objects.get()
    assert (voided.status, voided.number, voided.total, voided.revision) == ("void", "INV-0001", Decimal(120), 3)
    assert voided.voided_at is not None
    assert make_invoice(owner, is_issued=True).number == "INV-0002"


def test_void_invoice_with_payment_is_refused_until_the_payment_is_void() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)
    payment = make_payment(owner, invoice)

    with pytest.raises(InvoiceHasPaymentsError, match="void the payment first"):
        void_invoice(owner, invoice.uuid)
    void_payment(owner, payment.uuid)
    void_invoice(owner, invoice.uuid)

    assert Invoice.objects.get().status == "void"


def test_void_invoice_draft_or_void_is_refused() -> None:
    owner = make_owner()
    draft, voided = make_invoice(owner), make_invoice(owner, is_issued=True)
    void_invoice(owner, voided.uuid)
    for invoice, status in ((draft, DisplayStatus.DRAFT), (voided, DisplayStatus.VOID)):
        with pytest.raises(InvoiceStatusError) as refusal:
            void_invoice(owner, invoice.uuid)
        assert refusal.value.status is status


def test_mark_invoice_sent_counts_the_first_time() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)

    first = mark_invoice_sent(owner, invoice.uuid).sent_at
    second = mark_invoice_sent(owner, invoice.uuid).sent_at

    assert first == second is not None
    assert Activity.objects.filter(verb="sent").count() == 1
    assert Invoice.objects.get().revision == 2


def test_write_off_invoice_ends_it() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)

    write_off_invoice(owner, invoice.uuid)

    with pytest.raises(InvoiceStatusError, match="This invoice is written off already"):
        write_off_invoice(owner, invoice.uuid)
    assert [entry.sentence for entry in list_activity(owner.workspace, "invoice", invoice.uuid)] == [
        "wrote off invoice INV-0001",
        "issued invoice INV-0001",
        "drafted an invoice",
    ]


def test_delete_invoice_draft_leaves_nothing_but_its_history() -> None:
    owner = make_owner()
    draft = make_invoice(owner)

    delete_invoice(owner, draft.uuid)

    assert (Invoice.objects.count(), InvoiceLine.objects.count()) == (0, 0)
    assert Activity.objects.filter(record_uuid=draft.uuid, verb="deleted").count() == 1
    with pytest.raises(RecordNotFoundError):
        delete_invoice(owner, draft.uuid)


def test_delete_invoice_latest_gives_its_number_back() -> None:
    owner = make_owner()
    first, second = (make_invoice(owner, is_issued=True) for _ in range(2))

    with pytest.raises(InvoiceNotDeletableError, match="Only the latest invoice"):
        delete_invoice(owner, first.uuid)
    delete_invoice(owner, second.uuid)

    assert Counter.objects.get().next_value == 2
    assert make_invoice(owner, is_issued=True).number == "INV-0002"


def test_delete_invoice_that_a_void_payment_names_is_refused_and_leaves_both() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)
    payment = make_payment(owner, invoice)
    void_payment(owner, payment.uuid)

    with pytest.raises(InvoiceNotDeletableError, match="void the invoice instead"):
        delete_invoice(owner, invoice.uuid)

    assert Invoice.objects.get(pk=invoice.pk).number == invoice.number
    assert Payment.objects.get(pk=payment.pk).allocations.count() == 1


def test_delete_invoice_of_a_former_prefix_is_refused() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)
    save_workspace(owner, WorkspaceInput(name="Firm", country="GB", invoice_prefix="R/"))

    with pytest.raises(InvoiceNotDeletableError):
        delete_invoice(owner, invoice.uuid)

    assert (Invoice.objects.count(), Counter.objects.get().next_value) == (1, 2)


def test_delete_invoice_sent_paid_or_on_its_way_is_refused() -> None:
    owner = make_owner()
    company = RemoteCompany.objects.create(
        workspace=owner.workspace, provider="fake", environment="emulator", remote_id="1"
    )
    sent, paid, on_its_way = (make_invoice(owner, is_issued=True) for _ in range(3))
    mark_invoice_sent(owner, sent.uuid)
    make_payment(owner, paid, "1.00")
    OutboxRow.objects.create(company=company, kind="invoice", record_uuid=on_its_way.uuid, wanted_revision=2)

    with pytest.raises(InvoiceStatusError, match="void it instead"):
        delete_invoice(owner, sent.uuid)
    with pytest.raises(InvoiceHasPaymentsError):
        delete_invoice(owner, paid.uuid)
    with pytest.raises(InvoiceNotDeletableError, match="on its way"):
        delete_invoice(owner, on_its_way.uuid)

    assert (Invoice.objects.count(), Counter.objects.get().next_value) == (3, 4)


def test_ending_unknown_invoices_is_not_found() -> None:
    owner = make_owner()
    for act in (void_invoice, write_off_invoice, mark_invoice_sent, delete_invoice):
        with pytest.raises(RecordNotFoundError):
            act(owner, uuid4())
