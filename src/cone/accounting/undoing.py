"""Undoes what a run sent: reads how a record stands, and removes it there if nobody has touched it since.

A lost answer is read back, never repeated blindly. Whatever speaks against it (a newer version, a payment, somebody's
own removal, a refusal) ends on the run's list of what wasn't taken back; the record stays as it is, here and there.
"""

from cone.accounting.attempts import Attempt, Fence, as_attempt, check_fence, close_attempts
from cone.accounting.conclusions import Conclusion
from cone.accounting.database import Database
from cone.accounting.decided import keep_row
from cone.accounting.delivered import finish_rows
from cone.accounting.errands import Books, Errand, Tools
from cone.accounting.plan.decisions import TakeBack
from cone.accounting.port.documents import RemoteRecord, Removal
from cone.accounting.port.provider import Sent
from cone.accounting.port.verdicts import Answered, CauseCode, GoneError, RejectedError, StaleError, Verdict
from cone.accounting.records import InvoiceRecord, Record, Row
from cone.accounting.removals import RemovalSettler, Remover
from cone.accounting.sql import runs as runs_sql
from cone.kit.values import replace


class UndoSettler(RemovalSettler):
    """Settles what became of undoing one record; every method runs in a transaction of its own."""

    async def taken_back(self, database: Database, row: Row, attempt: Attempt, answered: Answered) -> None:
        """It stands there no more, and here it's as if it had never been sent."""
        values = {"company": self._fence.company_pk, "kind": row.kind, "uuid": row.uuid}
        async with database.transaction():
            await check_fence(database, self._fence)
            await close_attempts(database, [(attempt, answered)], state="succeeded", verdict=Conclusion.TAKEN_BACK)
            await database.execute(runs_sql.RECORD_UNDO, {**values, "undo": "done", "reason": "", "says": ""})
            await database.execute(runs_sql.FORGET_LINK, values)
            await database.execute(runs_sql.PUT_OUT_OF_SCOPE, {"row": row.id})
            await finish_rows(database, self._fence, [(row, row.wanted_revision)])

    async def kept(
        self, database: Database, row: Row, attempt: Attempt | None, *, reason: str, answered: Answered
    ) -> None:
        """It stays there."""
        async with database.transaction():
            await check_fence(database, self._fence)
            if attempt is not None:
                await close_attempts(database, [(attempt, answered)], state="failed", verdict=Conclusion.KEPT)
            await keep_row(database, row, self._fence, reason=reason, says=answered.message)

    async def removed_by_somebody(self, database: Database, row: Row, *, record: RemoteRecord) -> None:
        """It was voided or deleted there: that stays so, and its link says it."""
        async with database.transaction():
            await check_fence(database, self._fence)
            await self._save_version(database, row, record)
            await keep_row(database, row, self._fence, reason="removed_there")


class Undoer:
    """Undoes records for one lane."""

    def __init__(self, *, fence: Fence, tools: Tools, books: Books) -> None:
        self._fence = fence
        self._tools = tools
        self._books = books
        self._settler = UndoSettler(fence=fence, request_timeout=tools.provider.request_timeout)
        self._remover = Remover(fence=fence, tools=tools, books=books)

    async def take_back(self, decision: TakeBack, errand: Errand) -> None:
        """Remove it there, unless it has been touched."""
        attempt = as_attempt(errand.row, decision.attempt) if decision.attempt else None
        record = await self._remover.read(errand)
        if record is None:
            return
        if record.standing != "live" and attempt is not None:
            async with self._books() as database:
                await self._settler.taken_back(database, errand.row, attempt, Answered(message="Found done there."))
        elif record.standing != "live":
            # Somebody's decision: sent again by another run it would come back.
            async with self._books() as database:
                await self._settler.removed_by_somebody(database, errand.row, record=record)
        elif reason := _reason_to_keep(decision, record, errand.subject.record):
            async with self._books() as database:
                answered = Answered(message="Read back: it stands there, and not as it was sent.")
                await self._settler.kept(database, errand.row, attempt, reason=reason, answered=answered)
        elif attempt is not None:
            async with self._books() as database:
                await self._settler.still_there(database, errand.row, attempt, record=record)
        else:
            await self._send(replace(decision.step, remote_version=record.version), errand)

    async def _send(self, step: Removal, errand: Errand) -> None:
        attempt, outcome = await self._remover.send(step, errand)
        async with self._books() as database:
            match outcome:
                case Sent():
                    await self._settler.taken_back(database, errand.row, attempt, outcome.answered)
                case RejectedError() | StaleError():
                    reason = _reason_of(outcome)
                    await self._settler.kept(database, errand.row, attempt, reason=reason, answered=outcome.answered)
                case _:
                    await self._settle_failed(database, errand, attempt, outcome)

    async def _settle_failed(self, database: Database, errand: Errand, attempt: Attempt, verdict: Verdict) -> None:
        if isinstance(verdict, GoneError):
            # Gone already: the look before the next try tells.
            verdict = StaleError(verdict.answered)
        await self._settler.failed(database, errand.subject, attempt, verdict=verdict, situation=errand.situation)


def _reason_of(outcome: RejectedError | StaleError) -> str:
    if isinstance(outcome, StaleError):
        return "changed_there"
    return "books_closed" if outcome.cause is CauseCode.PERIOD_CLOSED else "refused"


def _reason_to_keep(decision: TakeBack, there: RemoteRecord, ours: Record | None) -> str:
    if there.payment_ids:
        return "paid_there"
    if there.version == decision.step.remote_version:
        return ""
    if decision.total is None:
        return "changed_there"
    # Payments of the same run moved the version: what it says tells whether somebody has touched it.
    if decision.besides is None:
        return "unknown"
    is_same = there.total == decision.total and _has_same_parts(decision.besides, there.besides)
    is_same = is_same and isinstance(ours, InvoiceRecord) and _says_the_same(there, ours)
    return "" if is_same else "changed_there"


def _has_same_parts(then: str, now: str) -> bool:
    """Whether all that an answer told then is as it was; what was kept by an older version has fewer parts."""
    parts = then.split(".")
    return parts == now.split(".")[: len(parts)]


def _says_the_same(there: RemoteRecord, ours: InvoiceRecord) -> bool:
    """Whether an invoice there says what was sent of one that hasn't changed here since, and nothing besides."""
    sent = (ours.memo, "", *(line.description or line.service_name for line in ours.lines))
    return (
        not there.kept
        and there.tax == ours.tax
        and there.number in (ours.number, None)
        and (there.issue_date, there.due_date) == (ours.issue_date, ours.due_date)
        and there.email in (ours.customer_email, "")
        and [each.split() for each in there.words] == [each.split() for each in sent]
    )
