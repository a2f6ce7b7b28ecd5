"""What is gone there, where a record was refused for that: the customer that it refers to, the record, or neither.

A customer that was merged, deleted or made inactive has its link put in doubt, so that what refers to it waits for the
customer. Its own row reads how that stands: an active one lets all of that go, anything else asks a person who it is
now.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

from cone.accounting.attempts import Attempt, Fence, check_fence, close_attempts
from cone.accounting.conclusions import Conclusion
from cone.accounting.database import Database
from cone.accounting.errands import Books, Errand, Tools
from cone.accounting.names import mark, namesakes_to_json
from cone.accounting.plan.decisions import Blocked
from cone.accounting.port.documents import CustomerDocument, Namesake, RemoteRecord
from cone.accounting.port.verdicts import (
    VERDICTS,
    CauseCode,
    GoneError,
    MisconfiguredError,
    ReconnectError,
    RejectedError,
    TryLaterError,
    Verdict,
)
from cone.accounting.records import InvoiceRecord, PaymentRecord, Row, Subject
from cone.accounting.settle import Settler
from cone.accounting.sql import outcomes as outcomes_sql
from cone.accounting.sql import records as records_sql

_INACTIVE = {
    "lost": "made inactive",
    "advice": "Make it active there and press Sync now, or choose another customer.",
}
_GONE = {
    "lost": "merged or deleted",
    "advice": "If it was merged, choose the customer it became; if it was deleted, have it made there again.",
}
# So many are offered; where more begin as a person typed it, more is to be typed.
_MOST_OFFERED = 10


class LossSettler(Settler):
    """Settles what was refused for something gone, and what becomes of a customer that is; each in a transaction."""

    async def doubted(
        self,
        database: Database,
        subject: Subject,
        attempt: Attempt,
        *,
        verdict: Verdict,
        customer: UUID,
        remote_id: str,
    ) -> None:
        """It was refused for its customer, as far as can be seen: it's planned again, and waits for that one."""
        async with database.transaction():
            await check_fence(database, self._fence)
            came_to = Conclusion.REJECTED if isinstance(verdict, RejectedError) else Conclusion.GONE
            await close_attempts(database, [(attempt, verdict.answered)], state="failed", verdict=came_to)
            values = {"company": self._fence.company_pk, "uuid": customer, "remote_id": remote_id}
            await database.execute(outcomes_sql.DOUBT_CUSTOMER, values)
            await self._take_theirs_back(database, subject)
            # The doubt may prove to be unfounded, each time.
            row = subject.row
            await self._due(database, row, delay=await self._pause(database, row, came_to))

    async def still_active(self, database: Database, row: Row, record: RemoteRecord) -> None:
        """It's a customer there as before: it's referred to again, and brought up to date where that's asked for."""
        async with database.transaction():
            await check_fence(database, self._fence)
            await self._save_version(database, row, record)
            released = {"company": self._fence.company_pk, "uuids": [row.uuid]}
            await database.execute(outcomes_sql.RELEASE_WAITING, released)
            await self._due(database, row, delay=timedelta())


class LossClerk:
    """Finds out for one lane what a refusal says is gone, and how a customer in doubt stands there."""

    def __init__(self, *, fence: Fence, tools: Tools, books: Books) -> None:
        self._fence = fence
        self._tools = tools
        self._books = books
        self._settler = LossSettler(fence=fence, request_timeout=tools.provider.request_timeout)
        # One after another: what the first of several batches finds, the others needn't ask again.
        self._turn = asyncio.Lock()

    async def waits_for_customer(self, errand: Errand, attempt: Attempt, verdict: Verdict) -> bool:
        """Whether a refusal was for the customer, for all that can be seen: then it's settled.

        The customer is read once for all that were refused together.
        """
        customer = _customer_of(errand.subject)
        if customer is None or not _names_something_missing(verdict):
            return False
        values = {"company": self._fence.company_pk, "uuid": customer}
        async with self._turn:
            async with self._tools.pool.connection() as database:
                link = await (await database.execute(records_sql.CUSTOMER, values)).fetchone()
            if link is None or (link["standing"] == "live" and await self._is_active(errand, link["remote_id"])):
                return False
            async with self._books() as database:
                await self._settler.doubted(
                    database, errand.subject, attempt, verdict=verdict, customer=customer, remote_id=link["remote_id"]
                )
        return True

    async def find_out(self, errand: Errand, attempt: Attempt, verdict: Verdict) -> Verdict | None:
        """What a refusal that wasn't for the customer comes to: as it was, or a better word; None when it's settled.

        The record itself is read where an update was refused.
        """
        link = errand.subject.link
        # A customer refers to nothing else that could be gone.
        if isinstance(verdict, GoneError) and link is not None and errand.row.kind != "customer":
            return await self._tell_which(errand, attempt, verdict, link.remote_id)
        return verdict

    async def _is_active(self, errand: Errand, remote_id: str) -> bool:
        """Whether it's a customer there, or nobody is to look now.

        One that couldn't be read is in doubt: its own row reads it again until that's answered, one request at a time,
        and what is refused meanwhile waits for it. Where the month's reads are used up that would be for weeks: the
        refusal stands then, and Sync now looks again.
        """
        if remote_id in errand.work.active_customers:
            return True
        try:
            record = await self._read(errand, remote_id)
        except TryLaterError as verdict:
            return bool(verdict.allowance)
        except VERDICTS:
            return False
        if record is None or not record.is_active:
            return False
        errand.work.active_customers.add(remote_id)
        return True

    async def _tell_which(self, errand: Errand, attempt: Attempt, lost: GoneError, remote_id: str) -> Verdict | None:
        """Whether an update's record is gone, or what that refers to: the refusal is the same for both.

        An item is gone as soon as it's inactive: looks don't show it, and its name is free. Unread, no cause is said:
        the update is tried again.
        """
        try:
            record = await self._tools.client.read(errand.access, errand.row.kind, remote_id)
        except GoneError:
            return lost
        except VERDICTS as unread:
            again = TryLaterError(lost.answered, scope="record")
            async with self._books() as database:
                await self._settler.failed(database, errand.subject, attempt, verdict=again, situation=errand.situation)
                if isinstance(unread, TryLaterError | ReconnectError | MisconfiguredError):
                    await self._settler.refused_unsent(
                        database, errand.subject, verdict=unread, situation=errand.situation
                    )
            return None
        is_there = record.standing == "live" and (record.kind != "service" or record.is_active)
        return RejectedError(lost.answered, cause=CauseCode.REFERENCE_MISSING) if is_there else lost

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
            search = await self._search(errand, document, link.remote_id)
        except VERDICTS as verdict:
            async with self._books() as database:
                await self._settler.refused_unsent(
                    database, errand.subject, verdict=verdict, situation=errand.situation
                )
            return
        params = {**(_GONE if record is None else _INACTIVE), **search}
        cause = Blocked(CauseCode.CUSTOMER_LOST, key=f"customer_lost:{errand.row.uuid}", params=params)
        async with self._books() as database:
            await self._settler.blocked(database, errand.row, cause, situation=errand.situation)

    async def _read(self, errand: Errand, remote_id: str) -> RemoteRecord | None:
        """The customer there, an inactive one too; None once it's merged or deleted. Raises verdicts."""
        try:
            return await self._tools.client.read(errand.access, "customer", remote_id)
        except GoneError:
            return None

    async def _search(self, errand: Errand, document: CustomerDocument, lost_id: str) -> dict[str, str]:
        """Who could be it now, as facts of the cause: of its own names, and as a person had it looked for."""
        async with self._tools.pool.connection() as database:
            values = {"company": self._fence.company_pk, "uuid": document.uuid}
            link = await (await database.execute(records_sql.CUSTOMER, values)).fetchone()
        typed: str = link["looked_for"] if link else ""
        wanted = [name for name in dict.fromkeys((document.name, document.own_name, typed)) if name]
        named = await self._tools.client.find_namesakes(errand.access, "customer", wanted)
        offered, outcome = await self._list_typed(errand, typed) if typed else ((), "")
        found = {entry.remote_id: entry for entry in (*named, *offered) if entry.remote_id != lost_id}
        if any(entry.name.casefold() == typed.casefold() for entry in found.values()):
            outcome = "some"
        async with self._tools.pool.connection() as database:
            rows = await (await database.execute(records_sql.CUSTOMERS_LINKED, {**values, "ids": [*found]})).fetchall()
        linked = {row["remote_id"] for row in rows}
        marked = [mark(entry, linked, document.currency) for entry in found.values()]
        asked = {"looked_for": typed, "search": outcome} if typed else {}
        return {"namesakes": namesakes_to_json(marked), **asked}

    async def _list_typed(self, errand: Errand, typed: str) -> tuple[tuple[Namesake, ...], str]:
        """The customers there that the typed text fits, and what became of the search (`Cause.search`)."""
        try:
            found = await self._tools.client.list_customers(errand.access, typed, most=_MOST_OFFERED + 1)
        except RejectedError:
            # The search alone: the customer is lost all the same, and a person may type otherwise.
            return (), "refused"
        if len(found) > _MOST_OFFERED:
            return (), "many"
        return found, "some" if found else "none"


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
