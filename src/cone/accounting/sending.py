"""Carries out what a plan wants sent, one record at a time. Every end of it is written down.

An attempt is committed before its first byte leaves. What the answer says is settled behind the lane's `books` lock:
planning and settling take turns, since a link made between a snapshot and "waits for that link" would strand a row.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import assert_never

from cone.accounting.attempts import (
    Attempt,
    Fence,
    LaneLostError,
    Prepared,
    as_attempt,
    open_attempts,
    reopen_attempts,
)
from cone.accounting.candidates import Undecided, holds_the_name
from cone.accounting.database import Database, UniqueViolationError
from cone.accounting.delivered import Delivered, settle_delivered
from cone.accounting.errands import Errand, Tools, Work
from cone.accounting.looking import Looker
from cone.accounting.losses import LossClerk
from cone.accounting.naming import find_namesakes, settle_name
from cone.accounting.plan.decisions import LookBack, LookUp, Remove, Repeat, Send, TakeBack
from cone.accounting.plan.open_attempts import Next, after_nothing_found, after_undecided
from cone.accounting.port.documents import CustomerDocument, RemoteRecord, Step, Write
from cone.accounting.port.provider import Sent, WireRequest
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
from cone.accounting.ready import Planned
from cone.accounting.records import LinkState, OpenAttempt, Row, Situation, is_wanted
from cone.accounting.removals import Remover
from cone.accounting.settle import Settler
from cone.accounting.sql import records as records_sql
from cone.accounting.undoing import Undoer
from cone.accounting.verify import is_somebody_elses

logger = logging.getLogger(__name__)

# A replayed answer to an attempt this old may be of a record that was deleted meanwhile: look before linking.
_GHOST_AGE = timedelta(minutes=10)
# Clocks differ: only what was made there longer than this before it was sent was made by an earlier send.
_CLOCKS_DIFFER = timedelta(minutes=5)
_LOOK_FIRST = (CauseCode.NUMBER_TAKEN, CauseCode.NAME_TAKEN, CauseCode.OUTCOME_UNCERTAIN)


class Sender:
    """Sends for one lane, under its epoch."""

    def __init__(
        self,
        *,
        fence: Fence,
        tools: Tools,
        wake: Callable[[], None],
        arrived: Callable[[Sequence[Delivered]], None],
    ) -> None:
        self._fence = fence
        self._tools = tools
        self._wake = wake
        self._arrived = arrived
        self.settler = Settler(fence=fence, request_timeout=tools.provider.request_timeout)
        self._books = asyncio.Lock()
        self._looker = Looker(fence=fence, tools=tools)
        self._remover = Remover(fence=fence, tools=tools, books=self.books)
        self._undoer = Undoer(fence=fence, tools=tools, books=self.books)
        self._losses = LossClerk(fence=fence, tools=tools, books=self.settling)

    @asynccontextmanager
    async def books(self) -> AsyncIterator[Database]:
        """A connection, and the turn to plan or to settle."""
        async with self._books, self._tools.pool.connection() as database:
            yield database

    @asynccontextmanager
    async def settling(self) -> AsyncIterator[Database]:
        """The turn to settle what didn't simply arrive; the lane looks again afterwards."""
        try:
            async with self.books() as database:
                yield database
        finally:
            self._wake()

    async def send_planned(self, planned: Planned, work: Work) -> None:
        """Do what the plan of one record says. Raises LaneLostError when it may not leave as it was planned."""
        errand = Errand(planned.subject, work)
        match planned.decision:
            case Repeat(open_one):
                await self._repeat(errand, open_one)
            case LookUp(open_one):
                await self._look_up(errand, open_one)
            case Send(step, find_first):
                if not (find_first and await self._find_first(errand, step)):
                    await self._send_step(errand, step)
            case LookBack() if planned.subject.row.kind == "customer":
                await self._losses.look_back(errand)
            case Remove() | LookBack():
                await self._remover.perform(planned.decision, errand)
            case TakeBack():
                await self._undoer.take_back(planned.decision, errand)
            case _:
                assert_never(planned.decision)

    async def prepare(self, errand: Errand, step: Step) -> WireRequest | None:
        """The step in the provider's words; None when the provider can't take it, which is settled then."""
        try:
            return self._tools.provider.prepare(step, errand.situation.facts)
        except VERDICTS as verdict:
            await self.settle_unsent(errand, verdict)
            return None

    async def judge(self, errand: Errand, attempt: Attempt, outcome: Sent | Verdict) -> Delivered | None:
        """What an answer comes to: a delivery to be written down, or None when it was settled otherwise."""
        if not isinstance(outcome, Sent):
            if not await self._was_ours(errand, attempt, outcome):
                await self.settle_failed(errand, attempt, outcome)
            return None
        is_new = errand.subject.link is None
        if is_new and is_somebody_elses(attempt.expected, outcome.record, marker=str(attempt.uuid)):
            logger.error("the answer to %s %s is of another record", attempt.kind, attempt.uuid)
            await self._start_over(errand, attempt, "The answer was of another record.")
            return None
        if is_new and _is_older(outcome.record, attempt):
            # The answer to a create of which an older copy of the books, restored since, knows nothing: what stands
            # there may be of another revision than what was sent now.
            async with self.settling() as database:
                await self.settler.found(database, errand.subject, record=outcome.record, since=None, attempt=attempt)
            return None
        may_be_ghost = attempt.sends > 1 and attempt.age_seconds > _GHOST_AGE.total_seconds()
        if may_be_ghost and not await self._still_lives(errand, attempt, outcome.record.remote_id):
            return None
        return Delivered(errand.subject, attempt, outcome)

    async def deliver(self, delivered: Sequence[Delivered], situation: Situation) -> None:
        """Write down what arrived; one whose record is linked already holds up none of the others.

        A person is asked then. Of an item the other one was told first that it's its, by a look: this one looks, too.
        """
        if not delivered:
            return
        try:
            async with self.books() as database:
                landed = await settle_delivered(database, delivered, fence=self._fence, situation=situation)
                for one in delivered:
                    if one.attempt.kind == "service":
                        self._looker.note_change(one.sent.record.remote_id)
            self._arrived(landed.as_wanted)
            if landed.is_due:
                self._wake()
        except UniqueViolationError:
            if len(delivered) > 1:
                for one in delivered:
                    await self.deliver([one], situation)
                return
            row, attempt = delivered[0].subject.row, delivered[0].attempt
            if attempt.kind == "service":
                why = "Another service's item by now."
                async with self.settling() as database:
                    await self.settler.started_over(database, row, attempt, why=why, situation=situation)
                return
            logger.exception("the answer to %s %s is linked already", attempt.kind, attempt.uuid)
            async with self.settling() as database:
                await self.settler.taken(database, row, situation=situation)

    # --- sending ---------------------------------------------------------------------------------------------

    async def _send_step(self, errand: Errand, step: Step) -> None:
        request = await self.prepare(errand, step)
        if request is None:
            return
        await errand.access.turn()
        async with self._tools.pool.connection() as database:
            opened = await open_attempts(
                database,
                fence=self._fence,
                situation=errand.situation,
                prepared=[Prepared(errand.row, step, request)],
            )
        await self._send(errand, _allowed(opened.attempts.get(errand.row.id)))

    async def _repeat(self, errand: Errand, open_one: OpenAttempt) -> None:
        await errand.access.turn()
        async with self._tools.pool.connection() as database:
            taken = await reopen_attempts(database, fence=self._fence, rows=[(errand.row, open_one)])
        await self._send(errand, _allowed(taken.get(errand.row.id)))

    async def _send(self, errand: Errand, attempt: Attempt) -> None:
        """Send what has had its turn."""
        paid = self._tools.access(errand.access.share, paid=1)
        outcome: Sent | Verdict
        try:
            outcome = await self._tools.client.send(
                paid, attempt.request, request_id=attempt.request_id, kind=attempt.kind
            )
        except VERDICTS as verdict:
            outcome = verdict
        if (delivered := await self.judge(errand, attempt, outcome)) is not None:
            await self.deliver([delivered], errand.situation)

    async def _still_lives(self, errand: Errand, attempt: Attempt, remote_id: str) -> bool:
        """Whether a record that an old answer tells of is still there; otherwise it's settled."""
        try:
            await self._tools.client.read(errand.access, attempt.kind, remote_id)
        except GoneError:
            await self._start_over(errand, attempt, "The record was deleted there before its answer was read.")
            return False
        except VERDICTS as verdict:
            await self.settle_failed(errand, attempt, OutcomeUnknownError(verdict.answered))
            return False
        return True

    # --- looking ---------------------------------------------------------------------------------------------

    async def _find_first(self, errand: Errand, step: Write) -> bool:
        """Link what is there already; whether there's nothing left to send now."""
        changes = self._looker.changes
        try:
            found = await self._looker.find(errand.access, step.document)
        except VERDICTS as verdict:
            await self.settle_unsent(errand, verdict)
            return True
        if found is None:
            return False
        await self._settle_found(errand, found, changes, since=self._made_since(errand.row, found))
        return True

    async def _settle_found(
        self,
        errand: Errand,
        found: RemoteRecord,
        changes: int,
        *,
        since: datetime | None,
        attempt: Attempt | None = None,
    ) -> None:
        """Link what was found, `since` as in `Settler.found`; or wait for another one whose it may be.

        `changes` are the looker's before that look.
        """
        async with self.settling() as database:
            if self._looker.is_outdated(found, changes=changes):
                await self.settler.look_again(database, errand.row)
                return
            before = attempt.id if attempt else None
            maker = await self._looker.find_maker(database, errand.row.uuid, found, before=before)
            if maker is not None:
                await self.settler.wait_for(database, errand.subject, maker)
            else:
                await self.settler.found(database, errand.subject, record=found, since=since, attempt=attempt)

    def _made_since(self, row: Row, record: RemoteRecord) -> datetime | None:
        """Since when a create of ours that was given up can have made the record; None where none can.

        What was made long after the last of them left isn't theirs: a person may have done by hand what was refused.
        """
        given_up, made_at = row.given_up, record.created_at
        if given_up is None or made_at is None:
            return None
        until = given_up.last_sent_at + self._tools.provider.looks_count_after + _CLOCKS_DIFFER
        return given_up.first_sent_at if made_at <= until else None

    async def _look_up(self, errand: Errand, open_one: OpenAttempt) -> None:
        """Look for what a create may have made; where it isn't there for all a look can tell, it may go again."""
        attempt, changes = as_attempt(errand.row, open_one), self._looker.changes
        try:
            found = await self._looker.look(errand.access, attempt, sent_at=open_one.started_at)
        except VERDICTS as verdict:
            await self.settle_unseen(errand, attempt, verdict)
            return
        if found is None:
            step, until = after_nothing_found(
                open_one,
                is_wanted=is_wanted(errand.subject.record),
                ids_live_for=errand.situation.ids_live_for,
                looks_count_after=self._tools.provider.looks_count_after,
            )
        else:
            step, until = after_undecided(open_one, looks_count_after=self._tools.provider.looks_count_after)
        must_wait = step == "wait" and holds_the_name(found, attempt.started_at)
        if isinstance(found, RemoteRecord) and not must_wait:
            since = errand.row.first_sent_at(attempt.started_at)
            await self._settle_found(errand, found, changes, since=since, attempt=attempt)
        elif step == "repeat":
            await self._repeat(errand, open_one)
        else:
            possible = found.records if isinstance(found, Undecided) else ()
            await self.settle_step(errand, open_one, step, until, possible=possible)

    async def settle_step(
        self,
        errand: Errand,
        open_one: OpenAttempt,
        step: Next,
        until: timedelta,
        *,
        possible: Sequence[RemoteRecord] = (),
    ) -> None:
        """Write down what comes after a look that didn't find it for certain, where nothing is sent.

        What isn't wanted any more is given up only where looks see at all: else it may stand there, unseen.
        """
        opened = errand.row, as_attempt(errand.row, open_one)
        if step == "close" and not is_wanted(errand.subject.record):
            try:
                step = "close" if await self._looker.sees_the_latest(errand.access) else "ask"
            except VERDICTS as verdict:
                await self.settle_unseen(errand, opened[1], verdict)
                return
        async with self.settling() as database:
            if step == "wait":
                await self.settler.wait_to_look(database, *opened, delay=until - open_one.silence)
            elif step == "close":
                await self.settler.not_there(database, *opened)
            else:
                await self.settler.ask(database, errand.row, possible=possible, situation=errand.situation)

    async def settle_unseen(self, errand: Errand, attempt: Attempt, verdict: Verdict) -> None:
        """It couldn't be looked for now. The attempt stays as unknown as it was; a day of that asks a person."""
        is_passing = isinstance(verdict, OutcomeUnknownError) or (
            isinstance(verdict, TryLaterError) and verdict.scope == "record" and not verdict.allowance
        )
        if is_passing:
            await self.settle_failed(errand, attempt, OutcomeUnknownError(verdict.answered))
        else:
            await self.settle_unsent(errand, verdict)

    async def _was_ours(self, errand: Errand, attempt: Attempt, verdict: Verdict) -> bool:
        """Look what took the name or number before telling a person: it may be our own lost create. Then link it."""
        is_taken = isinstance(verdict, RejectedError) and verdict.cause in _LOOK_FIRST
        is_name_taken = isinstance(verdict, RejectedError) and verdict.cause is CauseCode.NAME_TAKEN
        is_customer = attempt.kind == "customer" and not self._was_repeated_under_a_former_name(errand, attempt)
        if isinstance(verdict, RejectedError) and is_name_taken and is_customer:
            return await self._settle_name(errand, attempt, verdict)
        if not is_taken or errand.subject.link is not None:
            return False
        is_item_taken = is_name_taken and attempt.kind == "service"
        # An item that stands in the way of a first send was there before it.
        is_before, changes = is_item_taken and attempt.sends == 1, self._looker.changes
        try:
            found = await self._looker.look(errand.access, attempt, sent_at=None)
            must_look_again = is_before and await self._may_be_anothers(errand, found, changes)
        except VERDICTS:
            # It couldn't be looked at now: the refusal stands, and asking again looks again.
            found, must_look_again = None, is_item_taken
        if must_look_again:
            # Whoever made the item of that name, it's the one to use: nobody need choose, and the next try looks.
            await self.settle_failed(errand, attempt, TryLaterError(verdict.answered, scope="record"))
            return True
        if not isinstance(found, RemoteRecord):
            return False
        since = self._made_since(errand.row, found) if is_before else errand.row.first_sent_at(attempt.started_at)
        await self._settle_found(errand, found, changes, since=since, attempt=attempt)
        return True

    async def _may_be_anothers(self, errand: Errand, found: RemoteRecord | Undecided | None, changes: int) -> bool:
        """Whether it's an item whose it is only another service's answer tells, or that was changed since."""
        if not isinstance(found, RemoteRecord):
            return False
        if self._looker.is_outdated(found, changes=changes):
            return True
        async with self._tools.pool.connection() as database:
            return await self._looker.find_maker(database, errand.row.uuid, found, before=None) is not None

    def _was_repeated_under_a_former_name(self, errand: Errand, attempt: Attempt) -> bool:
        """Whether the name that somebody has there is the one that was sent, no more the one that it has here."""
        document = errand.subject.record
        if attempt.sends == 1 or not isinstance(document, CustomerDocument):
            return False
        return self._tools.provider.read_sent(attempt.kind, attempt.request).name != document.name

    async def _settle_name(self, errand: Errand, attempt: Attempt, verdict: RejectedError) -> bool:
        """Find out who has a customer's name, and settle it by that; False when it couldn't be looked at now."""
        document = errand.subject.record
        if not isinstance(document, CustomerDocument):
            return False
        try:
            namesakes = await find_namesakes(self._tools.client, errand.access, document)
        except VERDICTS:
            return False
        async with self.books() as database:
            await settle_name(
                database,
                self.settler,
                self._fence,
                errand=errand,
                attempt=attempt,
                verdict=verdict,
                namesakes=namesakes,
                provider=self._tools.provider,
            )
        return True

    # --- settling --------------------------------------------------------------------------------------------

    async def _start_over(self, errand: Errand, attempt: Attempt, why: str) -> None:
        async with self.settling() as database:
            await self.settler.started_over(database, errand.row, attempt, why=why, situation=errand.situation)

    async def settle_unsent(self, errand: Errand, verdict: Verdict) -> None:
        """Write down a verdict that came before anything was sent."""
        async with self.settling() as database:
            await self.settler.refused_unsent(database, errand.subject, verdict=verdict, situation=errand.situation)

    async def settle_failed(self, errand: Errand, attempt: Attempt, verdict: Verdict) -> None:
        """Write down that it was refused, or that nobody knows."""
        is_uncertain = isinstance(verdict, RejectedError) and verdict.cause is CauseCode.OUTCOME_UNCERTAIN
        if is_uncertain and errand.subject.link is not None:
            # An update can't make a second record: read what stands there, and plan again.
            verdict = StaleError(verdict.answered)
        # What the bookkeeper set can be left out, the customer can't: it's looked at first.
        if await self._losses.waits_for_customer(errand, attempt, verdict):
            return
        if _may_be_theirs(errand.subject.link, verdict):
            async with self.settling() as database:
                await self.settler.refused_theirs(database, errand.row, attempt, verdict=verdict)
            return
        found_out = await self._losses.find_out(errand, attempt, verdict)
        if found_out is None:
            return
        verdict = found_out
        async with self.settling() as database:
            await self.settler.failed(database, errand.subject, attempt, verdict=verdict, situation=errand.situation)
        if isinstance(verdict, StaleError):
            await self._read_version(errand)

    async def settle_lost(self, lost: Sequence[tuple[Errand, Attempt]], verdict: OutcomeUnknownError) -> None:
        """Write down that nobody knows what became of a whole batch."""
        rows = [(errand.row, attempt) for errand, attempt in lost]
        async with self.settling() as database:
            await self.settler.lost_together(database, rows, verdict=verdict, situation=lost[0][0].situation)

    async def _read_version(self, errand: Errand) -> None:
        async with self._tools.pool.connection() as database:
            values = {"company": self._fence.company_pk, "uuids": [errand.row.uuid]}
            link = await (await database.execute(records_sql.LINKED, values)).fetchone()
        if link is None:
            return
        try:
            record = await self._tools.client.read(errand.access, errand.row.kind, link["remote_id"])
        except VERDICTS as verdict:
            await self.settle_unsent(errand, verdict)
            return
        async with self.settling() as database:
            await self.settler.version_read(database, errand.row, record=record)


def _may_be_theirs(link: LinkState | None, verdict: Verdict) -> bool:
    """Whether what an update said again of theirs may be why it was refused: a class that is inactive by now."""
    if link is None or not link.kept or not verdict.answered.code:
        return False
    is_named = isinstance(verdict, RejectedError) and verdict.cause in (CauseCode.REFUSED, CauseCode.REFERENCE_MISSING)
    return is_named or isinstance(verdict, GoneError)


def _is_older(record: RemoteRecord, attempt: Attempt) -> bool:
    made_at, sent_at = record.created_at, attempt.started_at
    return made_at is not None and sent_at is not None and made_at < sent_at - _CLOCKS_DIFFER


def _allowed(attempt: Attempt | None) -> Attempt:
    """The attempt, if it may leave. Raises LaneLostError."""
    if attempt is None:
        raise LaneLostError
    return attempt
