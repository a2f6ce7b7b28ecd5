"""One lane per company: re-reads what is due whenever something changes, and keeps requests in flight meanwhile.

It's a reconciler, not a queue: each look takes a snapshot, plans every due row, and starts what can start. A live
invoice that arrives while a backfill's requests are in flight goes into the next free slot. Backfill never takes the
last slots.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

import psycopg

from cone.accounting.attempts import Attempt, Fence, LaneLostError, as_attempt, open_attempt, reopen_attempt
from cone.accounting.database import Database, Pool
from cone.accounting.pace import Pace
from cone.accounting.plan.decisions import Blocked, LookUp, Nothing, Postpone, Repeat, Send, WaitFor
from cone.accounting.plan.next_step import plan
from cone.accounting.plan.open_attempts import look_up_document
from cone.accounting.port.documents import Document, RemoteRecord, Step, Write
from cone.accounting.port.provider import Access, Provider, ProviderClient
from cone.accounting.port.verdicts import (
    VERDICTS,
    CauseCode,
    GoneError,
    OutcomeUnknownError,
    RejectedError,
    StaleError,
    TryLaterError,
    Verdict,
)
from cone.accounting.records import Row, Situation, Subject
from cone.accounting.settle import Settler
from cone.accounting.snapshot import read_snapshot
from cone.accounting.sql import lane as lane_sql
from cone.accounting.sql import records as records_sql
from cone.accounting.verify import is_certainly, is_somebody_elses

logger = logging.getLogger(__name__)

SLOTS = 8
BACKFILL_SLOTS = 6
LIVE_ONLY, EVERYTHING = 0, 100
# A replayed answer to an attempt this old may be of a record that was deleted meanwhile: look before linking.
_GHOST_AGE = timedelta(minutes=10)
# QuickBooks cuts requests after 120 s: only then does a look-up that finds nothing count.
_MAY_STILL_EXECUTE = timedelta(seconds=130)
_LOOK_FIRST = (CauseCode.NUMBER_TAKEN, CauseCode.NAME_TAKEN, CauseCode.OUTCOME_UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a lane works with."""

    pool: Pool
    provider: Provider
    client: ProviderClient
    access: Access
    pace: Pace


class Lane:
    """Drains one company's outbox under one epoch. `wake` may be called at any time."""

    def __init__(self, *, fence: Fence, tools: Tools) -> None:
        self._fence = fence
        self._tools = tools
        self._settler = Settler(fence=fence, request_timeout=tools.provider.request_timeout)
        self._pace = tools.pace
        self._woken = asyncio.Event()
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        self._backfill: set[int] = set()
        # Planning and settling take turns: a link made between a snapshot and "waits for that link" would strand a row.
        self._books = asyncio.Lock()

    def wake(self) -> None:
        """Something changed: look again soon."""
        self._woken.set()

    async def run(self) -> timedelta | None:
        """Work until nothing is due, or until the lane is no longer ours.

        Returns how long until something will be due; None when nothing waits for a time.
        """
        try:
            await self._reset()
            while True:
                self._woken.clear()
                moved = await self._look()
                if self._in_flight:
                    await self._wait()
                elif not moved and not self._woken.is_set():
                    return await self._next_due()
        except LaneLostError:
            logger.info("lane of connection %s is no longer ours", self._fence.connection_id)
            # Whoever it belongs to now, or this process under the next epoch: what is due must be looked at again.
            self._woken.set()
        finally:
            await self._cancel()
        return None

    @property
    def is_woken(self) -> bool:
        """Whether something changed since the last look: then the lane must run again."""
        return self._woken.is_set()

    async def _reset(self) -> None:
        async with self._tools.pool.connection() as database:
            await database.execute(
                lane_sql.RESET_SENDING,
                {
                    "company": self._fence.company_pk,
                    "connection": self._fence.connection_id,
                    "epoch": self._fence.epoch,
                },
            )

    async def _wait(self) -> None:
        woken = asyncio.create_task(self._woken.wait())
        try:
            done, _ = await asyncio.wait({woken, *self._in_flight.values()}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
        for task in done - {woken}:
            task.result()

    async def _cancel(self) -> None:
        for task in self._in_flight.values():
            task.cancel()
        await asyncio.gather(*self._in_flight.values(), return_exceptions=True)

    async def _next_due(self) -> timedelta | None:
        async with self._tools.pool.connection() as database:
            cursor = await database.execute(
                lane_sql.NEXT_DUE,
                {"connection": self._fence.connection_id, "timeout": self._tools.provider.request_timeout},
            )
            row = await cursor.fetchone()
        if row is None or row["milliseconds"] is None:
            return None
        return max(timedelta(milliseconds=row["milliseconds"]), timedelta())

    # --- planning --------------------------------------------------------------------------------------------

    async def _look(self) -> int:
        """Take a snapshot, settle what needs no request, start what does; how many rows moved."""
        free = SLOTS - len(self._in_flight)
        if free <= 0:
            return 0
        lowest = EVERYTHING if len(self._backfill) < BACKFILL_SLOTS else LIVE_ONLY
        async with self._books, self._tools.pool.connection() as database:
            snapshot = await read_snapshot(
                database,
                connection_id=self._fence.connection_id,
                limit=2 * SLOTS + len(self._in_flight),
                lowest_priority=lowest,
                request_timeout=self._tools.provider.request_timeout,
            )
            if snapshot.lane_epoch != self._fence.epoch:
                raise LaneLostError
            moved = 0
            for subject in snapshot.subjects:
                if subject.row.id in self._in_flight:
                    continue
                moved += await self._decide_guarded(database, subject, snapshot.situation)
        return moved

    async def _decide_guarded(self, database: Database, subject: Subject, situation: Situation) -> int:
        try:
            return await self._decide(database, subject, situation)
        except (LaneLostError, psycopg.Error):
            raise
        except Exception:
            # The edge for one row, as in `_guarded`: a record that can't be planned must not stop the others.
            logger.exception("planning %s %s broke", subject.row.kind, subject.row.uuid)
            await self._settler.bug(database, subject.row)
            return 1

    async def _decide(self, database: Database, subject: Subject, situation: Situation) -> int:
        row = subject.row
        decision = plan(subject, situation)
        match decision:
            case Nothing():
                revision = subject.record.revision if subject.record is not None else row.wanted_revision
                await self._settler.nothing(database, row, revision=max(revision, row.wanted_revision))
            case Postpone(delay):
                await self._settler.postponed(database, row, delay=delay)
            case WaitFor():
                await self._settler.waits(database, row, decision)
            case Blocked():
                await self._settler.blocked(database, row, decision, situation=situation)
            case Send() | Repeat() | LookUp():
                is_backfill = row.priority > 0
                if len(self._in_flight) >= SLOTS or (is_backfill and len(self._backfill) >= BACKFILL_SLOTS):
                    return 0
                self._start(row, self._perform(decision, subject, situation))
            case _:
                assert_never(decision)
        return 1

    def _start(self, row: Row, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(self._guarded(row, work))
        self._in_flight[row.id] = task
        if row.priority > 0:
            self._backfill.add(row.id)
        task.add_done_callback(lambda _: self._landed(row.id))

    def _landed(self, row_id: int) -> None:
        self._in_flight.pop(row_id, None)
        self._backfill.discard(row_id)
        self._woken.set()

    async def _guarded(self, row: Row, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except LaneLostError:
            # Paused, disconnecting or overtaken since the plan. The next look finds out which; requests that are
            # in flight meanwhile finish and are settled, unless the epoch has moved.
            logger.info("%s %s of connection %s not sent now", row.kind, row.uuid, self._fence.connection_id)
        except Exception:
            # The edge for one row: a bug in one record must not stop the others of its company.
            logger.exception("sync of %s %s broke", row.kind, row.uuid)
            async with self._books, self._tools.pool.connection() as database:
                await self._settler.bug(database, row)

    # --- sending ---------------------------------------------------------------------------------------------

    async def _perform(self, decision: Send | Repeat | LookUp, subject: Subject, situation: Situation) -> None:
        row = subject.row
        match decision:
            case Repeat(open_one):
                await self._pace.turn()
                async with self._tools.pool.connection() as database:
                    attempt = await reopen_attempt(database, fence=self._fence, row=row, attempt=open_one)
                await self._send(subject, attempt, situation)
            case LookUp(open_one, document):
                await self._look_up(subject, as_attempt(row, open_one), document, open_one.silent_seconds, situation)
            case Send(step, find_first):
                if find_first and await self._find_first(subject, step, situation):
                    return
                await self._send_step(subject, step, situation)
            case _:
                assert_never(decision)

    async def _find(self, document: Document) -> RemoteRecord | None:
        """The record there that is certainly this one. Raises verdicts."""
        await self._pace.turn()
        found = await self._tools.client.find(self._tools.access, document)
        if found is None or not is_certainly(document, found):
            return None
        async with self._tools.pool.connection() as database:
            values = {"company": self._fence.company_pk, "kind": found.kind, "remote_id": found.remote_id}
            cursor = await database.execute(records_sql.LINKED_ELSEWHERE, {**values, "uuid": document.uuid})
            return None if await cursor.fetchone() else found

    async def _find_first(self, subject: Subject, step: Write, situation: Situation) -> bool:
        """Link what is there already; whether there's nothing left to send now."""
        try:
            found = await self._find(step.document)
        except VERDICTS as verdict:
            await self._settle_unsent(subject, verdict, situation)
            return True
        if found is None:
            return False
        # An item of the firm's stays as it is; anything else found may be older than ours.
        revision = step.document.revision if step.document.kind == "service" else 0
        async with self._books, self._tools.pool.connection() as database:
            await self._settler.found(database, subject.row, revision=revision, record=found)
        return True

    async def _look_up(
        self, subject: Subject, attempt: Attempt, document: Document, silent_seconds: int, situation: Situation
    ) -> None:
        try:
            found = await self._find(document)
        except (TryLaterError, OutcomeUnknownError) as verdict:
            if isinstance(verdict, TryLaterError) and verdict.allowance:
                await self._settle_unsent(subject, verdict, situation)
                return
            # It stays as unknown as it was; a day of that asks a person.
            await self._settle_failed(subject, attempt, OutcomeUnknownError(verdict.answered), situation)
            return
        except VERDICTS as verdict:
            await self._settle_unsent(subject, verdict, situation)
            return
        async with self._books, self._tools.pool.connection() as database:
            if found is not None:
                await self._settler.found(database, subject.row, record=found, attempt=attempt)
            else:
                wait = max(_MAY_STILL_EXECUTE - timedelta(seconds=silent_seconds), timedelta())
                await self._settler.not_found(database, subject, attempt, wait=wait, situation=situation)

    async def _send_step(self, subject: Subject, step: Step, situation: Situation) -> None:
        try:
            request = self._tools.provider.prepare(step, situation.facts)
        except VERDICTS as verdict:
            await self._settle_unsent(subject, verdict, situation)
            return
        await self._pace.turn()
        async with self._tools.pool.connection() as database:
            attempt = await open_attempt(
                database, fence=self._fence, situation=situation, row=subject.row, step=step, request=request
            )
        await self._send(subject, attempt, situation)

    async def _send(self, subject: Subject, attempt: Attempt, situation: Situation) -> None:
        row, tools = subject.row, self._tools
        try:
            sent = await tools.client.send(
                tools.access, attempt.request, request_id=attempt.request_id, kind=attempt.kind
            )
        except VERDICTS as verdict:
            if not await self._was_ours(subject, attempt, verdict, situation):
                await self._settle_failed(subject, attempt, verdict, situation)
            return
        is_new = subject.link is None
        if is_new and is_somebody_elses(attempt.expected, sent.record, marker=str(attempt.uuid)):
            logger.error("the answer to %s %s is of another record", attempt.kind, attempt.uuid)
            await self._start_over(row, attempt, "The answer was of another record.", situation)
            return
        if attempt.sends > 1 and attempt.age_seconds > _GHOST_AGE.total_seconds():
            await self._pace.turn()
            try:
                await tools.client.read(tools.access, attempt.kind, sent.record.remote_id)
            except GoneError:
                why = "The record was deleted there before its answer was read."
                await self._start_over(row, attempt, why, situation)
                return
            except VERDICTS as verdict:
                unknown = OutcomeUnknownError(verdict.answered)
                await self._settle_failed(subject, attempt, unknown, situation)
                return
        async with self._books, tools.pool.connection() as database:
            try:
                await self._settler.sent(database, row, attempt, sent=sent, situation=situation)
            except psycopg.errors.UniqueViolation:
                logger.exception("the answer to %s %s is linked already", attempt.kind, attempt.uuid)
                await self._settler.taken(database, row, situation=situation)

    async def _was_ours(self, subject: Subject, attempt: Attempt, verdict: Verdict, situation: Situation) -> bool:
        """Look what took the name or number before telling a person: it may be our own lost create. Then link it."""
        is_taken = isinstance(verdict, RejectedError) and verdict.cause in _LOOK_FIRST
        if not is_taken or subject.link is not None or subject.record is None:
            return False
        try:
            found = await self._find(look_up_document(subject.record, situation))
        except VERDICTS:
            # It couldn't be looked at now: the refusal stands, and asking again looks again.
            return False
        if found is None:
            return False
        async with self._books, self._tools.pool.connection() as database:
            await self._settler.found(database, subject.row, record=found, attempt=attempt)
        return True

    async def _start_over(self, row: Row, attempt: Attempt, why: str, situation: Situation) -> None:
        async with self._books, self._tools.pool.connection() as database:
            await self._settler.started_over(database, row, attempt, why=why, situation=situation)

    async def _settle_unsent(self, subject: Subject, verdict: Verdict, situation: Situation) -> None:
        async with self._books, self._tools.pool.connection() as database:
            await self._settler.refused_unsent(database, subject, verdict=verdict, situation=situation)

    async def _settle_failed(self, subject: Subject, attempt: Attempt, verdict: Verdict, situation: Situation) -> None:
        is_uncertain = isinstance(verdict, RejectedError) and verdict.cause is CauseCode.OUTCOME_UNCERTAIN
        if is_uncertain and subject.link is not None:
            # An update can't make a second record: read what stands there, and plan again.
            verdict = StaleError(verdict.answered)
        async with self._books, self._tools.pool.connection() as database:
            await self._settler.failed(database, subject, attempt, verdict=verdict, situation=situation)
        if isinstance(verdict, StaleError):
            await self._read_version(subject, situation)

    async def _read_version(self, subject: Subject, situation: Situation) -> None:
        row = subject.row
        async with self._tools.pool.connection() as database:
            cursor = await database.execute(
                records_sql.LINKED, {"company": self._fence.company_pk, "uuids": [row.uuid]}
            )
            link = await cursor.fetchone()
        if link is None:
            return
        await self._pace.turn()
        try:
            record = await self._tools.client.read(self._tools.access, row.kind, link["remote_id"])
        except VERDICTS as verdict:
            await self._settle_unsent(subject, verdict, situation)
            return
        async with self._books, self._tools.pool.connection() as database:
            await self._settler.version_read(database, row, record=record)
