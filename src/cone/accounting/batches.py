"""Many records in one request: sent together, settled each by its own answer, repeated only as a whole.

An item is known there by the batch's request id and its place in it, so an item of unknown outcome is never sent by
itself: the whole batch goes again, byte for byte, and what was answered already is answered again. Whether it may is
decided by `unknown_batches`.
"""

from collections.abc import Mapping, Sequence

from cone.accounting.attempts import Attempt, Fence, LaneLostError, Prepared, open_attempts, read_batch, reopen_attempts
from cone.accounting.delivered import Delivered
from cone.accounting.errands import Errand, Tools, Work
from cone.accounting.plan.decisions import Send
from cone.accounting.port.provider import BatchItem, Sent
from cone.accounting.port.verdicts import (
    VERDICTS,
    Answered,
    OutcomeUnknownError,
    RejectedError,
    TryLaterError,
    Verdict,
)
from cone.accounting.ready import Planned
from cone.accounting.records import OpenAttempt
from cone.accounting.sending import Sender

_NO_ANSWER = Answered(message="The answer to the batch doesn't mention this record.")


class BatchSender:
    """Sends batches for one lane."""

    def __init__(self, *, fence: Fence, tools: Tools, sender: Sender) -> None:
        self._fence = fence
        self._tools = tools
        self._sender = sender

    async def send_batch(self, planned: Sequence[Planned], work: Work) -> None:
        """Send creates and updates together, their turn taken. Raises LaneLostError when none may leave as planned."""
        errands = {one.row_id: Errand(one.subject, work) for one in planned}
        prepared: list[Prepared] = []
        for one in planned:
            if not isinstance(one.decision, Send):
                raise TypeError("only what is sent anew starts a batch")
            step = one.decision.step
            if (request := await self._sender.prepare(errands[one.row_id], step)) is not None:
                prepared.append(Prepared(one.subject.row, step, request))
        if not prepared:
            return
        # The turn that was paid for is the batch's own: what looks into its refusals asks for others.
        await work.access.turn()
        async with self._tools.pool.connection() as database:
            opened = await open_attempts(
                database, fence=self._fence, situation=work.situation, prepared=prepared, is_batch=True
            )
        if not opened.attempts:
            raise LaneLostError
        items = [BatchItem(str(attempt.place), attempt.request) for attempt in opened.attempts.values()]
        await self._send(opened.batch_request_id, items, opened.attempts, errands)

    async def repeat_batch(self, opened: Sequence[tuple[Errand, OpenAttempt]]) -> None:
        """Send a batch again in which these are still unknown, its turn taken. Raises LaneLostError when it may not."""
        errands = {errand.row.id: errand for errand, _ in opened}
        async with self._tools.pool.connection() as database:
            rows = [(errand.row, open_one) for errand, open_one in opened]
            attempts = await reopen_attempts(database, fence=self._fence, rows=rows)
            if not attempts:
                raise LaneLostError
            batch_id = next(iter(attempts.values())).batch_id
            if batch_id is None:
                raise TypeError("these didn't go in a batch")
            request_id, items = await read_batch(database, batch_id)
        await self._send(request_id, items, attempts, errands)

    async def _send(
        self,
        request_id: str,
        items: Sequence[BatchItem],
        attempts: Mapping[int, Attempt],
        errands: Mapping[int, Errand],
    ) -> None:
        """Send what has had its turn, and settle each attempt by its own answer."""
        first = next(iter(errands.values()))
        paid = self._tools.access(first.access.share, paid=1)
        outcomes: Mapping[str, Sent | Verdict] = {}
        whole: Verdict = OutcomeUnknownError(_NO_ANSWER)
        try:
            outcomes = await self._tools.client.send_batch(
                paid,
                self._tools.provider.prepare_batch(items),
                request_id=request_id,
                kinds={str(attempt.place): attempt.kind for attempt in attempts.values()},
            )
        except RejectedError as verdict:
            # Of the batch as a whole, and no word on any of its records: they try again, soon by themselves.
            whole = TryLaterError(verdict.answered, scope="record")
        except OutcomeUnknownError as verdict:
            await self._sender.settle_lost([(errands[row_id], one) for row_id, one in attempts.items()], verdict)
            return
        except VERDICTS as verdict:
            whole = verdict
        judged = {row_id: outcomes.get(str(attempt.place), whole) for row_id, attempt in attempts.items()}
        delivered: list[Delivered] = []
        # What arrived first: looking into what didn't may take a while.
        for row_id, outcome in sorted(judged.items(), key=lambda item: not isinstance(item[1], Sent)):
            if delivered and not isinstance(outcome, Sent):
                await self._sender.deliver(delivered, first.situation)
                delivered = []
            arrived = await self._sender.judge(errands[row_id], attempts[row_id], outcome)
            if arrived is not None:
                delivered.append(arrived)
        await self._sender.deliver(delivered, first.situation)
