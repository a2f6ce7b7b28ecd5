"""One lane per company: re-reads what is due whenever something changes, and keeps requests in flight meanwhile.

It's a reconciler, not a queue: each look takes a snapshot, plans due rows, settles what needs no request and starts
what can start. A few live records go at once, each by itself; a backlog goes as its budget allows, in batches and,
where that is faster, singly beside them. A live invoice that arrives while a backfill's requests are in flight goes
first.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import timedelta
from itertools import chain
from uuid import UUID

from cone.accounting.alarm import Alarm
from cone.accounting.attempts import Fence, LaneLostError
from cone.accounting.batches import BatchSender
from cone.accounting.budget import Share
from cone.accounting.database import Database, DatabaseAwayError
from cone.accounting.decided import Decided, settle_decided
from cone.accounting.delivered import Delivered
from cone.accounting.errands import Tools, Work
from cone.accounting.plan.decisions import (
    Blocked,
    Decision,
    Keep,
    LookBack,
    LookUp,
    Nothing,
    Postpone,
    Remove,
    Repeat,
    Send,
    TakeBack,
    WaitFor,
)
from cone.accounting.plan.next_step import plan
from cone.accounting.ready import BATCH_FROM, Planned, Ready
from cone.accounting.records import Reference, Row, Situation, Subject, general_service_uuid
from cone.accounting.runs.settling import settle_runs
from cone.accounting.sending import Sender
from cone.accounting.snapshot import Snapshot, read_next_due, read_snapshot
from cone.accounting.sql import lane as lane_sql
from cone.accounting.sql import sweep as sweep_sql
from cone.accounting.unknown_batches import BatchResolver
from cone.accounting.waiting import Waiting

logger = logging.getLogger(__name__)

# QuickBooks takes ten requests of a company at once: two are left to what pages ask.
SLOTS = 8
BACKLOG_SLOTS = 6
LIVE_ONLY, EVERYTHING = 0, 100
# Rows planned ahead: enough for the batches that can leave together, few enough to be planned anew when things change.
_AHEAD = 90
_LOW = 45
_LIVE_LOOK = 16
# Taking a lane costs as much as a record; people seldom write one invoice alone.
_LINGER = timedelta(seconds=20)


class Lane:
    """Drains one company's outbox under one epoch. `wake` may be called at any time."""

    def __init__(self, *, fence: Fence, tools: Tools) -> None:
        self._fence = fence
        self._whose = {"company": fence.company_pk, "connection": fence.connection_id, "epoch": fence.epoch}
        self._tools = tools
        self._sender = Sender(fence=fence, tools=tools, wake=self.wake, arrived=self._arrived)
        self._batches = BatchSender(fence=fence, tools=tools, sender=self._sender)
        self._resolver = BatchResolver(fence=fence, tools=tools, sender=self._sender, batches=self._batches)
        self._woken = asyncio.Event()
        self._woken.set()
        self._ready = Ready()
        self._waiting = Waiting()
        self._situation: Situation | None = None
        # Rows in flight, by the work that carries them.
        self._in_flight: dict[asyncio.Task[None], Sequence[Planned]] = {}
        self._backlog_slots = asyncio.Semaphore(BACKLOG_SLOTS)
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._batches_wait = False
        # Slots and pumps that became free: something may start without another look.
        self._moved = asyncio.Event()
        self._may_be_more = False
        self._is_in_backlog = False
        # Whether something of a run was looked at since runs were settled last.
        self._is_of_run = False
        self._alarm = Alarm(ask=self._moved.set, ring=self.wake)
        # Whether what waits for others is to be looked at again, too.
        self._is_sweep = True
        self._broken: BaseException | None = None

    def wake(self, *, is_sweep: bool = False) -> None:
        """Something changed: look again soon, by a sweep also at what waits for records that are there by now."""
        self._is_sweep |= is_sweep
        self._woken.set()
        self._moved.set()

    async def run(self) -> timedelta | None:
        """Work until nothing is due, or until the lane is no longer ours.

        Returns how long until something will be due; None when nothing waits for a time.
        """
        try:
            general_service = await self._reset()
            while True:
                self._moved.clear()
                if self._must_look():
                    await self._look(general_service)
                # It may have broken during the look: then nothing more starts, only to be cut off.
                self._check_whole()
                self._start()
                if self._in_flight or self._pumps:
                    await self._foresee()
                    await self._moved.wait()
                    self._check_whole()
                elif not self._must_look():
                    if len(self._waiting):
                        # Nothing is under way, so nothing arrives: what waits is to be written down.
                        self._waiting.clear()
                        self.wake()
                        continue
                    await self._settle_runs()
                    due = await self._next_due()
                    if not await self._linger(due):
                        return due
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

    async def _reset(self) -> UUID:
        """Take over what the last lane left; the item that lines without a service post to."""
        async with self._tools.pool.connection() as database:
            cursor = await database.execute(lane_sql.RESET_SENDING, self._whose)
            row = await cursor.fetchone()
        if row is None:
            raise LaneLostError
        return general_service_uuid(row["workspace_uuid"])

    def _check_whole(self) -> None:
        if self._broken is not None:
            raise self._broken

    async def _foresee(self) -> None:
        """Have the lane woken when the clock makes something due, unless it has more to look at anyway."""
        if self._alarm.must_ask and not self._may_be_more:
            self._alarm.set(await self._next_due())

    async def _cancel(self) -> None:
        self._alarm.stop()
        working = [*self._pumps.values(), *self._in_flight]
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    async def _settle_runs(self) -> None:
        """Nothing more goes now: a run that this ended is over at once, not with the next sweep."""
        if self._is_of_run:
            self._is_of_run = False
            async with self._tools.pool.connection() as database:
                await settle_runs(database, companies=[self._fence.company_pk])

    async def _linger(self, due: timedelta | None) -> bool:
        """Stay a while after the last record: the next one then finds the lane open. Whether to look again."""
        self._is_in_backlog = False
        patience = _LINGER if due is None else min(due, _LINGER)
        try:
            async with asyncio.timeout(patience.total_seconds()):
                await self._woken.wait()
        except TimeoutError:
            if due is None or due > _LINGER:
                return False
            self.wake()
        return True

    async def _next_due(self) -> timedelta | None:
        async with self._tools.pool.connection() as database:
            return await read_next_due(database, fence=self._fence, patience=self._tools.patience, busy=self._busy())

    # --- planning --------------------------------------------------------------------------------------------

    def _must_look(self) -> bool:
        """Whether something became due, or may have: what merely arrived leaves nothing to look at."""
        if self._woken.is_set():
            return True
        if self._in_flight or self._pumps:
            return self._may_be_more and len(self._ready) <= _LOW
        # What's due by now, `_next_due` tells for less.
        return False

    async def _look(self, general_service: UUID) -> None:
        """Take a snapshot, settle what needs no request, queue what does."""
        self._woken.clear()
        self._alarm.wind()
        is_full = len(self._ready) > _LOW
        limit = _LIVE_LOOK if is_full else _AHEAD - len(self._ready)
        busy = self._busy()
        async with self._sender.books() as database:
            if self._is_sweep and not is_full:
                self._is_sweep = False
                await self._release_waits(database)
            snapshot = await read_snapshot(
                database,
                fence=self._fence,
                general_service=general_service,
                limit=limit,
                lowest_priority=LIVE_ONLY if is_full else EVERYTHING,
                patience=self._tools.patience,
                busy=busy,
                former=self._situation,
            )
            if snapshot.lane_epoch != self._fence.epoch:
                raise LaneLostError
            self._take_situation(snapshot)
            decided: list[Decided] = []
            planned: list[Planned] = []
            for subject in snapshot.subjects:
                await self._decide(database, subject, snapshot.situation, decided, planned)
            self._ready.add(planned)
            settled = await settle_decided(
                database,
                decided,
                fence=self._fence,
                situation=snapshot.situation,
                on_their_way=self._on_their_way(),
            )
        asked = self._plan_asked(settled.asked, snapshot)
        if asked:
            # Some waited here already, less urgently.
            self._ready.drop({one.row_id for one in asked})
            self._ready.add(asked)
        if settled.is_written or len(asked) < len(settled.asked):
            # What a record waits for is due now, and what was settled may have moved meanwhile.
            self.wake()
        self._waiting.add(settled.expecting, snapshot.situation)
        unplanned = {one.reference for one in snapshot.subjects} - {one.reference for one in planned}
        if self._waiting.forget(unplanned):
            # They don't come now: a cause stands against them, or planning them broke.
            self.wake()
        self._is_of_run |= any(one.row.priority or one.row.take_back for one in snapshot.subjects)
        self._is_in_backlog |= len(snapshot.subjects) >= BATCH_FROM
        self._may_be_more = is_full or len(snapshot.subjects) >= limit

    async def _release_waits(self, database: Database) -> None:
        """What waits for records that are there by now is due again."""
        await database.execute(sweep_sql.RELEASE_LINKED_WAITS, self._whose)

    def _take_situation(self, snapshot: Snapshot) -> None:
        """What was planned under other settings, or before a pause or a used-up allowance, is planned anew."""
        former, now = self._situation, snapshot.situation
        self._situation = now
        is_other = former is not None and (
            former.settings_revision != now.settings_revision
            or (former.reads_held_for is None) != (now.reads_held_for is None)
        )
        if is_other or not snapshot.may_send:
            if len(self._ready) or len(self._waiting):
                self.wake()
            self._ready.clear()
            self._waiting.clear()

    async def _decide(
        self,
        database: Database,
        subject: Subject,
        situation: Situation,
        decided: list[Decided],
        planned: list[Planned],
    ) -> None:
        decision = _plan(subject, situation)
        match decision:
            case None:
                await self._sender.settler.bug(database, subject.row)
            case Nothing() | Postpone() | WaitFor() | Blocked() | Keep():
                decided.append(Decided(subject, decision))
            case Send() | Repeat() | LookUp() | Remove() | LookBack() | TakeBack():
                planned.append(Planned(subject, decision))

    def _plan_asked(self, rows: Sequence[tuple[Row, int | None]], snapshot: Snapshot) -> list[Planned]:
        """What of the records that were just asked for can go as this look knows them: items that were never sent.

        The rest is for the next look, and so is what was saved since this one read it.
        """
        planned: list[Planned] = []
        in_flight = {one.row_id for landing in self._in_flight.values() for one in landing}
        for row, revision in rows:
            record = snapshot.services.get(row.uuid)
            if row.kind != "service" or record is None or row.last_generation or row.id in in_flight:
                continue
            if revision is not None and revision != record.revision:
                continue
            subject = Subject(row=row, record=record, link=None, attempt=None)
            if isinstance(decision := _plan(subject, snapshot.situation), Send):
                planned.append(Planned(subject, decision))
        return planned

    def _busy(self) -> list[int]:
        """The rows that needn't be read: on their way, or kept in mind."""
        return [*(one.row_id for one in self._under_way()), *self._waiting.row_ids()]

    def _under_way(self) -> Iterator[Planned]:
        """What is planned and hasn't landed."""
        return chain(self._ready, *self._in_flight.values())

    def _on_their_way(self) -> dict[Reference, int]:
        """Which records come soon, and how urgent they are; none while enough wait for such."""
        if len(self._waiting) >= _AHEAD:
            return {}
        return {one.reference: one.subject.row.priority for one in self._under_way()}

    def _arrived(self, delivered: Sequence[Delivered]) -> None:
        """Plan what waited here for these, which stand there as they're wanted.

        What can't be sent now is for the next look to read anew, as is what waited for one that changes at once again:
        an item may be about to move to another account.
        """
        links = {(one.attempt.kind, one.attempt.uuid): one.sent.record for one in delivered}
        planned: list[Planned] = []
        for subject, situation in self._waiting.take_arrived(links):
            match _plan(subject, situation):
                case Send() as decision:
                    planned.append(Planned(subject, decision))
                case _:
                    self.wake()
        self._ready.add(planned)
        self._moved.set()

    # --- starting --------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Start what can start: live records at once, the backlog's two pumps when there's work for them."""
        situation = self._situation
        if situation is None:
            return
        while len(self._in_flight) < SLOTS and (live := self._ready.take_live()) is not None:
            work = Work(situation, self._tools.access(Share.LIVE))
            self._launch([live], self._sender.send_planned(live, work))
        if self._wants_batch(situation):
            self._pump("batches", self._pump_batches)
        if self._wants_single(situation):
            self._pump("singles", self._pump_singles)

    def _wants_batch(self, situation: Situation) -> bool:
        if situation.reads_held_for is not None:
            # Batches are counted like reads, single writes aren't: those go then, whatever pace the firm chose.
            return False
        least = BATCH_FROM
        if situation.sends_batches_only:
            least = 1
        elif self._is_in_backlog:
            # The few customers that many invoices wait for go together too.
            least = 2
        return self._tools.provider.largest_batch > 1 and self._ready.count_batchable() >= least

    def _may_split(self, situation: Situation) -> bool:
        """Whether batchable records go singly: a few of them, or beside batches that wait for their budget."""
        return not self._wants_batch(situation) or (self._batches_wait and not situation.sends_batches_only)

    def _wants_single(self, situation: Situation) -> bool:
        count = self._ready.count_singles()
        return bool(count or (self._may_split(situation) and self._ready.count_batchable()))

    def _pump(self, name: str, pump: Callable[[], Coroutine[None, None, None]]) -> None:
        if name not in self._pumps:
            task = asyncio.create_task(pump())
            self._pumps[name] = task
            task.add_done_callback(lambda done: self._pumped(name, done))

    def _pumped(self, name: str, task: asyncio.Task[None]) -> None:
        self._pumps.pop(name, None)
        self._ended(task)

    async def _pump_batches(self) -> None:
        try:
            while (situation := self._situation) is not None and self._wants_batch(situation):
                await self._pump_one(is_batch=True)
        finally:
            self._batches_wait = False

    async def _pump_singles(self) -> None:
        while (situation := self._situation) is not None and self._wants_single(situation):
            await self._pump_one(is_batch=False)

    async def _pump_one(self, *, is_batch: bool) -> None:
        """Wait for a slot and a turn, and only then take what goes: it's the freshest then, and live ones are first."""
        await self._backlog_slots.acquire()
        work: Coroutine[None, None, None] | None = None
        try:
            if (share := await self._turn(is_batch=is_batch)) is None:
                return
            planned, work = self._take(share, is_batch=is_batch)
        finally:
            if work is None:
                self._backlog_slots.release()
        if work is not None:
            self._launch(planned, work).add_done_callback(lambda _: self._backlog_slots.release())

    async def _turn(self, *, is_batch: bool) -> Share | None:
        """Wait for a turn; None when others took what it was for meanwhile."""
        while (situation := self._situation) is not None:
            if not (self._wants_batch(situation) if is_batch else self._wants_single(situation)):
                break
            share = Share.LIVE if self._ready.is_head_live() else Share.BACKLOG
            wait = await self._tools.budget.ask(share, is_batch=is_batch)
            if is_batch and self._batches_wait != bool(wait):
                # While batches wait for their budget, single writes may go beside them.
                self._batches_wait = bool(wait)
                self._moved.set()
            if not wait:
                return share
            await asyncio.sleep(wait.total_seconds())
        return None

    def _take(self, share: Share, *, is_batch: bool) -> tuple[list[Planned], Coroutine[None, None, None] | None]:
        """What goes now, and the work that carries it; none when the queue was cleared meanwhile."""
        situation = self._situation
        if situation is None:
            return [], None
        work = Work(situation, self._tools.access(share, paid=1))
        if is_batch:
            planned = self._ready.take_batch(self._tools.provider.largest_batch)
            return planned, self._batches.send_batch(planned, work) if planned else None
        planned = self._ready.take_single(may_split=self._may_split(situation))
        if not planned:
            return [], None
        if planned[0].batch_id is not None:
            return planned, self._resolver.resolve(planned[0].batch_id, work)
        return planned, self._sender.send_planned(planned[0], work)

    def _launch(self, planned: Sequence[Planned], work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._guarded(planned, work))
        self._in_flight[task] = planned
        task.add_done_callback(self._landed)
        # Cancelled before its first step, the task wouldn't have awaited it.
        task.add_done_callback(lambda _: work.close())
        return task

    def _landed(self, task: asyncio.Task[None]) -> None:
        landed = self._in_flight.pop(task, ())
        if self._waiting.forget(one.reference for one in landed):
            # It didn't arrive.
            self.wake()
        self._ended(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = error
        self._moved.set()

    async def _guarded(self, planned: Sequence[Planned], work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except LaneLostError:
            # Paused, disconnecting, overtaken, or changed since the plan. The next look finds out which; requests that
            # are in flight meanwhile finish and are settled, unless the epoch has moved.
            logger.info("%s record(s) of connection %s not sent now", len(planned), self._fence.connection_id)
            self.wake()
        except DatabaseAwayError:
            # No record's fault: the lane breaks, and comes back with the next sweep.
            raise
        except Exception:
            # The edge for these rows: a bug in one record must not stop the others of its company.
            logger.exception("sync of %s broke", ", ".join(f"{one.subject.row.kind} {one.row_id}" for one in planned))
            async with self._sender.books() as database:
                for one in planned:
                    await self._sender.settler.bug(database, one.subject.row)


def _plan(subject: Subject, situation: Situation) -> Decision | None:
    """What is to become of a row; None when planning it broke."""
    try:
        return plan(subject, situation)
    except Exception:
        # The edge for one row, as in `_guarded`: a record that can't be planned must not stop the others.
        logger.exception("planning %s %s broke", subject.row.kind, subject.row.uuid)
        return None
