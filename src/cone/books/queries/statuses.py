"""The invoice's display status in SQL: `cone.domain.invoices.display_status` said to the database.

A test compares the two over all combinations.
"""

from datetime import date

from django.db.models import Case, CharField, F, Q, Value, When
from django.db.models.expressions import Combinable

from cone.books.models import Invoice
from cone.domain.invoices import DisplayStatus, InvoiceFacts, InvoiceStatus


def status_filters(today: date) -> dict[DisplayStatus, Q]:
    """Return one condition per status; each invoice meets exactly one."""
    issued = Q(status=InvoiceStatus.ISSUED)
    running = issued & Q(written_off_at__isnull=True)
    unpaid = running & Q(paid__lt=F("total"))
    due = unpaid & Q(due_date__gte=today)
    return {
        DisplayStatus.DRAFT: Q(status=InvoiceStatus.DRAFT),
        DisplayStatus.VOID: Q(status=InvoiceStatus.VOID),
        DisplayStatus.WRITTEN_OFF: issued & Q(written_off_at__isnull=False),
        DisplayStatus.PAID: running & Q(paid__gte=F("total")),
        DisplayStatus.PAST_DUE: unpaid & Q(due_date__lt=today),
        DisplayStatus.SENT: due & Q(sent_at__isnull=False),
        DisplayStatus.OPEN: due & Q(sent_at__isnull=True),
    }


def unpaid_filter() -> Q:
    """Return the condition of being owed: issued, not written off, not paid in full."""
    return Q(status=InvoiceStatus.ISSUED, written_off_at__isnull=True, paid__lt=F("total"))


def status_expression(today: date) -> Combinable:
    """Return the status as a column."""
    return Case(
        *(When(condition, then=Value(status.value)) for status, condition in status_filters(today).items()),
        output_field=CharField(),
    )


def read_facts(invoice: Invoice) -> InvoiceFacts:
    """Return what the invoice's status is derived from."""
    return InvoiceFacts(
        status=invoice.status,
        due_date=invoice.due_date,
        total=invoice.total,
        paid=invoice.paid,
        is_sent=invoice.sent_at is not None,
        is_written_off=invoice.written_off_at is not None,
    )
