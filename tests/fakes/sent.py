"""What the in-memory platform's requests said, read back from their bytes, and what there could be of them."""

from datetime import date, datetime, timedelta

import msgspec

from cone.accounting.port.documents import Kind, RemoteRecord
from cone.accounting.port.provider import WireRequest
from cone.accounting.port.sent import SentRecord


class _Written(msgspec.Struct):
    name: str = ""
    email: str = ""
    number: str = ""
    customer_id: str = ""
    issue_date: date | None = None
    received_date: date | None = None


def read_sent(kind: Kind, request: WireRequest) -> SentRecord:
    """The business key of a create."""
    written = msgspec.json.decode(request.body, type=_Written)
    return SentRecord(
        kind=kind,
        name=written.name,
        email=written.email,
        number=written.number,
        customer_id=written.customer_id,
        transaction_date=written.issue_date or written.received_date,
    )


def read_fields(request: WireRequest) -> dict[str, str]:
    """Every field under its own name; lines as one text."""
    body = msgspec.json.decode(request.body, type=dict[str, object])
    return {key: str(value) for key, value in body.items() if key not in ("uuid", "revision", "kind")}


def may_be(sent: SentRecord, record: RemoteRecord, *, sent_at: datetime) -> bool:
    """Whether a create of this business key may have made that record."""
    if sent.kind in ("customer", "service"):
        return record.name == sent.name
    is_recent = record.created_at is None or record.created_at >= sent_at - timedelta(minutes=5)
    is_near = record.customer_id == sent.customer_id and record.issue_date == sent.transaction_date
    return (bool(sent.number) and record.number == sent.number) or (is_near and (is_recent or bool(record.marker)))
