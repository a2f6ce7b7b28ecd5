"""The second line after a lost create: what stands there that it may have made, by what QuickBooks can filter.

QuickBooks can't be asked for a private note (api-facts §6), so the mark is compared on our side.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from cone.accounting.port.documents import RemoteRecord
from cone.accounting.port.sent import SentRecord
from cone.providers.quickbooks import reading, wire
from cone.providers.quickbooks.query import select_where

# Asks all of these queries, and answers in their order.
Select: TypeAlias = Callable[[Sequence[str]], Awaitable[list[wire.Rows]]]

# QuickBooks' clock may differ from ours.
_CLOCKS_DIFFER = timedelta(minutes=5)


async def list_candidates_together(
    select: Select, sent: Sequence[SentRecord], *, sent_at: datetime
) -> tuple[tuple[RemoteRecord, ...], ...]:
    """Everything that each of these creates may have made, in their order.

    An invoice is looked for by the number that was sent; and by the customer and date, where it may have got another
    number since.
    """
    answers = await select([_first_query(one) for one in sent])
    found = [_read(one, rows, sent_at) for one, rows in zip(sent, answers, strict=True)]
    moved = [place for place, one in enumerate(sent) if one.number and not _has_marked(found[place])]
    if moved:
        more = await select([_of_customer_and_date("Invoice", sent[place]) for place in moved])
        for place, rows in zip(moved, more, strict=True):
            known = {record.remote_id for record in found[place]}
            others = [reading.invoice_record(row) for row in rows.invoice if row.id not in known]
            found[place] += tuple(other for other in others if other.marker or _is_recent(other, sent_at))
    return tuple(found)


def _first_query(sent: SentRecord) -> str:
    match sent.kind:
        case "customer":
            return select_where("Customer", DisplayName=sent.name.strip())
        case "service":
            return select_where("Item", Name=sent.name.strip())
        case "invoice":
            return (
                select_where("Invoice", DocNumber=sent.number)
                if sent.number
                else _of_customer_and_date("Invoice", sent)
            )
        case "payment":
            return _of_customer_and_date("Payment", sent)


def _read(sent: SentRecord, rows: wire.Rows, sent_at: datetime) -> tuple[RemoteRecord, ...]:
    match sent.kind:
        case "customer":
            return tuple(reading.customer_record(row) for row in rows.customer if row.active)
        case "service":
            return tuple(list_sellable(rows))
        case "invoice":
            found = [reading.invoice_record(row) for row in rows.invoice]
            return tuple(one for one in found if sent.number or one.marker or _is_recent(one, sent_at))
        case "payment":
            payments = [reading.payment_record(row) for row in rows.payment]
            return tuple(one for one in payments if one.marker or _is_recent(one, sent_at))


def _has_marked(records: Sequence[RemoteRecord]) -> bool:
    return any(record.marker for record in records)


def list_sellable(rows: wire.Rows) -> list[RemoteRecord]:
    """Active items that can be sold without stock; services before anything else of the name."""
    suited = [row for row in rows.item if row.active and row.type in ("Service", "NonInventory")]
    suited.sort(key=lambda row: row.type != "Service")
    return [reading.item_record(row) for row in suited]


def _of_customer_and_date(entity: str, sent: SentRecord) -> str:
    day = sent.transaction_date.isoformat() if sent.transaction_date else ""
    return select_where(entity, CustomerRef=sent.customer_id, TxnDate=day)


def _is_recent(record: RemoteRecord, sent_at: datetime) -> bool:
    return record.created_at is None or record.created_at >= sent_at - _CLOCKS_DIFFER
