"""Write off an invoice that won't be paid. In the accounting software that is the bookkeeper's entry to make."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cone.books.models import Invoice
from cone.books.queries.statuses import read_facts
from cone.domain.invoices import Verb, check_can, display_status
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import get_locked, note


@transaction.atomic
def write_off_invoice(actor: Actor, uuid: UUID) -> Invoice:
    """Write off what is still owed. Nothing is sent: how bad debt is booked is the bookkeeper's choice.

    Raises: NotAllowedError, RecordNotFoundError, InvoiceStatusError.
    """
    actor.check_may(Permission.INVOICING)
    invoice = get_locked(Invoice, actor, uuid)
    check_can(Verb.WRITE_OFF, display_status(read_facts(invoice), today=timezone.localdate()))
    invoice.written_off_at = timezone.now()
    invoice.save(update_fields=["written_off_at", "updated_at"])
    note(actor, "invoice", invoice.uuid, "written_off", number=invoice.number or "")
    return invoice
