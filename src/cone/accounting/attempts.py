"""Attempts: written before the first byte leaves, closed only by a definite answer.

The request id is derived, not random: the same record, operation and generation give the same id in any process, so a
crash between writing and sending, or between sending and committing, can be repeated and never duplicated. A batch's
id is derived from those of its items.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID, uuid5

import msgspec

from cone.accounting.conclusions import Conclusion
from cone.accounting.database import Database
from cone.accounting.port.documents import Create, Delete, Kind, Step, Update, Void
from cone.accounting.port.provider import BatchItem, WireRequest
from cone.accounting.port.verdicts import Answered
from cone.accounting.records import OpenAttempt, Row, Situation
from cone.accounting.sql import attempts as attempts_sql
from cone.accounting.verify import Expectation, expected_of
from cone.kit.uuids import uuid5_text
from cone.kit.values import Value

Operation = Literal["create", "update", "void", "delete"]
_OPERATIONS: Mapping[type[Step], Operation] = {Create: "create", Update: "update", Void: "void", Delete: "delete"}


class LaneLostError(Exception):
    """This lane may no longer write: it lost its lock, was paused, or the connection ended."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What a lane must still hold for its writes to count."""

    connection_id: int
    company_pk: int
    epoch: int


class Prepared(Value):
    """A planned write in the provider's words, not yet allowed to leave."""

    row: Row
    step: Step
    request: WireRequest

    @property
    def operation(self) -> Operation:
        """What the step does there."""
        return _OPERATIONS[type(self.step)]

    @property
    def revision(self) -> int:
        """The revision of ours that the step brings there."""
        return self.step.document.revision if isinstance(self.step, Create | Update) else self.step.revision

    @property
    def expected(self) -> Expectation | None:
        """The figures that the answer must agree with."""
        return expected_of(self.step.document) if isinstance(self.step, Create | Update) else None


class Attempt(Value):
    """A write that is about to leave, or has left. `batch_id` and `place` are those of the batch that carries it."""

    id: int
    kind: Kind
    uuid: UUID
    revision: int
    request: WireRequest
    request_id: str
    expected: Expectation | None
    sends: int
    age_seconds: int
    batch_id: int | None = None
    place: int | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The attempts that may leave, by the row that asked; together under the batch's id, if they are one."""

    attempts: Mapping[int, Attempt]
    batch_request_id: str = ""


def request_id_of(situation: Situation, row: Row, operation: Operation, generation: int, body: bytes) -> str:
    """uuid5(workspace uuid, company, record uuid, operation, generation): 36 characters; the limit is 50.

    What isn't a create is known by its bytes too. Books that were restored from an older copy come to a generation a
    second time: a create must then get the first answer again, while an edit that says something else must not.
    """
    return _request_id(_namespace(situation).bytes, row, operation, generation, body)


def _request_id(space: bytes, row: Row, operation: Operation, generation: int, body: bytes) -> str:
    said = "" if operation == "create" else f":{sha256(body).hexdigest()}"
    return uuid5_text(space, f"{row.kind}:{row.uuid}:{operation}:{generation}{said}")


def _namespace(situation: Situation) -> UUID:
    return uuid5(situation.workspace_uuid, f"company:{situation.remote_company_id}")


async def open_attempts(
    database: Database, *, fence: Fence, situation: Situation, prepared: Sequence[Prepared], is_batch: bool = False
) -> Opened:
    """Write new attempts and mark their rows as sending.

    Left out is what moved since it was planned, and everything once this lane may not send (any more).
    """
    space = _namespace(situation).bytes
    ids = [
        _request_id(space, one.row, one.operation, one.row.last_generation + 1, one.request.body) for one in prepared
    ]
    expected = [one.expected for one in prepared]
    batch_request_id = uuid5_text(space, "\n".join(ids)) if is_batch else None
    cursor = await database.execute(
        attempts_sql.OPEN_ATTEMPTS,
        {
            "connection": fence.connection_id,
            "epoch": fence.epoch,
            "company": fence.company_pk,
            "settings_revision": situation.settings_revision,
            "rows": [one.row.id for one in prepared],
            "wanted": [one.row.wanted_revision for one in prepared],
            "kinds": [one.row.kind for one in prepared],
            "uuids": [one.row.uuid for one in prepared],
            "revisions": [one.revision for one in prepared],
            "operations": [one.operation for one in prepared],
            "generations": [one.row.last_generation + 1 for one in prepared],
            "request_ids": ids,
            "lines": [one.request.line for one in prepared],
            "bodies": [one.request.body for one in prepared],
            "expected": [msgspec.json.encode(one.to_json()).decode() if one else None for one in expected],
            "batch_request_id": batch_request_id,
        },
    )
    made = {row["request_id"]: row for row in await cursor.fetchall()}
    attempts = {
        one.row.id: _opened(one, figures, made[request_id])
        for request_id, one, figures in zip(ids, prepared, expected, strict=True)
        if request_id in made
    }
    return Opened(attempts, batch_request_id or "")


def _opened(prepared: Prepared, expected: Expectation | None, made: Mapping[str, Any]) -> Attempt:
    return Attempt(
        id=made["id"],
        kind=prepared.row.kind,
        uuid=prepared.row.uuid,
        revision=prepared.revision,
        request=prepared.request,
        request_id=made["request_id"],
        expected=expected,
        sends=1,
        age_seconds=0,
        batch_id=made["batch_id"],
        place=made["batch_place"],
        started_at=made["started_at"],
    )


def as_attempt(row: Row, attempt: OpenAttempt, *, sends: int | None = None) -> Attempt:
    """An open attempt as it is, or as it becomes by being sent again."""
    return Attempt(
        id=attempt.id,
        kind=row.kind,
        uuid=row.uuid,
        revision=attempt.revision,
        request=attempt.request,
        request_id=attempt.request_id,
        expected=attempt.expected,
        sends=sends or attempt.sends,
        age_seconds=attempt.age_seconds,
        batch_id=attempt.batch_id,
        place=attempt.batch_place,
        started_at=attempt.started_at,
    )


async def reopen_attempts(
    database: Database, *, fence: Fence, rows: Sequence[tuple[Row, OpenAttempt]]
) -> dict[int, Attempt]:
    """Take up attempts whose outcome is unknown, to repeat them: by row, those that may leave."""
    cursor = await database.execute(
        attempts_sql.REPEAT_ATTEMPTS,
        {
            "connection": fence.connection_id,
            "epoch": fence.epoch,
            "rows": [row.id for row, _ in rows],
            "attempts": [attempt.id for _, attempt in rows],
        },
    )
    taken = {row["id"] for row in await cursor.fetchall()}
    return {row.id: as_attempt(row, one, sends=one.sends + 1) for row, one in rows if one.id in taken}


async def read_batch(database: Database, batch_id: int) -> tuple[str, list[BatchItem]]:
    """A batch's request id, and everything it carried, in order."""
    rows = await (await database.execute(attempts_sql.BATCH, {"batch": batch_id})).fetchall()
    items = [
        BatchItem(str(row["batch_place"]), WireRequest(line=row["request_line"], body=bytes(row["body"])))
        for row in rows
    ]
    return rows[0]["request_id"], items


async def close_attempts(
    database: Database,
    closed: Sequence[tuple[Attempt, Answered]],
    *,
    state: Literal["succeeded", "failed"],
    verdict: Conclusion,
) -> None:
    """Record definite answers of one kind."""
    await database.execute(
        attempts_sql.CLOSE_ATTEMPTS,
        {
            "state": state,
            "verdict": verdict.value,
            "attempts": [attempt.id for attempt, _ in closed],
            "statuses": [answered.http_status for _, answered in closed],
            "tids": [answered.tid[:100] for _, answered in closed],
            "messages": [answered.message[:2000] for _, answered in closed],
        },
    )


async def note_unknown(database: Database, attempts: Sequence[Attempt], answered: Answered) -> None:
    """Record what is known of an answer that decides nothing; the attempts stay open."""
    await database.execute(
        attempts_sql.NOTE_UNKNOWN,
        {
            "attempts": [attempt.id for attempt in attempts],
            "http_status": answered.http_status,
            "tid": answered.tid[:100],
            "message": answered.message[:2000],
        },
    )


async def check_fence(database: Database, fence: Fence) -> None:
    """Raise LaneLostError unless this lane still holds its epoch; call it first in the outcome's transaction."""
    cursor = await database.execute(attempts_sql.GATE, {"connection": fence.connection_id, "epoch": fence.epoch})
    if await cursor.fetchone() is None:
        raise LaneLostError
