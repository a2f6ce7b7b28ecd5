"""Numbers and names that records of ours have there: known to be taken without asking anybody."""

from collections.abc import Iterable
from uuid import UUID

from cone.accounting.database import Reader
from cone.accounting.port.documents import CustomerDocument, Namesake
from cone.accounting.records import InvoiceRecord, Record
from cone.accounting.sql import records as sql


async def read_taken(
    database: Reader, company_pk: int, records: Iterable[Record]
) -> tuple[dict[str, UUID], dict[str, tuple[Namesake, UUID]]]:
    """Which of these records' numbers and names another record of ours is known to have there, and which one."""
    numbers: set[str] = set()
    names: set[str] = set()
    mine: dict[str, set[UUID]] = {}
    for record in records:
        if isinstance(record, InvoiceRecord) and record.number:
            numbers.add(record.number)
            mine.setdefault(record.number, set()).add(record.uuid)
        elif isinstance(record, CustomerDocument):
            names.add(record.name.lower())
    taken_numbers: dict[str, UUID] = {}
    if numbers:
        values = {"company": company_pk, "numbers": list(numbers)}
        for row in await (await database.execute(sql.NUMBERS_TAKEN, values)).fetchall():
            if row["record_uuid"] not in mine[row["number"]]:
                taken_numbers[row["number"]] = row["record_uuid"]
    taken_names: dict[str, tuple[Namesake, UUID]] = {}
    if names:
        values = {"company": company_pk, "names": list(names)}
        for row in await (await database.execute(sql.NAMES_TAKEN, values)).fetchall():
            namesake = Namesake("customer", row["remote_id"], row["remote_version"], row["name"])
            taken_names[row["plain"]] = namesake, row["record_uuid"]
    return taken_numbers, taken_names
