"""Give an invoice that waits for its number one of Cone's own."""

from uuid import UUID

from django.db import transaction

from cone.accounting.outbox import enqueue
from cone.books.models import Invoice
from cone.domain.invoices import InvoiceStatus
from cone.domain.numbering import NumberPendingError, NumberSettledError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.numbers import take_number
from cone.operations.records import get_locked, note


@transaction.atomic
def number_invoice(actor: Actor, uuid: UUID) -> Invoice:
    """Take the next of Cone's numbers for an issued invoice without one; where it's there already, it's renumbered.

    For when the accounting software was disconnected, is paused, or gave a number that can't be had.
    Raises: NotAllowedError, RecordNotFoundError, NumberSettledError, NumberPendingError (a draft, or void).
    """
    actor.check_may(Permission.INVOICING)
    invoice = get_locked(Invoice, actor, uuid)
    if invoice.number is not None:
        raise NumberSettledError
    if invoice.status != InvoiceStatus.ISSUED:
        raise NumberPendingError("Only an issued invoice gets a number.")
    invoice.number = take_number(actor.workspace)
    invoice.revision += 1
    invoice.save(update_fields=["number", "revision", "updated_at"])
    note(actor, "invoice", invoice.uuid, "numbered", number=invoice.number)
    enqueue(workspace_id=actor.workspace.pk, kind="invoice", record_uuid=invoice.uuid, revision=invoice.revision)
    return invoice
