"""Writes down what became of one record that didn't simply arrive: refusals, lost answers, look-ups, bugs.

Row, attempt, link and connection in one transaction, fenced by the lane's epoch. What needs no request is written down
by `decided`, what arrived by `delivered`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import randrange
from typing import assert_never
from uuid import UUID

from cone.accounting.attempts import Attempt, Fence, check_fence, close_attempts, note_unknown
from cone.accounting.candidates import candidates_to_json, is_made_since
from cone.accounting.conclusions import Conclusion, conclusion_of
from cone.accounting.connections import State, sources_of
from cone.accounting.database import Database
from cone.accounting.decided import block_rows, wait_rows
from cone.accounting.delivered import Linked, carries_text, finish_rows, save_links
from cone.accounting.holds import hold, hold_rows, postpone
from cone.accounting.numbers import adopt_number
from cone.accounting.plan.decisions import Blocked, WaitFor
from cone.accounting.port.documents import RemoteRecord
from cone.accounting.port.verdicts import (
    Answered,
    CauseCode,
    GoneError,
    MisconfiguredError,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    StaleError,
    TryLaterError,
    Verdict,
)
from cone.accounting.records import Row, Situation, Subject
from cone.accounting.refusals import cause_of_loss, cause_of_refusal
from cone.accounting.sql import attempts as attempts_sql
from cone.accounting.sql import outcomes as outcomes_sql
from cone.accounting.sql import records as records_sql
from cone.accounting.verify import stands_as_sent

_LONGEST_BACKOFF = timedelta(minutes=5)
_UNCERTAIN_AFTER = timedelta(days=1)
_MOST_FRESH_STARTS = 3
_OF_LATE = timedelta(minutes=10)


def backoff(tries: int) -> timedelta:
    """1, 2, 4 … seconds up to five minutes, less up to a quarter so that waiting records don't come back at once."""
    full = min(timedelta(seconds=1 << min(tries, 10)), _LONGEST_BACKOFF)
    return full * (100 - randrange(25)) / 100  # noqa: S311  # spreading load, not keeping secrets


class Settler:
    """Settles the outcomes of one lane. Every method runs in a transaction of its own."""

    def __init__(self, *, fence: Fence, request_timeout: timedelta) -> None:
        self._fence = fence
        self._request_timeout = request_timeout

    async def found(
        self,
        database: Database,
        subject: Subject,
        *,
        record: RemoteRecord,
        since: datetime | None,
        attempt: Attempt | None = None,
    ) -> bool:
        """The record is there already: link it, and close the attempt that is open of it.

        `since` is when what may have made it left first; None where it stood there before. Ours is what bears our mark
        or was made since; of an item that two services find, the one's that found it first. An item that isn't ours
        stays as it is; anything else is brought up to date unless it's seen to stand there as the attempt sent it.

        Returns whether that very attempt can have made it. What only has the name says nothing of what became of it.
        """
        row = subject.row
        async with database.transaction():
            await check_fence(database, self._fence)
            is_ours = bool(record.marker) or is_made_since(record, since)
            if is_ours and row.kind == "service":
                is_ours = not await self._is_made_for_another(database, row, record)
            is_made_by_it = is_ours and attempt is not None and (bool(record.marker) or _can_have_made(attempt, record))
            revision = 0
            if row.kind == "service" and not is_ours:
                revision = max(row.wanted_revision, subject.record.revision if subject.record else 0)
            elif since is not None and attempt is not None:
                stands = stands_as_sent(attempt.expected, record, marker=str(attempt.uuid))
                revision = attempt.revision if stands else 0
            if attempt is not None:
                answered = Answered(message=f"Found there by its {'own mark' if record.marker else 'name'}.")
                verdict = Conclusion.FOUND if is_made_by_it else Conclusion.THEIRS
                await close_attempts(database, [(attempt, answered)], state="succeeded", verdict=verdict)
            # One that can't be had is told by the update that follows.
            await adopt_number(database, row, record, company_pk=self._fence.company_pk)
            has_text = attempt is not None and carries_text(attempt)
            linked = Linked(row, record, revision, is_made_here=is_ours, has_text=has_text)
            await save_links(database, self._fence, [linked])
            await finish_rows(database, self._fence, [(row, revision)])
        return is_made_by_it

    async def _is_made_for_another(self, database: Database, row: Row, record: RemoteRecord) -> bool:
        values = {"company": self._fence.company_pk, "uuid": row.uuid, "remote_id": record.remote_id}
        return await (await database.execute(records_sql.MADE_FOR_ANOTHER, values)).fetchone() is not None

    async def wait_for(self, database: Database, subject: Subject, other: UUID) -> None:
        """What was found may be what another record of its kind was to make: that one's answer decides first.

        It's as urgent as what waits for it. Gone meanwhile, it isn't waited for: this one is looked for again. One that
        was lost there stands there again, since it was found.
        """
        row = subject.row
        urgent = {"company": self._fence.company_pk, "kind": row.kind, "uuid": other, "priority": row.priority}
        async with database.transaction():
            await check_fence(database, self._fence)
            if not await wait_rows(database, [(subject, WaitFor(row.kind, other, until="settled"))], self._fence):
                await postpone(database, row, timedelta())
            await database.execute(outcomes_sql.ROW_IS_URGENT, urgent)
            await database.execute(outcomes_sql.LOST_ITEM_IS_DUE, urgent)

    async def look_again(self, database: Database, row: Row) -> None:
        """What was found has changed since: it's looked for again at once."""
        async with database.transaction():
            await check_fence(database, self._fence)
            await postpone(database, row, timedelta())

    async def wait_to_look(self, database: Database, row: Row, attempt: Attempt, *, delay: timedelta) -> None:
        """It couldn't be found for certain, and that says nothing yet: it's looked for again after `delay`."""
        async with database.transaction():
            await check_fence(database, self._fence)
            await database.execute(attempts_sql.NOTE_LOOK, {"attempt": attempt.id})
            await postpone(database, row, max(delay, timedelta()))

    async def not_there(self, database: Database, row: Row, attempt: Attempt) -> None:
        """It certainly never arrived: the attempt is closed, and what is wanted still goes under an id of its own."""
        async with database.transaction():
            await check_fence(database, self._fence)
            answered = Answered(message="Looked for there and not found.")
            await close_attempts(database, [(attempt, answered)], state="failed", verdict=Conclusion.NOT_THERE)
            await postpone(database, row, timedelta())

    async def ask(
        self, database: Database, row: Row, *, possible: Sequence[RemoteRecord], situation: Situation
    ) -> None:
        """Nothing decides what became of it: a person chooses among what could be it. Nothing is made again for it."""
        await self.blocked(database, row, _uncertain(row, possible=possible), situation=situation)

    async def taken(self, database: Database, row: Row, *, situation: Situation) -> None:
        """The answer is of a record that another of ours is linked to: a person looks, the attempt stays open."""
        why = "Another record here is linked to the answer's."
        await self.blocked(database, row, _uncertain(row, why=why), situation=situation)

    async def blocked(self, database: Database, row: Row, cause: Blocked, *, situation: Situation) -> None:
        """A person must act first; unless settings or record moved meanwhile."""
        async with database.transaction():
            await check_fence(database, self._fence)
            await self._block(database, row, cause, situation)

    async def failed(
        self, database: Database, subject: Subject, attempt: Attempt, *, verdict: Verdict, situation: Situation
    ) -> None:
        """It was refused, or nobody knows: the closed set of verdicts, each with its consequence."""
        async with database.transaction():
            await check_fence(database, self._fence)
            if _says_nothing_of(attempt, verdict):
                await note_unknown(database, [attempt], verdict.answered)
            else:
                came_to = conclusion_of(verdict)
                await close_attempts(database, [(attempt, verdict.answered)], state="failed", verdict=came_to)
            await self._consequence(database, subject, verdict, situation, attempt=attempt)

    async def refused_theirs(self, database: Database, row: Row, attempt: Attempt, *, verdict: Verdict) -> None:
        """An update that said theirs again was refused: it may be by these, so it goes again at once without them."""
        async with database.transaction():
            await check_fence(database, self._fence)
            came_to = Conclusion.THEIRS_REFUSED
            await close_attempts(database, [(attempt, verdict.answered)], state="failed", verdict=came_to)
            values = {"company": self._fence.company_pk, "kind": row.kind, "uuid": row.uuid}
            await database.execute(outcomes_sql.PUT_THEIRS_ASIDE, values)
            await postpone(database, row, timedelta())

    async def lost_together(
        self,
        database: Database,
        lost: Sequence[tuple[Row, Attempt]],
        *,
        verdict: OutcomeUnknownError,
        situation: Situation,
    ) -> None:
        """A whole batch's answer was lost: its records come back at one moment, so that they're repeated in one."""
        async with database.transaction():
            await check_fence(database, self._fence)
            await note_unknown(database, [attempt for _, attempt in lost], verdict.answered)
            too_old = [row for row, attempt in lost if attempt.age_seconds > _UNCERTAIN_AFTER.total_seconds()]
            for row in too_old:
                await self._block(database, row, _uncertain(row, says=verdict.answered.said), situation)
            rows = [row.id for row, _ in lost if row not in too_old]
            delay = max(self._request_timeout, backoff(lost[0][1].sends))
            await database.execute(outcomes_sql.ROWS_DUE, {"rows": rows, "delay": delay, "tried": 1})

    async def refused_unsent(
        self, database: Database, subject: Subject, *, verdict: Verdict, situation: Situation
    ) -> None:
        """The same for a verdict that came before any attempt was written: a look-up, or a document's own limits."""
        async with database.transaction():
            await check_fence(database, self._fence)
            await self._consequence(database, subject, verdict, situation)

    async def held_back(self, database: Database, rows: Sequence[Row]) -> None:
        """They'd begin with a look, and the month's reads are held: they wait for those."""
        async with database.transaction():
            await check_fence(database, self._fence)
            await hold_rows(database, self._fence, rows)

    async def version_read(self, database: Database, row: Row, *, record: RemoteRecord) -> None:
        """A stale version was read again: plan anew with it, after a pause that grows if it keeps happening.

        Only if *this* does: answers that were lost before say nothing of how often somebody changes it there.
        """
        async with database.transaction():
            await check_fence(database, self._fence)
            await self._save_version(database, row, record)
            await self._due(database, row, delay=await self._pause(database, row, Conclusion.STALE))

    async def started_over(
        self, database: Database, row: Row, attempt: Attempt, *, why: str, situation: Situation
    ) -> None:
        """The answer can't be to what we sent, or its record is gone again: close this generation, open the next.

        The next one looks for the record first. When that keeps happening, a person looks.
        """
        async with database.transaction():
            await check_fence(database, self._fence)
            ghost = Conclusion.GHOST
            await close_attempts(database, [(attempt, Answered(message=why))], state="failed", verdict=ghost)
            times = await self._count(database, row, ghost, within=_UNCERTAIN_AFTER)
            if times <= _MOST_FRESH_STARTS:
                await self._due(database, row, delay=backoff(times - 1))
                return
            await self._block(database, row, _uncertain(row, why=why), situation)

    async def bug(self, database: Database, row: Row) -> None:
        """Something of ours broke: an open attempt stays open, the row comes back later."""
        async with database.transaction():
            await check_fence(database, self._fence)
            await self._due(database, row, delay=max(self._request_timeout, backoff(row.tries + 5)))

    # --- consequences ----------------------------------------------------------------------------------------

    async def _consequence(
        self,
        database: Database,
        subject: Subject,
        verdict: Verdict,
        situation: Situation,
        *,
        attempt: Attempt | None = None,
    ) -> None:
        row = subject.row
        match verdict:
            case TryLaterError():
                if verdict.scope == "connection":
                    await hold(database, self._fence, row, verdict, situation, is_write=attempt is not None)
                else:
                    await self._due(database, row, delay=verdict.delay or backoff(row.tries))
            case OutcomeUnknownError():
                await self._stay_unknown(database, row, attempt, verdict, situation)
            case RejectedError():
                await self._take_theirs_back(database, subject)
                await self._block(database, row, cause_of_refusal(subject, verdict, situation), situation)
            case StaleError():
                # Until it was read again.
                await self._due(database, row, delay=await self._pause(database, row, Conclusion.STALE) + backoff(0))
            case GoneError():
                await self._take_theirs_back(database, subject)
                await self._block(database, row, cause_of_loss(subject, verdict), situation)
            case ReconnectError():
                await self._move(database, State.NEEDS_RECONNECT, verdict.answered.message)
                await self._due(database, row, delay=timedelta())
            case MisconfiguredError():
                await self._move(database, State.READ_ONLY, verdict.answered.message)
                await self._due(database, row, delay=timedelta())
            case _:
                assert_never(verdict)

    async def _take_theirs_back(self, database: Database, subject: Subject) -> None:
        """Refused without theirs, too: it wasn't they."""
        if subject.link is not None and not subject.link.kept:
            values = {"company": self._fence.company_pk, "kind": subject.row.kind, "uuid": subject.row.uuid}
            await database.execute(outcomes_sql.TAKE_THEIRS_BACK, values)

    async def _stay_unknown(
        self,
        database: Database,
        row: Row,
        attempt: Attempt | None,
        verdict: OutcomeUnknownError,
        situation: Situation,
    ) -> None:
        """Repeat it later, only after its own timeout; when a day of repeats brought no answer, a person looks."""
        if attempt is not None and attempt.age_seconds > _UNCERTAIN_AFTER.total_seconds():
            await self._block(database, row, _uncertain(row, says=verdict.answered.said), situation)
            return
        sends = attempt.sends if attempt is not None else 1
        await self._due(database, row, delay=max(self._request_timeout, backoff(sends)))

    async def _block(self, database: Database, row: Row, decision: Blocked, situation: Situation) -> None:
        if not await block_rows(database, [(row, decision)], self._fence, situation):
            await self._due(database, row, delay=timedelta())

    async def _due(self, database: Database, row: Row, *, delay: timedelta) -> None:
        await database.execute(outcomes_sql.ROWS_DUE, {"rows": [row.id], "delay": delay, "tried": 1})

    async def _pause(self, database: Database, row: Row, verdict: Conclusion) -> timedelta:
        """How long to wait after an answer that a second try mostly mends: not at all, unless it came lately before."""
        times = await self._count(database, row, verdict, within=_OF_LATE)
        return backoff(times - 1) if times > 1 else timedelta()

    async def _count(self, database: Database, row: Row, verdict: Conclusion, *, within: timedelta) -> int:
        """How often attempts of the record were closed with this verdict lately, in this transaction as well."""
        record = {"company": self._fence.company_pk, "kind": row.kind, "uuid": row.uuid}
        values = {**record, "verdict": verdict.value, "within": within}
        cursor = await database.execute(attempts_sql.COUNT_ANSWERS, values)
        found = await cursor.fetchone()
        return int(found["times"]) if found else 0

    async def _save_version(self, database: Database, row: Row, record: RemoteRecord) -> None:
        values = {"company": self._fence.company_pk, "kind": row.kind, "uuid": row.uuid, "kept": record.kept}
        seen = {"remote_version": record.version, "standing": record.standing}
        await database.execute(outcomes_sql.SAVE_VERSION, {**values, **seen})

    async def _move(self, database: Database, target: State, reason: str) -> None:
        await database.execute(
            outcomes_sql.MOVE_CONNECTION,
            {
                "connection": self._fence.connection_id,
                "epoch": self._fence.epoch,
                "target": target.value,
                "reason": reason[:500],
                "sources": sources_of(target),
            },
        )


def _can_have_made(attempt: Attempt, record: RemoteRecord) -> bool:
    return is_made_since(record, attempt.started_at)


def _uncertain(row: Row, *, says: str = "", why: str = "", possible: Sequence[RemoteRecord] = ()) -> Blocked:
    """`says` are the provider's own words, `why` ours."""
    key = f"outcome_uncertain:{row.uuid}"
    params = {name: words for name, words in (("says", says), ("detail", f" {why}" if why else "")) if words}
    return Blocked(CauseCode.OUTCOME_UNCERTAIN, key=key, params=params, candidates=candidates_to_json(possible))


def _says_nothing_of(attempt: Attempt, verdict: Verdict) -> bool:
    """Whether a verdict leaves open what became of the attempt.

    What a gateway says to a *repeat* (slow down, sign in, not now) says nothing of the first send: only an answer of
    the application itself may close an attempt whose outcome isn't known.
    """
    match verdict:
        case OutcomeUnknownError():
            return True
        case RejectedError():
            # Without a fault of the application it's some gateway's page.
            is_gateways = attempt.sends > 1 and not verdict.answered.code
            return is_gateways or verdict.cause is CauseCode.OUTCOME_UNCERTAIN
        case TryLaterError() | ReconnectError() | MisconfiguredError():
            return attempt.sends > 1
        case StaleError() | GoneError():
            return False
        case _:
            assert_never(verdict)
