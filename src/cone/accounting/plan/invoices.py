"""Issued invoices, once what they refer to stands there."""

from decimal import Decimal

from cone.accounting.plan.decisions import Decision, Nothing, WaitFor
from cone.accounting.plan.known_causes import find_known_cause
from cone.accounting.plan.removals import find_loss, plan_removal
from cone.accounting.plan.sending import send
from cone.accounting.port.documents import InvoiceDocument, InvoiceLineDocument
from cone.accounting.records import (
    AllocationRecord,
    InvoiceRecord,
    LineRecord,
    PaymentRecord,
    Reference,
    Situation,
    Subject,
)


def plan_invoice(subject: Subject, record: InvoiceRecord, situation: Situation) -> Decision:
    """Send an issued invoice that is in scope, once everything it refers to is linked."""
    link = subject.link
    if record.status == "draft":
        return Nothing()
    if record.status == "void":
        return plan_removal(subject, record, situation)
    if loss := find_loss(subject):
        return loss
    if link is None and not (subject.row.is_in_scope or is_in_scope(record, situation)):
        return Nothing()
    return find_known_cause(record, situation) or _refer_and_send(subject, record, situation)


def is_in_scope(record: InvoiceRecord | AllocationRecord, situation: Situation) -> bool:
    """Whether an invoice that was never sent goes by itself: issued since connecting. Older ones are asked for."""
    return record.issued_at is not None and record.issued_at >= situation.connected_at


def _refer_and_send(subject: Subject, record: InvoiceRecord, situation: Situation) -> Decision:
    customer_id = situation.linked.get(("customer", record.customer_uuid))
    services = dict.fromkeys(line.service_uuid for line in record.lines)
    missing: list[Reference] = [("service", uuid) for uuid in services if ("service", uuid) not in situation.linked]
    if customer_id is None:
        return WaitFor("customer", record.customer_uuid, also=tuple(missing))
    if missing:
        (kind, uuid), *others = missing
        return WaitFor(kind, uuid, also=tuple(others))
    if moving := dict.fromkeys(by for uuid in services if (by := situation.moving_items.get(uuid)) is not None):
        # A line posts to the account that its item has at that moment. An invoice that was read before another account
        # was chosen doesn't leave, since that moved the settings; one that was read since is known by the look to wait.
        # Only a look after the move lets it go: what a lane keeps in mind knows that an item is there, not how it is.
        first, *rest = moving
        return WaitFor("service", first, until="settled", also=tuple(("service", uuid) for uuid in rest))
    if record.total < sum((payment.amount for payment in record.applied), start=Decimal(0)):
        # A payment must be changed there before what it pays is made smaller.
        for payment in record.applied:
            if payment.is_pending:
                return WaitFor("payment", payment.payment_uuid, until="settled")
    return send(subject, invoice_document(record, customer_id, situation))


def invoice_document(record: InvoiceRecord, customer_id: str, situation: Situation) -> InvoiceDocument:
    """An invoice as it should stand there, its references resolved."""
    return InvoiceDocument(
        uuid=record.uuid,
        revision=record.revision,
        number=record.number,
        customer_id=customer_id,
        customer_email=record.customer_email,
        issue_date=record.issue_date,
        due_date=record.due_date,
        currency=record.currency,
        amounts_are=record.amounts_are,
        lines=tuple(_line(line, situation) for line in record.lines),
        memo=record.memo,
        net=record.net,
        tax=record.tax,
        total=record.total,
        deposit_account_id=_deposit_account_id(record, situation),
        is_tax_ours=situation.is_tax_ours,
        exchange_rate=find_exchange_rate(record, situation),
    )


def find_exchange_rate(record: InvoiceRecord | PaymentRecord, situation: Situation) -> Decimal | None:
    """The firm's own rate, where it's told in what the company calls home, and the document isn't."""
    home = situation.facts.home_currency
    return record.exchange_rate if situation.own_currency == home != record.currency else None


def _deposit_account_id(record: InvoiceRecord, situation: Situation) -> str | None:
    """Only where the company's invoices may carry one; a home-currency account can't stand on a foreign invoice."""
    facts = situation.facts
    may_carry = facts.allows_invoice_deposit and record.currency == facts.home_currency
    return situation.deposit_account_id if may_carry else None


def _line(line: LineRecord, situation: Situation) -> InvoiceLineDocument:
    code = situation.tax_codes[line.tax_rate_uuid]
    return InvoiceLineDocument(
        item_id=situation.linked["service", line.service_uuid],
        description=line.description or line.service_name,
        quantity=line.quantity,
        unit_price=line.unit_price,
        amount=line.amount,
        net=line.net,
        tax_code_id=code.remote_id,
        tax_percent=line.tax_percent,
        tax_components=code.components,
    )
