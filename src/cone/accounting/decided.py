"""Writes down decisions that need no request: nothing to do, another record first, a person must act.

All of one look in one transaction, fenced by the lane's epoch: ten thousand invoices that wait for one unmapped rate
cost a few statements per look, not one per invoice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from cone.accounting.attempts import Fence, check_fence
from cone.accounting.database import Database
from cone.accounting.holds import hold_rows
from cone.accounting.plan.decisions import Blocked, Keep, Nothing, Postpone, WaitFor
from cone.accounting.records import Row, Situation, Subject
from cone.accounting.sql import outcomes as outcomes_sql
from cone.accounting.sql import runs as runs_sql


@dataclass(frozen=True, slots=True)
class Decided:
    """A row and what its plan says of it."""

    subject: Subject
    decision: Nothing | Postpone | WaitFor | Blocked | Keep


async def settle_decided(database: Database, decided: Sequence[Decided], *, fence: Fence, situation: Situation) -> None:
    """Settle what one look decided without a request."""
    if not decided:
        return
    waits = [(one.subject, one.decision) for one in decided if isinstance(one.decision, WaitFor)]
    blocks = [(one.subject, one.decision) for one in decided if isinstance(one.decision, Blocked)]
    async with database.transaction():
        await check_fence(database, fence)
        await _nothing(database, [one.subject for one in decided if isinstance(one.decision, Nothing)])
        if held := [one.subject.row for one in decided if isinstance(one.decision, Postpone)]:
            await hold_rows(database, fence, held)
        for one in decided:
            if isinstance(one.decision, Keep):
                await keep_row(database, one.subject.row, fence, reason=one.decision.reason)
        await _wait(database, waits, fence)
        await _block(database, blocks, fence, situation)


async def _nothing(database: Database, subjects: Sequence[Subject]) -> None:
    """It's true already: the rows go, unless a later revision was asked for meanwhile."""
    if subjects:
        revisions = [
            max(subject.record.revision if subject.record else 0, subject.row.wanted_revision) for subject in subjects
        ]
        rows = [subject.row.id for subject in subjects]
        await database.execute(outcomes_sql.ROWS_DONE, {"rows": rows, "revisions": revisions})


async def keep_row(database: Database, row: Row, fence: Fence, *, reason: str, says: str = "") -> None:
    """What a run sent isn't taken back: say why, and plan the row as any other, within the caller's transaction."""
    values = {"company": fence.company_pk, "kind": row.kind, "uuid": row.uuid}
    outcome = {"undo": "refused", "reason": reason, "says": says[:500]}
    await database.execute(runs_sql.RECORD_UNDO, {**values, **outcome})
    await database.execute(runs_sql.KEEP_ROW, {"row": row.id})


async def _wait(database: Database, waits: Sequence[tuple[Subject, WaitFor]], fence: Fence) -> None:
    """Another record goes first: ask for it, and take these out of the queue until it's linked or settled."""
    if waits:
        values = {
            "company": fence.company_pk,
            "rows": [subject.row.id for subject, _ in waits],
            "for_kinds": [decision.kind for _, decision in waits],
            "for_uuids": [decision.uuid for _, decision in waits],
            "until_settled": [decision.until == "settled" for _, decision in waits],
        }
        wanted = [
            (kind, uuid, subject.row.priority)
            for subject, decision in waits
            for kind, uuid in ((decision.kind, decision.uuid), *decision.also)
        ]
        kinds, uuids, priorities = zip(*wanted, strict=True)
        await database.execute(
            outcomes_sql.WANT_REFERRED,
            {
                "company": fence.company_pk,
                "for_kinds": list(kinds),
                "for_uuids": list(uuids),
                "priorities": list(priorities),
            },
        )
        await database.execute(outcomes_sql.ROWS_WAIT, values)


async def _block(
    database: Database, blocks: Sequence[tuple[Subject, Blocked]], fence: Fence, situation: Situation
) -> None:
    """A person must act; unless settings or record moved since the plan, which then is made anew."""
    if blocks:
        await block_rows(database, [(subject.row, decision) for subject, decision in blocks], fence, situation)


async def block_rows(
    database: Database, blocks: Sequence[tuple[Row, Blocked]], fence: Fence, situation: Situation
) -> set[int]:
    """Give rows their causes, within the caller's transaction; the ids of those that are blocked now."""
    cursor = await database.execute(
        outcomes_sql.ROWS_BLOCKED,
        {
            "connection": fence.connection_id,
            "settings_revision": situation.settings_revision,
            "rows": [row.id for row, _ in blocks],
            "revisions": [row.wanted_revision for row, _ in blocks],
            "cause_keys": [decision.key[:200] for _, decision in blocks],
            "causes": [Jsonb(decision.to_json()) for _, decision in blocks],
        },
    )
    return {row["id"] for row in await cursor.fetchall()}
