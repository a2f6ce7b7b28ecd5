"""Finds out what became of a batch without an answer: looks for all of it, and repeats it only where nothing doubles.

A batch is repeated whole or not at all. Where the platform doesn't know its id again everything in it is done again, so
one of which anything is known to stand there isn't repeated: what is missing of it goes under ids of its own, once a
look has proved that it sees such records. Only where looks prove to be blind does the id decide.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cone.accounting.attempts import Attempt, Fence, as_attempt
from cone.accounting.batches import BatchSender
from cone.accounting.budget import PacedAccess, Share
from cone.accounting.candidates import Undecided, holds_the_name
from cone.accounting.conclusions import Conclusion
from cone.accounting.database import Database
from cone.accounting.errands import Errand, Tools, Work
from cone.accounting.looking import Looker, Seen
from cone.accounting.plan.open_attempts import (
    BatchFacts,
    Next,
    after_nothing_found,
    after_nothing_found_of_batch,
    after_undecided,
    needs_proof,
)
from cone.accounting.port.documents import RemoteRecord
from cone.accounting.port.verdicts import VERDICTS, Answered, StaleError, Verdict
from cone.accounting.records import OpenAttempt, Situation, Subject, general_service_uuid, is_wanted
from cone.accounting.sending import Sender
from cone.accounting.snapshot import read_subjects
from cone.accounting.sql import attempts as attempts_sql
from cone.accounting.sql import lane as lane_sql
from cone.kit.values import replace

# So many records that certainly stand there are looked for, to learn whether a look sees such records.
_PROBES = 3
# A look at many takes at most so many requests.
_REQUESTS = 2
_READ_BACK = Answered(message="No answer to the batch came: what stands there is read, and the change planned again.")

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Open:
    """An attempt of the batch that is open, and its row's errand."""

    errand: Errand
    open_one: OpenAttempt
    attempt: Attempt

    @property
    def is_wanted(self) -> bool:
        """Whether the record should stand there still."""
        return is_wanted(self.errand.subject.record)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a look at a batch's creates came to. `namesakes` are customers there that hold the name since before it.

    `found` and `theirs` are ids of attempts that were linked: to what they made, and to what the firm had.
    """

    missing: list[_Open] = field(default_factory=list)
    namesakes: list[tuple[_Open, Seen]] = field(default_factory=list)
    found: set[int] = field(default_factory=set)
    theirs: set[int] = field(default_factory=set)

    @property
    def open_ones(self) -> list[_Open]:
        """What goes along where the batch is repeated."""
        return [*self.missing, *(one for one, _ in self.namesakes)]


class BatchResolver:
    """Resolves the batches of one lane, each in one task at a time."""

    def __init__(self, *, fence: Fence, tools: Tools, sender: Sender, batches: BatchSender) -> None:
        self._fence = fence
        self._tools = tools
        self._sender = sender
        self._batches = batches
        self._looker = Looker(fence=fence, tools=tools)
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def resolve(self, batch_id: int, work: Work) -> None:
        """Take the batch's open attempts a step further. Raises LaneLostError when they may not leave."""
        async with self._turns[batch_id]:
            subjects, items = await self._read(batch_id, work.situation)
            opened = [
                _Open(Errand(subject, work), one, as_attempt(subject.row, one))
                for subject in subjects
                if (one := subject.attempt) is not None
            ]
            if not opened:
                return
            if all(item["operation"] == "update" for item in items):
                await self._repeat(opened)
                return
            await self._read_back([one for one in opened if one.open_one.operation == "update"])
            creates = [one for one in opened if one.open_one.operation == "create"]
            if creates and work.situation.reads_held_for is None:
                await self._look(batch_id, creates, items)

    async def _read(self, batch_id: int, situation: Situation) -> tuple[Sequence[Subject], Sequence[Item]]:
        """What is open of the batch and may be taken up now, and everything that it carried."""
        patience = self._tools.patience
        values = {
            "connection": self._fence.connection_id,
            "company": self._fence.company_pk,
            "general": general_service_uuid(situation.workspace_uuid),
            "batch": batch_id,
            "timeout": patience.request_timeout,
            "looks_count_after": patience.looks_count_after,
        }
        async with self._tools.pool.connection() as database:
            seen = await read_subjects(database, lane_sql.LOOK_AT_BATCH, values, former=situation)
            return seen.subjects, await (await database.execute(attempts_sql.BATCH, values)).fetchall()

    async def _read_back(self, updates: Sequence[_Open]) -> None:
        """A lost update can't have made a second record: read what stands there, and plan again."""
        if updates and updates[0].errand.situation.reads_held_for is not None:
            async with self._sender.settling() as database:
                await self._sender.settler.held_back(database, [one.errand.row for one in updates])
            return
        for one in updates:
            await self._sender.settle_failed(one.errand, one.attempt, StaleError(_READ_BACK))

    # --- creates ---------------------------------------------------------------------------------------------

    async def _look(self, batch_id: int, creates: Sequence[_Open], items: Sequence[Item]) -> None:
        """Link what is found, and go on with what isn't."""
        share = creates[0].errand.access.share
        attempts = [one.attempt for one in creates]
        sent_at = creates[0].open_one.started_at
        try:
            seen = await self._looker.look_for_all(await self._take_turns(share), attempts, sent_at=sent_at)
        except VERDICTS as verdict:
            await self._settle_unseen(creates, verdict)
            return
        looked = _Looked()
        for one, candidates in zip(creates, seen, strict=True):
            # One by one: what one of them is linked to can't be another.
            async with self._sender.settling() as database:
                judged = await self._looker.judge(database, candidates)
                if holds_the_name(judged, one.attempt.started_at):
                    looked.namesakes.append((one, candidates))
                elif isinstance(judged, RemoteRecord):
                    is_ours = await self._link(database, one, judged)
                    (looked.found if is_ours else looked.theirs).add(one.attempt.id)
            if isinstance(judged, Undecided):
                step, until = after_undecided(one.open_one, looks_count_after=self._looks_count_after)
                await self._sender.settle_step(one.errand, one.open_one, step, until, possible=judged.records)
            elif judged is None:
                looked.missing.append(one)
        if looked.missing:
            await self._go_on(batch_id, items, looked)
        else:
            for one, candidates in looked.namesakes:
                step, until = after_undecided(one.open_one, looks_count_after=self._looks_count_after)
                await self._link_namesake(one, candidates, step, until)

    async def _link(self, database: Database, one: _Open, record: RemoteRecord) -> bool:
        """Whether the attempt itself can have made it."""
        since = one.errand.row.first_sent_at(one.attempt.started_at)
        return await self._sender.settler.found(
            database, one.errand.subject, record=record, since=since, attempt=one.attempt
        )

    async def _link_namesake(self, one: _Open, candidates: Seen, step: Next, until: timedelta) -> None:
        """Link it once the batch can't come any more; what has become another's meanwhile is looked for again."""
        if step != "wait":
            async with self._sender.settling() as database:
                judged = await self._looker.judge(database, candidates)
                if isinstance(judged, RemoteRecord):
                    await self._link(database, one, judged)
                    return
        await self._sender.settle_step(one.errand, one.open_one, "wait", until)

    async def _go_on(self, batch_id: int, items: Sequence[Item], looked: _Looked) -> None:
        missing, found = looked.missing, looked.found
        youngest = min((one.open_one for one in missing), key=lambda one: one.silence)
        ids = {one.attempt.id for one in missing}
        # What the firm had there before doesn't show that the batch arrived, nor that looks see what's new.
        theirs = looked.theirs | {one.attempt.id for one, _ in looked.namesakes}
        creates = [item for item in items if item["operation"] == "create" and item["id"] not in theirs]
        ours = [item for item in creates if item["verdict"] != Conclusion.THEIRS]
        there = [item for item in ours if item["state"] == "succeeded" or item["id"] in found]
        facts = BatchFacts(
            is_any_there=bool(there),
            # Done again, what was refused or given up, is decided otherwise or isn't wanted could come to be after all;
            # and so could a customer of a name that the firm's own had: linked, it may have been renamed since.
            may_repeat=all(one.is_wanted for one in looked.open_ones)
            and len(there) + len(ids) == len(ours)
            and all(item["kind"] != "customer" for item in creates if item not in ours),
            are_looks_proved=bool(found) or any(item["verdict"] == Conclusion.FOUND for item in there),
        )
        if needs_proof(youngest, facts, looks_count_after=self._looks_count_after):
            try:
                is_seen = await self._sees_what_is_there(batch_id, missing, there)
            except VERDICTS as verdict:
                await self._settle_unseen(looked.open_ones, verdict)
                return
            facts = replace(facts, are_looks_proved=is_seen)
        situation = missing[0].errand.situation
        step, until = after_nothing_found_of_batch(
            youngest, facts, ids_live_for=situation.ids_live_for, looks_count_after=self._looks_count_after
        )
        if step == "repeat":
            await self._repeat(looked.open_ones)
            return
        for one, candidates in looked.namesakes:
            await self._link_namesake(one, candidates, step, until)
        for one in missing:
            own: tuple[Next, timedelta] = step, until
            if step == "ask" and not one.is_wanted:
                own = after_nothing_found(
                    one.open_one,
                    is_wanted=False,
                    ids_live_for=situation.ids_live_for,
                    looks_count_after=self._looks_count_after,
                )
            await self._sender.settle_step(one.errand, one.open_one, *own)

    async def _sees_what_is_there(self, batch_id: int, missing: Sequence[_Open], there: Sequence[Item]) -> bool:
        """Whether a look finds what is known to stand there: of the batch itself, and made since it was sent."""
        known = [item for item in there if item["remote_id"] is not None]
        async with self._tools.pool.connection() as database:
            values = {"company": self._fence.company_pk, "batch": batch_id, "limit": _PROBES}
            known += await (await database.execute(attempts_sql.MADE_SINCE_BATCH, values)).fetchall()
        kinds = {one.attempt.kind for one in missing}
        known.sort(key=lambda item: item["kind"] not in kinds)
        if not known:
            return False
        access = await self._take_turns(missing[0].errand.access.share)
        return await self._looker.sees_any(access, known[:_PROBES])

    # --- sending and settling --------------------------------------------------------------------------------

    async def _repeat(self, opened: Sequence[_Open]) -> None:
        await self._tools.budget.turn(opened[0].errand.access.share, is_batch=True)
        await self._batches.repeat_batch([(one.errand, one.open_one) for one in opened])

    async def _take_turns(self, share: Share) -> PacedAccess:
        """The access for one look at many, its turns taken."""
        for _ in range(_REQUESTS):
            await self._tools.budget.turn(share, is_batch=True)
        return self._tools.access(share, paid=_REQUESTS)

    async def _settle_unseen(self, creates: Sequence[_Open], verdict: Verdict) -> None:
        for one in creates:
            await self._sender.settle_unseen(one.errand, one.attempt, verdict)

    @property
    def _looks_count_after(self) -> timedelta:
        return self._tools.provider.looks_count_after
