"""Record money received from a customer, and which invoices it pays."""

from django.db import transaction

from cone.accounting.outbox import enqueue
from cone.books.models import Customer, Payment
from cone.domain.errors import InvalidFieldError
from cone.domain.payments import PaymentInput, add_parts, check_payment
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.allocations import allocate, lock_invoices
from cone.operations.records import find_referred, note


@transaction.atomic
def record_payment(actor: Actor, typed: PaymentInput) -> Payment:
    """Record a payment in full or in part of one or several invoices of one customer; the rest is their credit.

    Raises: NotAllowedError, InvalidFieldError.
    """
    actor.check_may(Permission.INVOICING)
    customer = find_referred(Customer, actor, {typed.customer}).get(typed.customer)
    if customer is None:
        raise InvalidFieldError("customer", "Choose a customer from the list.")
    checked = check_payment(typed, currency=customer.currency, home_currency=actor.workspace.currency)
    invoices = lock_invoices(actor, customer, {part.invoice for part in checked.allocations})
    payment = Payment(
        workspace=actor.workspace,
        customer=customer,
        received_date=checked.received_date,
        amount=checked.amount,
        allocated=add_parts(checked.allocations),
        currency=customer.currency,
        method=checked.method,
        reference=checked.reference,
        exchange_rate=checked.exchange_rate,
    )
    payment.save()
    allocate(actor, payment, checked.allocations, invoices)
    for part in checked.allocations:
        note(actor, "invoice", part.invoice, "payment_recorded", amount=f"{part.amount:f}", currency=payment.currency)
    note(actor, "payment", payment.uuid, "created", amount=f"{payment.amount:f}", currency=payment.currency)
    enqueue(
        workspace_id=actor.workspace.pk,
        kind="payment",
        record_uuid=payment.uuid,
        revision=payment.revision,
        is_in_scope=True,
    )
    return payment
