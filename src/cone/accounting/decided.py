"""Writes down decisions that need no request: nothing to do, another record first, a person must act.

All of one look in one transaction, fenced by the lane's epoch: ten thousand invoices that wait for one unmapped rate
cost a few statements per look, not one per invoice.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from cone.accounting.attempts import Fence, LaneLostError, check_fence
from cone.accounting.database import Database
from cone.accounting.holds import hold_rows
from cone.accounting.plan.decisions import Blocked, Keep, Nothing, Postpone, WaitFor
from cone.accounting.records import Reference, Row, Situation, Subject
from cone.accounting.sql import outcomes as outcomes_sql
from cone.accounting.sql import runs as runs_sql
from cone.accounting.waiting import Expecting, can_expect
from cone.kit.values import Value


class Decided(Value):
    """A row and what its plan says of it."""

    subject: Subject
    decision: Nothing | Postpone | WaitFor | Blocked | Keep


class Settled(Value):
    """What came of settling what one look decided.

    `expecting` needn't be written down, since all that it waits for comes soon. `asked` are the rows of records that
    were asked for now and are due, with no attempt in doubt; of services among them with the revision that they have
    now. `is_written`: rows were written that may have moved meanwhile.
    """

    expecting: list[Expecting]
    asked: list[tuple[Row, int | None]]
    is_written: bool


async def settle_decided(
    database: Database,
    decided: Sequence[Decided],
    *,
    fence: Fence,
    situation: Situation,
    on_their_way: Mapping[Reference, int],
) -> Settled:
    """Settle what one look decided without a request.

    What waits only for what is `on_their_way`, each with its priority, or was asked for now, is kept in mind; nothing
    is when nothing is said to be on its way.
    """
    if not decided:
        return Settled([], [], is_written=False)
    waits = [(one.subject, one.decision) for one in decided if isinstance(one.decision, WaitFor)]
    # First by itself: mostly there's nothing else to write down then.
    asked = await _want(database, waits, fence, on_their_way)
    expecting, waits = _expect(waits, {(row.kind, row.uuid) for row, _ in asked}, on_their_way)
    others = [one for one in decided if not isinstance(one.decision, WaitFor)]
    if others or waits:
        async with database.transaction():
            await check_fence(database, fence)
            await _settle_others(database, others, fence, situation)
            await wait_rows(database, waits, fence)
    return Settled(expecting, asked, is_written=bool(others or waits))


async def _settle_others(database: Database, decided: Sequence[Decided], fence: Fence, situation: Situation) -> None:
    """What waits for no other record."""
    await _nothing(database, [one.subject for one in decided if isinstance(one.decision, Nothing)])
    if held := [one.subject.row for one in decided if isinstance(one.decision, Postpone)]:
        await hold_rows(database, fence, held)
    for one in decided:
        if isinstance(one.decision, Keep):
            await keep_row(database, one.subject.row, fence, reason=one.decision.reason)
    blocks = [(one.subject.row, one.decision) for one in decided if isinstance(one.decision, Blocked)]
    if blocks:
        # Unless settings or record moved since the plan, which then is made anew.
        await block_rows(database, blocks, fence, situation)


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


def _expect(
    waits: Sequence[tuple[Subject, WaitFor]], asked: Set[Reference], on_their_way: Mapping[Reference, int]
) -> tuple[list[Expecting], list[tuple[Subject, WaitFor]]]:
    """Which rows wait for what comes soon, and which don't."""
    coming = frozenset(on_their_way.keys() | asked) if on_their_way else frozenset[Reference]()
    expecting: list[Expecting] = []
    others: list[tuple[Subject, WaitFor]] = []
    for subject, decision in waits:
        if can_expect(subject) and coming.issuperset(decision.references):
            expecting.append(Expecting(subject, frozenset(decision.references)))
        else:
            others.append((subject, decision))
    return expecting, others


async def wait_rows(database: Database, waits: Sequence[tuple[Subject, WaitFor]], fence: Fence) -> set[int]:
    """Other records go first: take rows out of the queue that wait for what doesn't come soon; the ids of those.

    What is linked meanwhile, or gone, isn't waited for.
    """
    if not waits:
        return set()
    values = {
        "company": fence.company_pk,
        "rows": [subject.row.id for subject, _ in waits],
        "for_kinds": [decision.kind for _, decision in waits],
        "for_uuids": [decision.uuid for _, decision in waits],
        "until_settled": [decision.until == "settled" for _, decision in waits],
    }
    return {row["id"] for row in await (await database.execute(outcomes_sql.ROWS_WAIT, values)).fetchall()}


async def _want(
    database: Database,
    waits: Sequence[tuple[Subject, WaitFor]],
    fence: Fence,
    on_their_way: Mapping[Reference, int],
) -> list[tuple[Row, int | None]]:
    """Ask for what isn't on its way, or not as urgently; the rows of it that are due now. Raises LaneLostError."""
    wanted: dict[Reference, int] = {}
    for subject, decision in waits:
        for reference in decision.references:
            urgency = min(subject.row.priority, wanted.get(reference, subject.row.priority))
            if reference not in on_their_way or urgency < on_their_way[reference]:
                wanted[reference] = urgency
    if not wanted:
        return []
    cursor = await database.execute(
        outcomes_sql.WANT_REFERRED,
        {
            "connection": fence.connection_id,
            "epoch": fence.epoch,
            "company": fence.company_pk,
            "for_kinds": [kind for kind, _ in wanted],
            "for_uuids": [uuid for _, uuid in wanted],
            "priorities": list(wanted.values()),
        },
    )
    rows = await cursor.fetchall()
    if not rows[0]["lanes"]:
        raise LaneLostError
    return [(_row(row), row["service_revision"]) for row in rows if row["is_due"]]


def _row(asked: Mapping[str, Any]) -> Row:
    return Row(
        id=asked["id"],
        kind=asked["kind"],
        uuid=asked["record_uuid"],
        wanted_revision=asked["wanted_revision"],
        priority=asked["priority"],
        tries=asked["tries"],
        last_generation=asked["last_generation"],
        is_in_scope=asked["is_in_scope"],
    )


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
            "causes": [decision.to_json() for _, decision in blocks],
        },
    )
    return {row["id"] for row in await cursor.fetchall()}
