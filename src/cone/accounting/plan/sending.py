"""The write that a document needs: a create while nothing is linked, an update afterwards."""

from cone.accounting.plan.decisions import Send
from cone.accounting.port.documents import Create, CustomerDocument, InvoiceDocument, PaymentDocument, Update
from cone.accounting.records import Subject


def send(subject: Subject, document: CustomerDocument | InvoiceDocument | PaymentDocument) -> Send:
    """Create it there, or bring what stands there up to date."""
    link = subject.link
    if link is None:
        return Send(Create(document), find_first=subject.row.given_up is not None)
    update = Update(
        document,
        remote_id=link.remote_id,
        remote_version=link.remote_version,
        kept=link.kept,
        has_text=link.has_text,
    )
    return Send(update)
