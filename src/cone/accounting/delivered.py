"""Writes down what arrived: attempts closed, links made, figures verified, rows gone, all in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from cone.accounting.answers import answer_to_json
from cone.accounting.attempts import Attempt, Fence, check_fence, close_attempts
from cone.accounting.database import Database
from cone.accounting.decided import block_rows
from cone.accounting.holds import end_backoff
from cone.accounting.numbers import adopt_number
from cone.accounting.plan.decisions import Blocked
from cone.accounting.port.documents import Kind, RemoteRecord
from cone.accounting.port.provider import Sent
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.records import Row, Situation, Subject
from cone.accounting.sql import outcomes as outcomes_sql
from cone.accounting.verify import Expected, find_difference


@dataclass(frozen=True, slots=True)
class Delivered:
    """A write that succeeded, and the row that asked for it."""

    subject: Subject
    attempt: Attempt
    sent: Sent


@dataclass(frozen=True, slots=True)
class Linked:
    """Which record there is which of ours, in which revision of ours it stands there, and whether its figures agree.

    `is_made_here`: by us, and not found.
    """

    row: Row
    record: RemoteRecord
    revision: int
    is_equal: bool = True
    is_made_here: bool = False


async def settle_delivered(
    database: Database, delivered: Sequence[Delivered], *, fence: Fence, situation: Situation
) -> None:
    """They stand there: link them, verify their figures, and wake what waited for them."""
    async with database.transaction():
        await check_fence(database, fence)
        await end_backoff(database, fence, situation)
        closed = [(one.attempt, one.sent.answered) for one in delivered]
        await close_attempts(database, closed, state="succeeded", verdict="sent")
        problems = [await _find_problem(database, fence, one) for one in delivered]
        linked = [
            Linked(one.subject.row, one.sent.record, one.attempt.revision, problem is None, is_made_here=True)
            for one, problem in zip(delivered, problems, strict=True)
        ]
        await save_links(database, fence, linked)
        await finish_rows(database, fence, [(one.row, one.revision if one.is_equal else -1) for one in linked])
        pairs = zip(delivered, problems, strict=True)
        blocks = [(one.subject.row, problem) for one, problem in pairs if problem is not None]
        if blocks:
            await block_rows(database, blocks, fence, situation)


async def _find_problem(database: Database, fence: Fence, one: Delivered) -> Blocked | None:
    """What a person must see to though it stands there: its figures differ, or its number can't be had."""
    expected = one.attempt.expected
    if isinstance(expected, Expected) and not expected.number:
        problem = await adopt_number(database, one.subject.row, one.sent.record, company_pk=fence.company_pk)
        if problem is not None:
            return problem
    difference = find_difference(expected, one.sent.record)
    if difference is None:
        return None
    return Blocked(CauseCode.TOTAL_DIFFERS, key=f"total_differs:{one.attempt.uuid}", params=difference)


async def save_links(database: Database, fence: Fence, linked: Sequence[Linked]) -> None:
    """Remember which record there is which of ours, within the caller's transaction."""
    kinds: list[Kind] = [one.row.kind for one in linked]
    await database.execute(
        outcomes_sql.SAVE_LINKS,
        {
            "company": fence.company_pk,
            "kinds": kinds,
            "uuids": [one.row.uuid for one in linked],
            "remote_ids": [one.record.remote_id for one in linked],
            "remote_versions": [one.record.version for one in linked],
            "revisions": [one.revision for one in linked],
            "made_here": [one.is_made_here for one in linked],
            "answers": [Jsonb(answer_to_json(one.record) | {"is_equal": one.is_equal}) for one in linked],
            "standings": [one.record.standing for one in linked],
        },
    )


async def finish_rows(database: Database, fence: Fence, rows: Sequence[tuple[Row, int]]) -> None:
    """Let rows go that ask for no later revision than the one given, and wake what waited for their records."""
    await database.execute(
        outcomes_sql.RELEASE_WAITING, {"company": fence.company_pk, "uuids": [row.uuid for row, _ in rows]}
    )
    await database.execute(
        outcomes_sql.ROWS_DONE,
        {"rows": [row.id for row, _ in rows], "revisions": [revision for _, revision in rows]},
    )
