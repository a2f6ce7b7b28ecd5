"""Void an issued invoice: it keeps its number and its figures, and nothing is owed on it."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cone.accounting.outbox import enqueue
from cone.books.models import Invoice
from cone.books.queries.statuses import read_facts
from cone.domain.invoices import InvoiceStatus, Verb, check_can, check_voidable, display_status
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import get_locked, note


@transaction.atomic
def void_invoice(actor: Actor, uuid: UUID) -> Invoice:
    """Void an issued invoice without payments.

    Raises: NotAllowedError, RecordNotFoundError, InvoiceStatusError, InvoiceHasPaymentsError.
    """
    actor.check_may(Permission.INVOICING)
    invoice = get_locked(Invoice, actor, uuid)
    check_can(Verb.VOID, display_status(read_facts(invoice), today=timezone.localdate()))
    check_voidable(paid=invoice.paid)
    invoice.status = InvoiceStatus.VOID.value
    invoice.voided_at = timezone.now()
    invoice.revision += 1
    invoice.save()
    note(actor, "invoice", invoice.uuid, "voided", number=invoice.number or "")
    enqueue(workspace_id=actor.workspace.pk, kind="invoice", record_uuid=invoice.uuid, revision=invoice.revision)
    return invoice
