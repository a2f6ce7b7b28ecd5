"""Record money received from a customer, and which invoices it pays."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cone.books.models import Customer, Invoice, Payment, PaymentAllocation
from cone.books.queries.statuses import read_facts
from cone.domain.errors import InvalidFieldError
from cone.domain.invoices import InvoiceStatusError, Verb, check_can, display_status
from cone.domain.payments import PaymentInput, check_allocation, check_payment
from cone.domain.permissions import Permission
from cone.kit.money import round_amount
from cone.operations.actor import Actor
from cone.operations.records import find_referred, note


@transaction.atomic
def record_payment(actor: Actor, typed: PaymentInput) -> Payment:
    """Record a payment in full or in part of one or several invoices of one customer. Not sent in this version.

    Raises: NotAllowedError, InvalidFieldError.
    """
    actor.check_may(Permission.INVOICING)
    customer = find_referred(Customer, actor, {typed.customer}).get(typed.customer)
    if customer is None:
        raise InvalidFieldError("customer", "Choose a customer from the list.")
    checked = check_payment(typed, currency=customer.currency)
    invoices = _lock_invoices(actor, customer, {part.invoice for part in checked.allocations})
    payment = Payment(
        workspace=actor.workspace,
        customer=customer,
        received_date=checked.received_date,
        amount=checked.amount,
        currency=customer.currency,
        method=checked.method,
        reference=checked.reference,
    )
    payment.save()
    allocations = []
    for position, part in enumerate(checked.allocations):
        invoice = invoices.get(part.invoice)
        if invoice is None:
            raise InvalidFieldError(f"allocations.{position}.invoice", "Choose an invoice of this customer.")
        _check_payable(position, invoice)
        balance = round_amount(invoice.total - invoice.paid, invoice.currency)
        check_allocation(f"allocations.{position}.amount", part.amount, balance=balance)
        invoice.paid += part.amount
        allocations.append(
            PaymentAllocation(workspace=actor.workspace, payment=payment, invoice=invoice, amount=part.amount)
        )
        note(actor, "invoice", invoice.uuid, "payment_recorded", amount=f"{part.amount:f}", currency=payment.currency)
    PaymentAllocation.objects.bulk_create(allocations)
    Invoice.objects.bulk_update(invoices.values(), ["paid"])
    note(actor, "payment", payment.uuid, "created", amount=f"{payment.amount:f}", currency=payment.currency)
    return payment


def _lock_invoices(actor: Actor, customer: Customer, uuids: set[UUID]) -> dict[UUID, Invoice]:
    # In order of id: two payments of the same invoices can't wait for each other.
    found = (
        Invoice.objects.select_for_update()
        .filter(workspace=actor.workspace, customer=customer, uuid__in=uuids)
        .order_by("id")
    )
    return {invoice.uuid: invoice for invoice in found}


def _check_payable(position: int, invoice: Invoice) -> None:
    try:
        check_can(Verb.RECORD_PAYMENT, display_status(read_facts(invoice), today=timezone.localdate()))
    except InvoiceStatusError as refusal:
        raise InvalidFieldError(f"allocations.{position}.invoice", str(refusal)) from refusal
