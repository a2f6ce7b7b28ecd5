"""Change a payment that was recorded: its date, amount, method, reference, and what it pays."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction

from cone.accounting.outbox import enqueue
from cone.books.models import Payment
from cone.domain.errors import InvalidFieldError
from cone.domain.payments import (
    PaymentAlreadyVoidError,
    PaymentChangedMeanwhileError,
    PaymentInput,
    add_parts,
    check_payment,
)
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.allocations import allocate, lock_invoices
from cone.operations.records import change, get_locked, note


@transaction.atomic
def edit_payment(actor: Actor, typed: PaymentInput, *, uuid: UUID, expected_revision: int | None = None) -> Payment:
    """Change a payment as a whole; its customer stays. Saving it unchanged does nothing.

    `expected_revision` is the revision the form was filled from.
    Raises: NotAllowedError, RecordNotFoundError, InvalidFieldError, PaymentAlreadyVoidError,
    PaymentChangedMeanwhileError.
    """
    actor.check_may(Permission.INVOICING)
    payment = get_locked(Payment, actor, uuid)
    if payment.voided_at is not None:
        raise PaymentAlreadyVoidError
    if typed.customer != payment.customer.uuid:
        raise InvalidFieldError("customer", "A payment stays with its customer; void it and record another one.")
    checked = check_payment(typed, currency=payment.currency, home_currency=actor.workspace.currency)
    before = dict(payment.allocations.values_list("invoice__uuid", "amount"))
    wanted = {part.invoice: part.amount for part in checked.allocations}
    changed = change(
        payment,
        {
            "received_date": checked.received_date,
            "amount": checked.amount,
            "allocated": add_parts(checked.allocations),
            "method": checked.method,
            "reference": checked.reference,
            "exchange_rate": checked.exchange_rate,
        },
    )
    if not changed and before == wanted:
        return payment
    if expected_revision not in (None, payment.revision):
        raise PaymentChangedMeanwhileError
    allocate(actor, payment, checked.allocations, lock_invoices(actor, payment.customer, before.keys() | wanted.keys()))
    payment.revision += 1
    payment.save()
    for invoice in sorted(before.keys() | wanted.keys()):
        amount = wanted.get(invoice, Decimal(0))
        if before.get(invoice, Decimal(0)) != amount:
            note(actor, "invoice", invoice, "payment_edited", amount=f"{amount:f}", currency=payment.currency)
    note(actor, "payment", payment.uuid, "edited", amount=f"{payment.amount:f}", currency=payment.currency)
    enqueue(workspace_id=actor.workspace.pk, kind="payment", record_uuid=payment.uuid, revision=payment.revision)
    return payment
