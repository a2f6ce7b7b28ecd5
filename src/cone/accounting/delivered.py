"""Writes down what arrived: attempts closed, links made, figures verified, rows gone, all in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from cone.accounting.answers import answer_to_json
from cone.accounting.attempts import Attempt, Fence, LaneLostError, check_fence, close_attempts
from cone.accounting.conclusions import Conclusion
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
from cone.accounting.verify import Expected, find_difference, is_tax_alone
from cone.kit.values import Value, replace


class Delivered(Value):
    """A write that succeeded, and the row that asked for it."""

    subject: Subject
    attempt: Attempt
    sent: Sent


class Landed(Value):
    """What came of writing it down: those that stand there as they're wanted, and whether something can go now."""

    as_wanted: list[Delivered]
    is_due: bool


@dataclass(frozen=True, slots=True)
class Linked:
    """Which record there is which of ours, in which revision of ours it stands there, and whether its figures agree.

    `is_made_here`: by us, and not found. `has_text` as in `LinkState`.
    """

    row: Row
    record: RemoteRecord
    revision: int
    is_equal: bool = True
    is_made_here: bool = False
    has_text: bool = False


async def settle_delivered(
    database: Database, delivered: Sequence[Delivered], *, fence: Fence, situation: Situation
) -> Landed:
    """They stand there: link them, verify their figures, and wake what waited for them. Raises LaneLostError."""
    plain: list[Delivered] = []
    others: list[Delivered] = []
    for one in delivered:
        (plain if _is_plain(one) else others).append(one)
    await end_backoff(database, fence, situation)
    landed = await _settle_plain(database, plain, fence) if plain else Landed([], is_due=False)
    for one in others:
        await _settle_with_problem(database, one, fence=fence, situation=situation)
    return replace(landed, is_due=landed.is_due or bool(others))


def _is_plain(one: Delivered) -> bool:
    """Whether it stands there exactly as sent, and no number of theirs is to be taken over."""
    expected = one.attempt.expected
    takes_number = isinstance(expected, Expected) and not expected.number
    return not takes_number and find_difference(expected, one.sent.record) is None


async def _settle_plain(database: Database, delivered: Sequence[Delivered], fence: Fence) -> Landed:
    cursor = await database.execute(
        outcomes_sql.DELIVERED,
        {
            "connection": fence.connection_id,
            "epoch": fence.epoch,
            "company": fence.company_pk,
            "rows": [one.subject.row.id for one in delivered],
            "attempts": [one.attempt.id for one in delivered],
            "kinds": [one.attempt.kind for one in delivered],
            "uuids": [one.attempt.uuid for one in delivered],
            "revisions": [one.attempt.revision for one in delivered],
            "statuses": [one.sent.answered.http_status for one in delivered],
            "tids": [one.sent.answered.tid[:100] for one in delivered],
            "remote_ids": [one.sent.record.remote_id for one in delivered],
            "remote_versions": [one.sent.record.version for one in delivered],
            "standings": [one.sent.record.standing for one in delivered],
            "answers": [
                _answer(one.sent.record, is_equal=True, has_text=carries_text(one.attempt)) for one in delivered
            ],
        },
    )
    found = await cursor.fetchone()
    if found is None or not found["lanes"]:
        raise LaneLostError
    changed = frozenset(found["changed"])
    return Landed([one for one in delivered if one.subject.row.id not in changed], is_due=found["due"])


async def _settle_with_problem(database: Database, one: Delivered, *, fence: Fence, situation: Situation) -> None:
    row, attempt = one.subject.row, one.attempt
    async with database.transaction():
        await check_fence(database, fence)
        await close_attempts(database, [(attempt, one.sent.answered)], state="succeeded", verdict=Conclusion.SENT)
        problem = await _find_problem(database, fence, one, situation)
        linked = Linked(
            row,
            one.sent.record,
            attempt.revision,
            is_equal=problem is None,
            is_made_here=True,
            has_text=carries_text(attempt),
        )
        await save_links(database, fence, [linked])
        await finish_rows(database, fence, [(row, attempt.revision if problem is None else -1)])
        if problem is not None:
            await block_rows(database, [(row, problem)], fence, situation)


def carries_text(attempt: Attempt) -> bool:
    """Whether a memo or reference of ours went with it."""
    return attempt.expected is not None and attempt.expected.has_text


def _answer(record: RemoteRecord, *, is_equal: bool, has_text: bool) -> str:
    ours: dict[str, object] = {"has_text": True} if has_text else {}
    return msgspec.json.encode(answer_to_json(record) | {"is_equal": is_equal} | ours).decode()


async def _find_problem(database: Database, fence: Fence, one: Delivered, situation: Situation) -> Blocked | None:
    """What a person must see to though it stands there: its figures differ, or its number can't be had."""
    expected = one.attempt.expected
    if isinstance(expected, Expected) and not expected.number:
        problem = await adopt_number(database, one.subject.row, one.sent.record, company_pk=fence.company_pk)
        if problem is not None:
            return problem
    difference = find_difference(expected, one.sent.record)
    if difference is None:
        return None
    is_theirs_to_tax = situation.facts.computes_tax_itself and not situation.is_tax_ours
    if is_theirs_to_tax and is_tax_alone(expected, one.sent.record):
        difference["mended_by"] = "tax_source"
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
            "answers": [_answer(one.record, is_equal=one.is_equal, has_text=one.has_text) for one in linked],
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
