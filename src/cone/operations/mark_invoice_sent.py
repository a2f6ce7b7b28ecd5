"""Note that an invoice went to the customer."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cone.books.models import Invoice
from cone.books.queries.statuses import read_facts
from cone.domain.invoices import Verb, check_can, display_status
from cone.domain.numbering import NumberPendingError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import get_locked, note


@transaction.atomic
def mark_invoice_sent(actor: Actor, uuid: UUID) -> Invoice:
    """Mark an issued invoice as sent; the first time counts. Accounting needn't hear of it.

    Raises: NotAllowedError, RecordNotFoundError, InvoiceStatusError, NumberPendingError.
    """
    actor.check_may(Permission.INVOICING)
    invoice = get_locked(Invoice, actor, uuid)
    check_can(Verb.MARK_SENT, display_status(read_facts(invoice), today=timezone.localdate()))
    if invoice.number is None:
        raise NumberPendingError
    if invoice.sent_at is None:
        invoice.sent_at = timezone.now()
        invoice.save(update_fields=["sent_at", "updated_at"])
        note(actor, "invoice", invoice.uuid, "sent", number=invoice.number or "")
    return invoice
