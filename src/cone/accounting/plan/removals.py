"""What was voided here after it was sent, by the firm's policy; and what was taken back there though it's wanted here.

Payments go before the invoices they paid. A payment is voided under "delete" too: the money's trail stays in the books.
"""

from datetime import date

from cone.accounting.plan.decisions import Blocked, Decision, LookBack, Nothing, Remove, WaitFor
from cone.accounting.plan.known_causes import find_period_cause
from cone.accounting.port.documents import Delete, Void
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.records import InvoiceRecord, LinkState, PaymentRecord, Situation, Subject


def plan_removal(subject: Subject, record: InvoiceRecord | PaymentRecord, situation: Situation) -> Decision:
    """Take back there what was voided here, or tell a person."""
    link = subject.link
    if link is None or link.standing in ("void", "deleted", "removed"):
        return Nothing()
    number, dated = _name(record)
    if situation.removal_policy == "leave":
        return Blocked(CauseCode.VOIDED_HERE, key=f"voided_here:{record.uuid}", params={"number": number})
    if cause := find_period_cause(dated, number, situation):
        date_closed = cause.params["date"]
        return Blocked(CauseCode.REMOVAL_PERIOD_CLOSED, f"removal_period_closed:{date_closed}", cause.params)
    if isinstance(record, InvoiceRecord) and record.applied:
        return WaitFor("payment", record.applied[0].payment_uuid, until="settled")
    return Remove(_step(record, link, situation))


def _step(record: InvoiceRecord | PaymentRecord, link: LinkState, situation: Situation) -> Void | Delete:
    if isinstance(record, PaymentRecord):
        return Void("payment", record.uuid, record.revision, link.remote_id, link.remote_version)
    taking = Delete if situation.removal_policy == "delete" else Void
    return taking("invoice", record.uuid, record.revision, link.remote_id, link.remote_version)


def _name(record: InvoiceRecord | PaymentRecord) -> tuple[str, date]:
    if isinstance(record, PaymentRecord):
        return record.reference, record.received_date
    return record.number, record.issue_date


def find_loss(subject: Subject) -> Decision | None:
    """A record that's wanted here and was taken back there is never made again by itself."""
    link = subject.link
    if link is None or link.standing == "live":
        return None
    if link.standing == "unsure":
        return LookBack()
    return Blocked(CauseCode.REMOVED_THERE, key=f"removed_there:{subject.row.uuid}")
