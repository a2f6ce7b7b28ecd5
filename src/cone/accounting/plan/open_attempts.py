"""What to do about an attempt whose outcome isn't known: repeat it, or look whether it arrived."""

from dataclasses import replace
from datetime import timedelta

from cone.accounting.plan.decisions import Decision, LookUp, Repeat
from cone.accounting.plan.invoices import invoice_document
from cone.accounting.plan.services import service_document
from cone.accounting.port.documents import CustomerDocument, Document
from cone.accounting.records import InvoiceRecord, OpenAttempt, Record, ServiceRecord, Situation, Subject

# How long a platform may be trusted to know a request id again. QuickBooks doesn't publish it (api: requestid).
MAY_BE_FORGOTTEN = timedelta(hours=1)


def find_out(subject: Subject, attempt: OpenAttempt, situation: Situation) -> Decision:
    """Unknown outcomes are resolved first, whatever has become of the record here."""
    record = subject.record
    if record is None or subject.link is not None or attempt.operation != "create":
        return Repeat(attempt)
    is_void = isinstance(record, InvoiceRecord) and record.status == "void"
    if is_void or attempt.age_seconds > MAY_BE_FORGOTTEN.total_seconds():
        return LookUp(attempt, look_up_document(record, situation))
    return Repeat(attempt)


def look_up_document(record: Record, situation: Situation) -> Document:
    """As much of a record as a look-up by its business key needs; an invoice comes without its lines."""
    match record:
        case CustomerDocument():
            return record
        case ServiceRecord():
            return service_document(record, situation)
        case InvoiceRecord():
            customer_id = situation.linked.get(("customer", record.customer_uuid), "")
            return invoice_document(replace(record, lines=()), customer_id, situation)
