"""Make an invoice as a draft, or change a draft or an issued one."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cone.accounting.outbox import enqueue
from cone.books.models import Invoice
from cone.books.queries.statuses import read_facts
from cone.domain.errors import InvalidFieldError
from cone.domain.exchange import check_exchange_rate
from cone.domain.invoices import (
    InvoiceChangedMeanwhileError,
    InvoiceInput,
    InvoiceStatus,
    Verb,
    check_can,
    check_invoice,
    check_totals,
    display_status,
)
from cone.domain.permissions import Permission
from cone.kit.money import round_amount
from cone.operations.actor import Actor
from cone.operations.invoice_content import fill, find_references, price, read_input, write_rows
from cone.operations.records import get_locked, note


@transaction.atomic
def save_invoice(
    actor: Actor, typed: InvoiceInput, *, uuid: UUID | None = None, expected_revision: int | None = None
) -> Invoice:
    """Make a draft, or change the invoice with that uuid; an issued one keeps its number and is sent again.

    `expected_revision` is the revision the form was filled from. Saving an invoice unchanged does nothing.
    Raises: NotAllowedError, InvalidFieldError, RecordNotFoundError, InvoiceStatusError, InvoiceChangedMeanwhileError.
    """
    actor.check_may(Permission.INVOICING)
    wanted = check_invoice(typed)
    if uuid is None:
        invoice, before = Invoice(workspace=actor.workspace, paid=Decimal(0)), None
    else:
        invoice = _get_editable(actor, uuid)
        before = read_input(invoice)
        # The same changes sent twice are nobody else's.
        if expected_revision not in (None, invoice.revision) and before != wanted:
            raise InvoiceChangedMeanwhileError
    references = find_references(actor, wanted, before=before)
    rate = check_exchange_rate(
        wanted.exchange_rate, currency=references.customer.currency, home_currency=actor.workspace.currency
    )
    wanted = replace(wanted, exchange_rate=rate)
    if invoice.paid and invoice.customer_id != references.customer.pk:
        raise InvalidFieldError("customer", "A payment is recorded on this invoice; void it to change the customer.")
    totals = price(wanted, references)
    check_totals(totals, paid=round_amount(invoice.paid, references.customer.currency))
    if before == wanted and (invoice.net, invoice.tax) == (totals.net, totals.tax):
        return invoice
    fill(invoice, wanted, references, totals)
    if before is not None:
        invoice.revision += 1
    invoice.save()
    write_rows(invoice, wanted, references, totals, is_new=before is None)
    note(actor, "invoice", invoice.uuid, "created" if before is None else "edited", total=f"{totals.total:f}")
    if invoice.status == InvoiceStatus.ISSUED:
        enqueue(workspace_id=actor.workspace.pk, kind="invoice", record_uuid=invoice.uuid, revision=invoice.revision)
    return invoice


def _get_editable(actor: Actor, uuid: UUID) -> Invoice:
    invoice = get_locked(Invoice, actor, uuid)
    check_can(Verb.EDIT, display_status(read_facts(invoice), today=timezone.localdate()))
    return invoice
