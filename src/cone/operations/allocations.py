"""How a payment's parts change what is paid of its invoices: locked first, checked, then written as a whole."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from cone.books.models import Customer, Invoice, Payment, PaymentAllocation
from cone.books.queries.statuses import read_facts
from cone.domain.errors import InvalidFieldError
from cone.domain.invoices import InvoiceStatusError, Verb, check_can, display_status
from cone.domain.payments import AllocationInput, check_allocation
from cone.kit.money import round_amount
from cone.operations.actor import Actor


def lock_invoices(actor: Actor, customer: Customer, uuids: set[UUID]) -> dict[UUID, Invoice]:
    """The customer's invoices among these, locked until the transaction ends."""
    # In order of id: two payments of the same invoices can't wait for each other.
    found = (
        Invoice.objects.select_for_update()
        .filter(workspace=actor.workspace, customer=customer, uuid__in=uuids)
        .order_by("id")
    )
    return {invoice.uuid: invoice for invoice in found}


def allocate(
    actor: Actor, payment: Payment, parts: tuple[AllocationInput, ...], invoices: Mapping[UUID, Invoice]
) -> dict[UUID, Decimal]:
    """Write the parts of a payment in place of those it has; what each of the locked invoices was paid before.

    Raises: InvalidFieldError, a part as `allocations.0.amount`.
    """
    before = dict(payment.allocations.values_list("invoice__uuid", "amount"))
    for uuid, amount in before.items():
        invoices[uuid].paid -= amount
    allocations = []
    for position, part in enumerate(parts):
        invoice = invoices.get(part.invoice)
        if invoice is None:
            raise InvalidFieldError(f"allocations.{position}.invoice", "Choose an invoice of this customer.")
        if before.get(part.invoice) != part.amount:
            # What it pays already stays payable, written off meanwhile or not.
            _check_payable(position, invoice, currency=payment.currency)
        balance = round_amount(invoice.total - invoice.paid, invoice.currency)
        check_allocation(f"allocations.{position}.amount", part.amount, balance=balance, currency=invoice.currency)
        invoice.paid += part.amount
        allocations.append(
            PaymentAllocation(workspace=actor.workspace, payment=payment, invoice=invoice, amount=part.amount)
        )
    payment.allocations.all().delete()
    PaymentAllocation.objects.bulk_create(allocations)
    Invoice.objects.bulk_update(invoices.values(), ["paid"])
    return before


def _check_payable(position: int, invoice: Invoice, *, currency: str) -> None:
    at = f"allocations.{position}.invoice"
    try:
        check_can(Verb.RECORD_PAYMENT, display_status(read_facts(invoice), today=timezone.localdate()))
    except InvoiceStatusError as refusal:
        raise InvalidFieldError(at, str(refusal)) from refusal
    if invoice.currency != currency:
        raise InvalidFieldError(at, f"This invoice is in {invoice.currency}, the payment in {currency}.")
