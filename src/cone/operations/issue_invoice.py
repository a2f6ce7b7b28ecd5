"""Issue a draft: it gets its number, stands in the books, and goes to the accounting software."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cone.accounting.outbox import enqueue
from cone.books.models import Invoice
from cone.books.queries.statuses import read_facts
from cone.domain.errors import InvalidFieldError
from cone.domain.invoices import InvoiceStatus, Verb, check_can, check_invoice, check_totals, display_status
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.invoice_content import fill, find_references, price, read_input, write_rows
from cone.operations.numbers import maybe_take_number
from cone.operations.records import get_locked, note


@transaction.atomic
def issue_invoice(actor: Actor, uuid: UUID) -> Invoice:
    """Issue a draft with the next number and the tax rates' present percentages.

    Where the accounting software numbers invoices, the number comes with its answer and is pending until then.
    Raises: NotAllowedError, RecordNotFoundError, InvoiceStatusError, InvalidFieldError when its customer is archived.
    """
    actor.check_may(Permission.INVOICING)
    invoice = get_locked(Invoice, actor, uuid)
    check_can(Verb.ISSUE, display_status(read_facts(invoice), today=timezone.localdate()))
    wanted = check_invoice(read_input(invoice))
    references = find_references(actor, wanted, before=wanted)
    if references.customer.archived_at:
        raise InvalidFieldError("customer", "This customer is archived; restore it before issuing the invoice.")
    totals = price(wanted, references)
    check_totals(totals, paid=invoice.paid)
    fill(invoice, wanted, references, totals)
    invoice.number = maybe_take_number(actor.workspace)
    invoice.status = InvoiceStatus.ISSUED.value
    invoice.issued_at = timezone.now()
    invoice.revision += 1
    invoice.save()
    write_rows(invoice, wanted, references, totals, is_new=False)
    note(actor, "invoice", invoice.uuid, "issued", number=invoice.number or "")
    enqueue(
        workspace_id=actor.workspace.pk,
        kind="invoice",
        record_uuid=invoice.uuid,
        revision=invoice.revision,
        is_in_scope=True,
    )
    return invoice
