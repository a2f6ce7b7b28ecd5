"""The door of the room: one due row and the situation in, one decision out."""

from cone.accounting.plan.decisions import Decision, LookUp, Nothing, Postpone, Send
from cone.accounting.plan.invoices import plan_invoice
from cone.accounting.plan.open_attempts import find_out
from cone.accounting.plan.sending import send
from cone.accounting.plan.services import plan_service
from cone.accounting.port.documents import CustomerDocument
from cone.accounting.records import InvoiceRecord, ServiceRecord, Situation, Subject


def plan(subject: Subject, situation: Situation) -> Decision:
    """Decide the next step of one due row. While reads are held back, what needs none still goes."""
    decision = _decide(subject, situation)
    if situation.reads_held_for is not None and _begins_with_a_read(decision):
        return Postpone(situation.reads_held_for)
    return decision


def _begins_with_a_read(decision: Decision) -> bool:
    return isinstance(decision, LookUp) or (isinstance(decision, Send) and decision.find_first)


def _decide(subject: Subject, situation: Situation) -> Decision:
    record, link = subject.record, subject.link
    if subject.attempt is not None:
        return find_out(subject, subject.attempt, situation)
    if record is None or (link is not None and link.synced_revision >= record.revision and link.is_equal):
        return Nothing()
    match record:
        case CustomerDocument():
            return send(subject, record)
        case ServiceRecord():
            return plan_service(record, link, situation)
        case InvoiceRecord():
            return plan_invoice(subject, record, situation)
