"""Payments, once their customer and every invoice they pay stand there, in an order in which nothing is paid twice.

A payment follows its invoices: one that pays only invoices which aren't sent isn't sent either.
"""

from decimal import Decimal

from cone.accounting.plan.decisions import Blocked, Decision, Nothing, WaitFor
from cone.accounting.plan.invoices import find_exchange_rate, is_in_scope
from cone.accounting.plan.known_causes import find_known_cause_of_payment
from cone.accounting.plan.removals import find_loss, plan_removal
from cone.accounting.plan.sending import send
from cone.accounting.port.documents import AllocationDocument, PaymentDocument
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.records import AllocationRecord, PaymentRecord, Situation, Subject


def plan_payment(subject: Subject, record: PaymentRecord, situation: Situation) -> Decision:
    """Send a payment that is in scope, applied to its invoices; what they leave of it stays unapplied."""
    if record.is_void:
        return plan_removal(subject, record, situation)
    if loss := find_loss(subject):
        return loss
    unsent = [part for part in record.allocations if not _is_wanted(part, situation)]
    if subject.link is None:
        is_of_unsent_only = bool(unsent) and len(unsent) == len(record.allocations)
        if is_of_unsent_only or not subject.row.is_in_scope:
            return Nothing()
    return (
        find_known_cause_of_payment(record, situation)
        or _missing_cause(record, unsent)
        or _wait(record, situation)
        or send(subject, payment_document(record, situation.linked["customer", record.customer_uuid], situation))
    )


def _is_wanted(part: AllocationRecord, situation: Situation) -> bool:
    return part.remote_id is not None or part.is_asked_for or is_in_scope(part, situation)


def _missing_cause(record: PaymentRecord, unsent: list[AllocationRecord]) -> Blocked | None:
    for part in record.allocations:
        why = ""
        if part in unsent:
            why = "It was issued before the connection and isn't sent by itself: press Sync now on its page."
        elif part.status == "void":
            why = "It's void here."
        elif part.standing not in (None, "live", "unsure"):
            why = "It was voided or deleted there."
        if why:
            params = {"number": part.number, "why": why}
            return Blocked(CauseCode.INVOICE_NOT_THERE, key=f"invoice_not_there:{part.invoice_uuid}", params=params)
    return None


def _wait(record: PaymentRecord, situation: Situation) -> WaitFor | None:
    """Invoices first; and where one there has no room for its part yet, whatever is about to make room."""
    if ("customer", record.customer_uuid) not in situation.linked:
        return WaitFor("customer", record.customer_uuid)
    for part in record.allocations:
        if part.remote_id is None:
            return WaitFor("invoice", part.invoice_uuid)
    for part in record.allocations:
        if part.total_there is None:
            continue
        if part.is_behind and part.total > part.total_there:
            return WaitFor("invoice", part.invoice_uuid, until="settled")
        open_there = part.total_there - sum((other.amount for other in part.others), start=Decimal(0))
        if part.amount > open_there:
            for other in part.others:
                if other.is_pending:
                    return WaitFor("payment", other.payment_uuid, until="settled")
    return None


def payment_document(record: PaymentRecord, customer_id: str, situation: Situation) -> PaymentDocument:
    """A payment as it should stand there, its references resolved."""
    return PaymentDocument(
        uuid=record.uuid,
        revision=record.revision,
        customer_id=customer_id,
        received_date=record.received_date,
        amount=record.amount,
        currency=record.currency,
        deposit_account_id=situation.deposit_account_id,
        method=record.method,
        method_id=situation.payment_methods.get(record.method.lower(), ""),
        reference=record.reference,
        allocations=tuple(
            AllocationDocument(part.remote_id, part.amount) for part in record.allocations if part.remote_id
        ),
        exchange_rate=find_exchange_rate(record, situation),
    )
