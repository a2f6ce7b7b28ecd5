"""Payments: the list, and one with the invoices it pays."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import F, Q, Sum

from cone.books.models import Customer, Invoice, Payment, PaymentAllocation, Workspace
from cone.books.queries.paging import Page, clean_search, cut_page
from cone.books.queries.statuses import unpaid_filter
from cone.domain.errors import RecordNotFoundError
from cone.domain.numbering import shown_number
from cone.kit.money import Money


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment in a list."""

    uuid: UUID
    customer_uuid: UUID
    customer_name: str
    received_date: date
    amount: Money
    unapplied: Money
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
    revision: int
    allocations: tuple[AllocationView, ...]
    exchange_rate: Decimal | None


@dataclass(frozen=True, slots=True)
class PayableInvoice:
    """An invoice that a payment may pay: `balance` is what is owed on it, and what this payment pays already."""

    uuid: UUID
    number: str
    due_date: date
    total: Money
    balance: Money
    paid_by_this: Money


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
        revision=payment.revision,
        allocations=tuple(
            AllocationView(
                part.invoice.uuid,
                shown_number(part.invoice.number, status=part.invoice.status),
                Money(part.amount, payment.currency).rounded(),
            )
            for part in parts
        ),
        exchange_rate=payment.exchange_rate,
    )


def list_payable_invoices(
    workspace: Workspace, customer_uuid: UUID, *, payment_uuid: UUID | None = None
) -> tuple[PayableInvoice, ...]:
    """Return what a customer owes, longest due first, and what a payment at hand pays already; in two queries."""
    mine: dict[int, Decimal] = {}
    if payment_uuid is not None:
        parts = PaymentAllocation.objects.filter(workspace=workspace, payment__uuid=payment_uuid)
        mine = dict(parts.values_list("invoice_id", "amount"))
    found = Invoice.objects.filter(workspace=workspace, customer__uuid=customer_uuid)
    payable = found.filter(unpaid_filter() | Q(pk__in=mine.keys())).order_by("due_date", "id")
    return tuple(_read_payable(invoice, mine.get(invoice.pk, Decimal(0))) for invoice in payable)


def _read_payable(invoice: Invoice, paid_by_this: Decimal) -> PayableInvoice:
    return PayableInvoice(
        uuid=invoice.uuid,
        number=invoice.number or "",
        due_date=invoice.due_date,
        total=Money(invoice.total, invoice.currency).rounded(),
        balance=Money(invoice.total - invoice.paid + paid_by_this, invoice.currency).rounded(),
        paid_by_this=Money(paid_by_this, invoice.currency).rounded(),
    )


def read_credit(customer: Customer) -> Money:
    """Return what a customer has paid that no invoice uses yet."""
    found = Payment.objects.filter(customer=customer, voided_at__isnull=True, currency=customer.currency)
    rest: Decimal = found.aggregate(rest=Sum(F("amount") - F("allocated"), default=Decimal(0)))["rest"]
    return Money(rest, customer.currency).rounded()


def read_payment_row(payment: Payment) -> PaymentRow:
    """Return a payment, its customer at hand, as a row."""
    return PaymentRow(
        uuid=payment.uuid,
        customer_uuid=payment.customer.uuid,
        customer_name=payment.customer.name,
        received_date=payment.received_date,
        amount=Money(payment.amount, payment.currency).rounded(),
        unapplied=Money(payment.amount - payment.allocated, payment.currency).rounded(),
        method=payment.method,
        reference=payment.reference,
        is_void=payment.voided_at is not None,
    )
