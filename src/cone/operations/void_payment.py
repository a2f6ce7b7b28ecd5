"""Take back a payment that was recorded wrongly or bounced; what it paid is owed again."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cone.accounting.outbox import enqueue
from cone.books.models import Invoice, Payment
from cone.domain.payments import PaymentAlreadyVoidError
from cone.domain.permissions import Permission
from cone.kit.money import round_amount
from cone.operations.actor import Actor
from cone.operations.records import get_locked, note


@transaction.atomic
def void_payment(actor: Actor, uuid: UUID) -> Payment:
    """Void a payment; it stays in the list, its invoices are owed again.

    Raises: NotAllowedError, RecordNotFoundError, PaymentAlreadyVoidError.
    """
    actor.check_may(Permission.INVOICING)
    payment = get_locked(Payment, actor, uuid)
    if payment.voided_at is not None:
        raise PaymentAlreadyVoidError
    amounts = dict(payment.allocations.values_list("invoice_id", "amount"))
    invoices = list(Invoice.objects.select_for_update().filter(pk__in=amounts).order_by("id"))
    for invoice in invoices:
        invoice.paid -= amounts[invoice.pk]
        note(
            actor,
            "invoice",
            invoice.uuid,
            "payment_voided",
            amount=f"{round_amount(amounts[invoice.pk], invoice.currency):f}",
            currency=invoice.currency,
        )
    Invoice.objects.bulk_update(invoices, ["paid"])
    payment.voided_at = timezone.now()
    payment.revision += 1
    payment.save(update_fields=["voided_at", "revision", "updated_at"])
    amount = round_amount(payment.amount, payment.currency)
    note(actor, "payment", payment.uuid, "voided", amount=f"{amount:f}", currency=payment.currency)
    enqueue(workspace_id=actor.workspace.pk, kind="payment", record_uuid=payment.uuid, revision=payment.revision)
    return payment
