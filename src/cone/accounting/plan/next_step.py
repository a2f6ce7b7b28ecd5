"""The door of the room: one due row and the situation in, one decision out."""

from cone.accounting.plan.customers import plan_customer
from cone.accounting.plan.decisions import (
    Decision,
    LookBack,
    LookUp,
    Nothing,
    Postpone,
    Remove,
    Repeat,
    Send,
    TakeBack,
)
from cone.accounting.plan.invoices import plan_invoice
from cone.accounting.plan.open_attempts import find_out
from cone.accounting.plan.payments import plan_payment
from cone.accounting.plan.services import plan_service
from cone.accounting.plan.taking_back import plan_taking_back
from cone.accounting.port.documents import CustomerDocument
from cone.accounting.records import InvoiceRecord, LinkState, PaymentRecord, Record, ServiceRecord, Situation, Subject


def plan(subject: Subject, situation: Situation) -> Decision:
    """Decide the next step of one due row. While reads and batches are held back, what needs neither still goes."""
    decision = _decide(subject, situation)
    if situation.reads_held_for is not None and _is_metered(decision):
        return Postpone()
    return decision


def _is_metered(decision: Decision) -> bool:
    """Whether it begins with a read, or repeats a batch, which can't be repeated in parts."""
    match decision:
        case Send(find_first=find_first):
            return find_first
        case Repeat(attempt):
            return attempt.batch_id is not None
        case _:
            return isinstance(decision, LookUp | Remove | LookBack | TakeBack)


def _decide(subject: Subject, situation: Situation) -> Decision:
    record, link = subject.record, subject.link
    if subject.row.take_back is not None:
        return plan_taking_back(subject, subject.row.take_back, situation)
    if subject.attempt is not None:
        return find_out(subject.attempt)
    if record is None or (link is not None and _is_settled(link, record.revision)):
        return Nothing()
    return _plan_record(subject, record, situation)


def _is_settled(link: LinkState, revision: int) -> bool:
    return link.synced_revision >= revision and link.is_equal and link.standing != "unsure"


def _plan_record(subject: Subject, record: Record, situation: Situation) -> Decision:
    match record:
        case CustomerDocument():
            return plan_customer(subject, record, situation)
        case ServiceRecord():
            return plan_service(subject, record, situation)
        case InvoiceRecord():
            return plan_invoice(subject, record, situation)
        case PaymentRecord():
            return plan_payment(subject, record, situation)
