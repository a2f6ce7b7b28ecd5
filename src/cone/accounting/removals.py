"""Takes records back there: reads how one stands, voids or deletes it, and remembers on its link what became of it.

Always a request of its own, never in a batch: what was read just before decides. A lost answer is read back, never
repeated blindly; a record that's gone already is as good as taken back.
"""

from cone.accounting.attempts import (
    Attempt,
    Fence,
    LaneLostError,
    Prepared,
    as_attempt,
    check_fence,
    close_attempts,
    open_attempts,
)
from cone.accounting.conclusions import Conclusion
from cone.accounting.database import Database
from cone.accounting.delivered import finish_rows
from cone.accounting.errands import Books, Errand, Tools
from cone.accounting.plan.decisions import Blocked, LookBack, Remove
from cone.accounting.port.documents import RemoteRecord, Removal, Standing
from cone.accounting.port.provider import Sent
from cone.accounting.port.verdicts import (
    AMOUNTS_IN,
    VERDICTS,
    Answered,
    CauseCode,
    GoneError,
    OutcomeUnknownError,
    StaleError,
    Verdict,
)
from cone.accounting.records import Row, Subject, is_wanted
from cone.accounting.settle import Settler
from cone.accounting.sql import outcomes as outcomes_sql
from cone.kit.values import replace


class RemovalSettler(Settler):
    """Settles what became of a removal; every method runs in a transaction of its own."""

    async def removed(
        self,
        database: Database,
        subject: Subject,
        attempt: Attempt | None,
        *,
        standing: Standing,
        version: str = "",
        answered: Answered | None = None,
    ) -> None:
        """It stands there no more: the link stays and says so, and what waited for that goes."""
        row = subject.row
        revision = subject.record.revision if subject.record is not None else row.wanted_revision
        async with database.transaction():
            await check_fence(database, self._fence)
            if attempt is not None:
                answered = answered or Answered(message="Found done there.")
                await close_attempts(database, [(attempt, answered)], state="succeeded", verdict=Conclusion.REMOVED)
            await database.execute(
                outcomes_sql.MARK_LINK,
                {
                    "company": self._fence.company_pk,
                    "kind": row.kind,
                    "uuid": row.uuid,
                    "standing": standing,
                    "remote_version": version,
                    "revision": revision,
                    "answer": {"applied": {}, "is_equal": True},
                },
            )
            await finish_rows(database, self._fence, [(row, revision)])

    async def still_there(self, database: Database, row: Row, attempt: Attempt | None, *, record: RemoteRecord) -> None:
        """It's as it was read: plan again with its present version and standing."""
        async with database.transaction():
            await check_fence(database, self._fence)
            if attempt is not None:
                answered = Answered(message="Read back: it stands there as before.")
                await close_attempts(database, [(attempt, answered)], state="failed", verdict=Conclusion.NOT_DONE)
            await self._save_version(database, row, record)
            await self._due(database, row, delay=await self._pause(database, row, Conclusion.NOT_DONE))


class Remover:
    """Performs removals for one lane."""

    def __init__(self, *, fence: Fence, tools: Tools, books: Books) -> None:
        self._fence = fence
        self._tools = tools
        self._books = books
        self._settler = RemovalSettler(fence=fence, request_timeout=tools.provider.request_timeout)

    async def perform(self, decision: Remove | LookBack, errand: Errand) -> None:
        """Look how the record stands there; then leave it, or take it back."""
        subject = errand.subject
        open_one = decision.attempt if isinstance(decision, LookBack) else None
        attempt = as_attempt(errand.row, open_one) if open_one else None
        record = await self.read(errand)
        if record is None:
            return
        if record.standing != "live" and not is_wanted(subject.record):
            async with self._books() as database:
                await self._settler.removed(
                    database, subject, attempt, standing=record.standing, version=record.version
                )
        elif isinstance(decision, Remove) and record.standing == "live":
            await self._take(decision.step, errand, record)
        else:
            async with self._books() as database:
                await self._settler.still_there(database, errand.row, attempt, record=record)

    async def read(self, errand: Errand) -> RemoteRecord | None:
        """The record as it stands there, a deleted one too; None when that couldn't be learned now."""
        row, link = errand.row, errand.subject.link
        if link is None:
            raise LookupError("what was never linked can't be taken back")
        try:
            return await self._tools.client.read(errand.access, row.kind, link.remote_id)
        except GoneError:
            return RemoteRecord(row.kind, link.remote_id, link.remote_version, standing="deleted")
        except VERDICTS as verdict:
            async with self._books() as database:
                # An open attempt stays as unknown as it was.
                await self._settler.refused_unsent(
                    database, errand.subject, verdict=verdict, situation=errand.situation
                )
            return None

    async def _take(self, step: Removal, errand: Errand, record: RemoteRecord) -> None:
        if record.payment_ids:
            async with self._books() as database:
                cause = _payment_applied(errand, record)
                await self._settler.blocked(database, errand.row, cause, situation=errand.situation)
            return
        attempt, outcome = await self.send(replace(step, remote_version=record.version), errand)
        if not isinstance(outcome, Sent):
            await self._settle_failed(errand, attempt, outcome)
            return
        async with self._books() as database:
            await self._settler.removed(
                database,
                errand.subject,
                attempt,
                standing=outcome.record.standing,
                version=outcome.record.version,
                answered=outcome.answered,
            )

    async def send(self, step: Removal, errand: Errand) -> tuple[Attempt, Sent | Verdict]:
        """Send it under an attempt of its own. Raises LaneLostError when it may not leave."""
        request = self._tools.provider.prepare(step, errand.situation.facts)
        await errand.access.turn()
        async with self._tools.pool.connection() as database:
            prepared = [Prepared(errand.row, step, request)]
            opened = await open_attempts(database, fence=self._fence, situation=errand.situation, prepared=prepared)
        attempt = opened.attempts.get(errand.row.id)
        if attempt is None:
            raise LaneLostError
        paid = self._tools.access(errand.access.share, paid=1)
        try:
            sent = await self._tools.client.send(paid, request, request_id=attempt.request_id, kind=step.kind)
        except VERDICTS as verdict:
            return attempt, verdict
        return attempt, OutcomeUnknownError(sent.answered) if sent.record.standing == "live" else sent

    async def _settle_failed(self, errand: Errand, attempt: Attempt, verdict: Verdict) -> None:
        if isinstance(verdict, GoneError):
            # Gone already, or something it refers to is: the look before the next try tells.
            verdict = StaleError(verdict.answered)
        async with self._books() as database:
            await self._settler.failed(database, errand.subject, attempt, verdict=verdict, situation=errand.situation)


def _payment_applied(errand: Errand, record: RemoteRecord) -> Blocked:
    """Voiding or deleting would take the payment off silently: a person does that first."""
    params = {"paid": "a part"}
    # Companies that know one currency needn't name it.
    currency = record.currency or errand.situation.facts.home_currency
    if record.total is not None and record.balance is not None:
        params = {"paid": f"{record.total - record.balance:f}", AMOUNTS_IN: currency}
    return Blocked(CauseCode.PAYMENT_APPLIED, key=f"payment_applied:{errand.row.uuid}", params=params)
