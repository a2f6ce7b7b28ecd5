"""Delete a draft, or the latest issued invoice while nobody outside can have seen it."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cone.books.models import Attempt, Invoice, Link, OutboxRow
from cone.books.queries.statuses import read_facts
from cone.domain.invoices import (
    DisplayStatus,
    InvoiceStatus,
    InvoiceStatusError,
    Verb,
    check_can,
    check_deletable,
    display_status,
)
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.numbers import put_back_number
from cone.operations.records import get_locked, note


@transaction.atomic
def delete_invoice(actor: Actor, uuid: UUID) -> None:
    """Delete a draft; or an issued invoice that has the latest number and was never sent, paid or put on its way.

    Its number goes back to the counter, so that numbers stay without a gap. Any other issued invoice is voided instead.
    Raises: NotAllowedError, RecordNotFoundError, InvoiceStatusError, InvoiceHasPaymentsError, InvoiceNotDeletableError.
    """
    actor.check_may(Permission.INVOICING)
    invoice = get_locked(Invoice, actor, uuid)
    check_can(Verb.DELETE, display_status(read_facts(invoice), today=timezone.localdate()))
    if invoice.status != InvoiceStatus.DRAFT:
        _give_number_back(actor, invoice)
    note(actor, "invoice", invoice.uuid, "deleted", number=invoice.number or "")
    invoice.delete()


def _give_number_back(actor: Actor, invoice: Invoice) -> None:
    if invoice.sent_at is not None:
        raise InvoiceStatusError(Verb.DELETE, DisplayStatus.SENT)
    check_deletable(
        paid=invoice.paid,
        is_named_by_payments=invoice.allocations.exists(),
        is_known_to_accounting=_is_known_to_accounting(actor, invoice),
        # Without a number there's no gap to leave.
        has_latest_number=invoice.number is None or put_back_number(actor.workspace, invoice.number),
    )


def _is_known_to_accounting(actor: Actor, invoice: Invoice) -> bool:
    return any(
        model._default_manager.filter(
            company__workspace=actor.workspace, kind="invoice", record_uuid=invoice.uuid
        ).exists()
        for model in (OutboxRow, Link, Attempt)
    )
