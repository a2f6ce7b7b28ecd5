"""The numbers of invoices that the accounting software gives: taken over once, from the first answer that has one."""

from cone.accounting.database import Database, UniqueViolationError
from cone.accounting.plan.decisions import Blocked
from cone.accounting.port.documents import RemoteRecord
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.records import Row
from cone.accounting.sql import outcomes as sql


async def adopt_number(database: Database, row: Row, record: RemoteRecord, *, company_pk: int) -> Blocked | None:
    """Store the answer's number on an invoice that has none; call it in the outcome's transaction.

    Returns the cause when it can't be had: another invoice here has it (the database's own constraint), or there's
    none.
    """
    if record.kind != "invoice":
        return None
    values = {"uuid": row.uuid, "number": record.number or None, "company": company_pk}
    if not record.number:
        pending = await (await database.execute(sql.IS_PENDING, values)).fetchone()
        return Blocked(CauseCode.NUMBER_NOT_GIVEN, key=f"number_not_given:{row.uuid}") if pending else None
    try:
        async with database.transaction():
            await database.execute(sql.ADOPT_NUMBER, values)
    except UniqueViolationError:
        key = f"number_taken_here:{row.uuid}"
        return Blocked(CauseCode.NUMBER_TAKEN_HERE, key=key, params={"theirs": record.number})
    return None
