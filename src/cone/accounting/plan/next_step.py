"""The door of the room: one due row and the situation in, one decision out."""

from cone.accounting.plan.decisions import Decision, Nothing
from cone.accounting.plan.invoices import plan_invoice
from cone.accounting.plan.open_attempts import find_out
from cone.accounting.plan.sending import send
from cone.accounting.plan.services import plan_service
from cone.accounting.port.documents import CustomerDocument
from cone.accounting.records import InvoiceRecord, ServiceRecord, Situation, Subject


def plan(subject: Subject, situation: Situation) -> Decision:
    """Decide the next step of one due row."""
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
