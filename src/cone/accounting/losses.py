"""Customers that were merged, deleted or made inactive there: found out where something that refers to one was refused.

The customer's link is in doubt then, so what refers to it waits for the customer. Its own row reads how that stands:
an active one lets all of that go, anything else asks a person who it is now.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from uuid import UUID

from cone.accounting.attempts import Attempt, Fence, check_fence, close_attempts
from cone.accounting.database import Database
from cone.accounting.errands import Errand, Tools
from cone.accounting.names import mark, namesakes_to_json
from cone.accounting.plan.decisions import Blocked
from cone.accounting.port.documents import CustomerDocument, Namesake, RemoteRecord
from cone.accounting.port.verdicts import VERDICTS, CauseCode, GoneError, RejectedError, Verdict
from cone.accounting.records import InvoiceRecord, PaymentRecord, Row, Situation, Subject
from cone.accounting.settle import Settler
from cone.accounting.sql import outcomes as outcomes_sql
from cone.accounting.sql import records as records_sql

_INACTIVE = {
    "lost": "made inactive",
    "advice": "Make it active there and press Sync now, or choose below which one it is there now.",
}
_GONE = {
    "lost": "merged or deleted",
    "advice": "If it was merged into another one, say below which. If it was deleted, have it made there again. "
    "Earlier invoices of a merged customer are the other one's there: payments of them can only follow to that one.",
}


class CustomerSettler(Settler):
    """Settles what becomes of such a customer, and of what refers to it; each in a transaction of its own."""

    async def doubted(
        self, database: Database, row: Row, attempt: Attempt, *, verdict: Verdict, customer: UUID, remote_id: str
    ) -> None:
        """It was refused for its customer: it's planned again at once, and waits for that one."""
        async with database.transaction():
            await check_fence(database, self._fence)
            name = "rejected" if isinstance(verdict, RejectedError) else "gone"
            await close_attempts(database, [(attempt, verdict.answered)], state="failed", verdict=name)
            values = {"company": self._fence.company_pk, "uuid": customer, "remote_id": remote_id}
            await database.execute(outcomes_sql.DOUBT_CUSTOMER, values)
            await self._due(database, row, delay=timedelta())

    async def still_active(self, database: Database, row: Row, record: RemoteRecord) -> None:
        """It's a customer there as before: it's referred to again, and brought up to date where that's asked for."""
        async with database.transaction():
            await check_fence(database, self._fence)
            await self._save_version(database, row, record)
            released = {"company": self._fence.company_pk, "uuids": [row.uuid]}
            await database.execute(outcomes_sql.RELEASE_WAITING, released)
            await self._due(database, row, delay=timedelta())

    async def lost(self, database: Database, row: Row, cause: Blocked, *, situation: Situation) -> None:
        """A person says who it is there now."""
        async with database.transaction():
            await check_fence(database, self._fence)
            await self._block(database, row, cause, situation)


class CustomerLooker:
    """Looks how customers stand there, for one lane. `books` gives a connection, and the turn to settle."""

    def __init__(
        self, *, fence: Fence, tools: Tools, books: Callable[[], AbstractAsyncContextManager[Database]]
    ) -> None:
        self._fence = fence
        self._tools = tools
        self._books = books
        self._settler = CustomerSettler(fence=fence, request_timeout=tools.provider.request_timeout)

    async def note_loss(self, errand: Errand, attempt: Attempt, verdict: Verdict) -> bool:
        """Whether a refusal was for the customer, which is written down then; False where that can't be seen now."""
        customer = _customer_of(errand.subject)
        if customer is None or not _names_something_missing(verdict):
            return False
        async with self._tools.pool.connection() as database:
            values = {"company": self._fence.company_pk, "uuid": customer}
            link = await (await database.execute(records_sql.CUSTOMER, values)).fetchone()
        if link is None:
            return False
        try:
            # Others of a batch are refused for the same: one read is enough.
            if link["standing"] == "live" and await self._read_active(errand, link["remote_id"]) is not None:
                return False
        except VERDICTS:
            # It couldn't be looked at now: the refusal stands, and sending it again looks again.
            return False
        async with self._books() as database:
            await self._settler.doubted(
                database, errand.row, attempt, verdict=verdict, customer=customer, remote_id=link["remote_id"]
            )
        return True

    async def look_back(self, errand: Errand) -> None:
        """Read how the customer stands there; where it's active no more, look who could be it now, and ask."""
        link, document = errand.subject.link, errand.subject.record
        if link is None or not isinstance(document, CustomerDocument):
            raise LookupError("only a customer that was linked can be lost")
        try:
            record = await self._read(errand, link.remote_id)
            if record is not None and record.is_active:
                async with self._books() as database:
                    await self._settler.still_active(database, errand.row, record)
                return
            found = await self._find_others(errand, document, link.remote_id)
        except VERDICTS as verdict:
            async with self._books() as database:
                await self._settler.refused_unsent(
                    database, errand.subject, verdict=verdict, situation=errand.situation
                )
            return
        params = {**(_GONE if record is None else _INACTIVE), "namesakes": namesakes_to_json(found)}
        cause = Blocked(CauseCode.CUSTOMER_LOST, key=f"customer_lost:{errand.row.uuid}", params=params)
        async with self._books() as database:
            await self._settler.lost(database, errand.row, cause, situation=errand.situation)

    async def _read_active(self, errand: Errand, remote_id: str) -> RemoteRecord | None:
        record = await self._read(errand, remote_id)
        return record if record is not None and record.is_active else None

    async def _read(self, errand: Errand, remote_id: str) -> RemoteRecord | None:
        """The customer there, an inactive one too; None once it's merged or deleted. Raises verdicts."""
        try:
            return await self._tools.client.read(errand.access, "customer", remote_id)
        except GoneError:
            return None

    async def _find_others(self, errand: Errand, document: CustomerDocument, lost_id: str) -> tuple[Namesake, ...]:
        """The other customers there of its name, or of the name that a person had looked for."""
        async with self._tools.pool.connection() as database:
            values = {"company": self._fence.company_pk, "uuid": document.uuid}
            link = await (await database.execute(records_sql.CUSTOMER, values)).fetchone()
        names = dict.fromkeys((document.name, document.own_name, link["looked_for"] if link else ""))
        wanted = [name for name in names if name]
        found = await self._tools.client.find_namesakes(errand.access, "customer", wanted)
        others = [entry for entry in found if entry.remote_id != lost_id]
        async with self._tools.pool.connection() as database:
            ids = {"ids": [entry.remote_id for entry in others]}
            rows = await (await database.execute(records_sql.CUSTOMERS_LINKED, {**values, **ids})).fetchall()
        linked = {row["remote_id"] for row in rows}
        return tuple(mark(entry, linked, document.currency) for entry in others)


def _customer_of(subject: Subject) -> UUID | None:
    """The customer that a record refers to, or is."""
    match subject.record:
        case InvoiceRecord() | PaymentRecord():
            return subject.record.customer_uuid
        case CustomerDocument():
            return subject.record.uuid if subject.link is not None else None
        case _:
            return None


def _names_something_missing(verdict: Verdict) -> bool:
    """Whether the application itself, and no gateway before it, said that it or something it refers to isn't there."""
    if not verdict.answered.code:
        return False
    is_named = isinstance(verdict, RejectedError) and verdict.cause is CauseCode.REFERENCE_MISSING
    return is_named or isinstance(verdict, GoneError)
