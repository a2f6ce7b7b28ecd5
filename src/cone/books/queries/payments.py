"""Payments: the list, and one with the invoices it pays."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Q

from cone.books.models import Payment, PaymentAllocation, Workspace
from cone.books.queries.paging import Page, clean_search, cut_page
from cone.domain.errors import RecordNotFoundError
from cone.kit.money import Money


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment in a list."""

    uuid: UUID
    customer_uuid: UUID
    customer_name: str
    received_date: date
    amount: Money
    method: str
    reference: str
    is_void: bool


@dataclass(frozen=True, slots=True)
class AllocationView:
    """An invoice that a payment pays, and how much of it."""

    invoice_uuid: UUID
    invoice_number: str
    amount: Money


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment and what it pays."""

    row: PaymentRow
    allocations: tuple[AllocationView, ...]


def list_payments(workspace: Workspace, *, search: str = "", page: int = 1) -> Page[PaymentRow]:
    """Return a page of payments, latest first, in two queries."""
    found = Payment.objects.filter(workspace=workspace)
    wanted = clean_search(search)
    if wanted:
        found = found.filter(
            Q(customer__name__icontains=wanted) | Q(reference__icontains=wanted) | Q(method__icontains=wanted)
        )
    ordered = found.select_related("customer").order_by("-received_date", "-id")
    return cut_page(found.count(), page, lambda part: tuple(read_payment_row(payment) for payment in ordered[part]))


def get_payment(workspace: Workspace, uuid: UUID) -> PaymentView:
    """Return a payment of the workspace.

    Raises: RecordNotFoundError.
    """
    payment = Payment.objects.select_related("customer").filter(workspace=workspace, uuid=uuid).first()
    if payment is None:
        raise RecordNotFoundError
    parts = PaymentAllocation.objects.filter(payment=payment).select_related("invoice").order_by("invoice_id")
    return PaymentView(
        row=read_payment_row(payment),
        allocations=tuple(
            AllocationView(part.invoice.uuid, part.invoice.number or "", Money(part.amount, payment.currency).rounded())
            for part in parts
        ),
    )


def read_payment_row(payment: Payment) -> PaymentRow:
    """Return a payment, its customer at hand, as a row."""
    return PaymentRow(
        uuid=payment.uuid,
        customer_uuid=payment.customer.uuid,
        customer_name=payment.customer.name,
        received_date=payment.received_date,
        amount=Money(payment.amount, payment.currency).rounded(),
        method=payment.method,
        reference=payment.reference,
        is_void=payment.voided_at is not None,
    )
