"""Reads payments for a plan, and what stands paid of invoices there: a fixed number of statements, as `snapshot`."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from cone.accounting.database import Reader, fetch_all
from cone.accounting.records import AllocationRecord, AppliedThere, PaymentRecord
from cone.accounting.sql import records as records_sql
from cone.kit.money import round_amount


async def read_applied(
    database: Reader, invoices: Iterable[UUID], *, company: int, workspace: int
) -> dict[UUID, tuple[AppliedThere, ...]]:
    """What our payments pay of these invoices there."""
    found: dict[UUID, list[AppliedThere]] = defaultdict(list)
    values = {"uuids": list(invoices), "company": company, "workspace": workspace}
    for row in await fetch_all(database, records_sql.APPLIED_THERE, values):
        found[row["invoice_uuid"]].append(AppliedThere(row["payment_uuid"], row["amount"], row["is_pending"]))
    return {uuid: tuple(applied) for uuid, applied in found.items()}


async def read_payments(
    database: Reader, uuids: Sequence[UUID], *, company: int, workspace: int
) -> list[PaymentRecord]:
    """Payments with their parts, and how the invoices of those stand."""
    values = {"uuids": list(uuids), "company": company, "workspace": workspace}
    heads = await fetch_all(database, records_sql.PAYMENTS, values)
    rows = await fetch_all(database, records_sql.ALLOCATIONS, values)
    linked = {row["invoice_uuid"] for row in rows if row["remote_id"] is not None}
    applied = await read_applied(database, linked, company=company, workspace=workspace) if linked else {}
    parts: dict[UUID, list[AllocationRecord]] = defaultdict(list)
    for row in rows:
        payment_uuid = row.pop("payment_uuid")
        for column in ("total", "amount"):
            row[column] = round_amount(row[column], row["currency"])
        others = (each for each in applied.get(row["invoice_uuid"], ()) if each.payment_uuid != payment_uuid)
        parts[payment_uuid].append(AllocationRecord(**row, others=tuple(others)))
    for head in heads:
        head["amount"] = round_amount(head["amount"], head["currency"])
    return [PaymentRecord(**head, allocations=tuple(parts[head["uuid"]])) for head in heads]


async def read_payment_methods(database: Reader, connection_id: int) -> dict[str, str]:
    """The company's active payment methods by name; of two of a name the one read first."""
    rows = await fetch_all(database, records_sql.PAYMENT_METHODS, {"connection": connection_id})
    return {row["name"]: row["remote_id"] for row in rows}
