"""The second line after a lost create: what stands there that it may have made, by what QuickBooks can filter.

QuickBooks can't be asked for a private note (api-facts §6), so the mark is compared on our side.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from cone.accounting.port.documents import RemoteRecord
from cone.accounting.port.sent import SentRecord
from cone.providers.quickbooks import reading, wire

Select = Callable[..., Awaitable[wire.Rows]]

# QuickBooks' clock may differ from ours.
_CLOCKS_DIFFER = timedelta(minutes=5)


async def list_candidates(select: Select, sent: SentRecord, *, sent_at: datetime) -> tuple[RemoteRecord, ...]:
    """Everything that a create of this business key may have made."""
    match sent.kind:
        case "customer":
            rows = await select("Customer", DisplayName=sent.name.strip())
            return tuple(reading.customer_record(row) for row in rows.customer if row.active)
        case "service":
            return tuple(list_sellable(await select("Item", Name=sent.name.strip())))
        case "invoice":
            return await _list_invoices(select, sent, sent_at)
        case "payment":
            rows = await select("Payment", **_customer_and_date(sent))
            found = [reading.payment_record(row) for row in rows.payment]
            return tuple(record for record in found if record.marker or _is_recent(record, sent_at))


def list_sellable(rows: wire.Rows) -> list[RemoteRecord]:
    """Active items that can be sold without stock; services before anything else of the name."""
    suited = [row for row in rows.item if row.active and row.type in ("Service", "NonInventory")]
    suited.sort(key=lambda row: row.type != "Service")
    return [reading.item_record(row) for row in suited]


async def _list_invoices(select: Select, sent: SentRecord, sent_at: datetime) -> tuple[RemoteRecord, ...]:
    """Of the number that was sent; and of the customer and date, where it may have got another number since."""
    found: dict[str, RemoteRecord] = {}
    if sent.number:
        rows = await select("Invoice", DocNumber=sent.number)
        found = {row.id: reading.invoice_record(row) for row in rows.invoice}
    if not any(record.marker for record in found.values()):
        rows = await select("Invoice", **_customer_and_date(sent))
        others = [reading.invoice_record(row) for row in rows.invoice]
        found |= {other.remote_id: other for other in others if other.marker or _is_recent(other, sent_at)}
    return tuple(found.values())


def _customer_and_date(sent: SentRecord) -> dict[str, str]:
    day = sent.transaction_date.isoformat() if sent.transaction_date else ""
    return {"CustomerRef": sent.customer_id, "TxnDate": day}


def _is_recent(record: RemoteRecord, sent_at: datetime) -> bool:
    return record.created_at is None or record.created_at >= sent_at - _CLOCKS_DIFFER
