"""A record of a run that is undone: removed there only as it was sent, untouched here and there since.

What speaks against it is a reason to keep it, for the list of what wasn't taken back; it's never a cause that a person
has to mend.
"""

from decimal import Decimal

from cone.accounting.plan.decisions import Decision, Keep, TakeBack, WaitFor
from cone.accounting.port.documents import Delete, Void
from cone.accounting.records import InvoiceRecord, PaymentRecord, Record, Situation, Subject, TakingBack


def plan_taking_back(subject: Subject, wanted: TakingBack, situation: Situation) -> Decision:
    """Take it back, or say why not. Payments of the same run go before the invoices they paid."""
    record, link, attempt = subject.record, subject.link, subject.attempt
    if link is None:
        return Keep("not_there")
    removal = Void if wanted.by == "void" else Delete
    step = removal(subject.row.kind, subject.row.uuid, wanted.revision, link.remote_id, wanted.version)
    total = Decimal(wanted.total) if wanted.total is not None else None
    take_back = TakeBack(step, attempt, total, wanted.besides)
    if attempt is not None:
        # A lost removal is found out first, whatever has become of the record here.
        return take_back if attempt.operation in ("void", "delete") else Keep("uncertain")
    if reason := _reason_to_keep(record, wanted, link.remote_version, situation):
        return Keep(reason)
    if isinstance(record, InvoiceRecord) and record.applied:
        pending = [payment for payment in record.applied if payment.is_pending]
        return WaitFor("payment", pending[0].payment_uuid, until="settled") if pending else Keep("paid_there")
    return take_back


def _reason_to_keep(record: Record | None, wanted: TakingBack, version: str, situation: Situation) -> str:
    if not isinstance(record, InvoiceRecord | PaymentRecord) or record.revision != wanted.revision:
        return "changed_here"
    if wanted.total is None and version != wanted.version:
        return "changed_there"
    dated = record.issue_date if isinstance(record, InvoiceRecord) else record.received_date
    closed_through = situation.facts.books_closed_through_date
    return "books_closed" if closed_through is not None and dated <= closed_through else ""
