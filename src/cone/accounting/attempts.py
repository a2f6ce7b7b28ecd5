"""Attempts: written before the first byte leaves, closed only by a definite answer.

The request id is derived, not random: the same record, operation and generation give the same id in any process, so a
crash between writing and sending, or between sending and committing, can be repeated and never duplicated.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID, uuid5

from psycopg.types.json import Jsonb

from cone.accounting.database import Database
from cone.accounting.port.documents import Create, Delete, Kind, Step, Update, Void
from cone.accounting.port.provider import WireRequest
from cone.accounting.port.verdicts import Answered
from cone.accounting.records import OpenAttempt, Row, Situation
from cone.accounting.sql import attempts as attempts_sql
from cone.accounting.verify import Expectation, expected_of

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


@dataclass(frozen=True, slots=True)
class Attempt:
    """A write that is about to leave, or has left."""

    id: int
    kind: Kind
    uuid: UUID
    revision: int
    request: WireRequest
    request_id: str
    expected: Expectation | None
    sends: int
    age_seconds: int


def request_id_of(situation: Situation, row: Row, operation: Operation, generation: int) -> str:
    """uuid5(workspace uuid, company, record uuid, operation, generation): 36 characters; the limit is 50."""
    company = uuid5(situation.workspace_uuid, f"company:{situation.remote_company_id}")
    return str(uuid5(company, f"{row.kind}:{row.uuid}:{operation}:{generation}"))


async def open_attempt(
    database: Database, *, fence: Fence, situation: Situation, row: Row, step: Step, request: WireRequest
) -> Attempt:
    """Write a new attempt and mark its row as sending. Raises LaneLostError when this lane may not send (any more)."""
    operation = _OPERATIONS[type(step)]
    generation = row.last_generation + 1
    document = step.document if isinstance(step, Create | Update) else None
    revision = step.revision if isinstance(step, Void | Delete) else step.document.revision
    expected = expected_of(document) if document else None
    request_id = request_id_of(situation, row, operation, generation)
    cursor = await database.execute(
        attempts_sql.OPEN_ATTEMPT,
        {
            "connection": fence.connection_id,
            "epoch": fence.epoch,
            "company": fence.company_pk,
            "row": row.id,
            "kind": row.kind,
            "uuid": row.uuid,
            "revision": revision,
            "operation": operation,
            "generation": generation,
            "request_id": request_id,
            "request_line": request.line,
            "body": request.body,
            "expected": Jsonb(expected.to_json()) if expected else None,
        },
    )
    made = await cursor.fetchone()
    if made is None:
        raise LaneLostError
    return Attempt(
        id=made["id"],
        kind=row.kind,
        uuid=row.uuid,
        revision=revision,
        request=request,
        request_id=request_id,
        expected=expected,
        sends=1,
        age_seconds=0,
    )


def as_attempt(row: Row, attempt: OpenAttempt) -> Attempt:
    """An open attempt as it is, without sending it again."""
    return Attempt(
        id=attempt.id,
        kind=row.kind,
        uuid=row.uuid,
        revision=attempt.revision,
        request=attempt.request,
        request_id=attempt.request_id,
        expected=attempt.expected,
        sends=attempt.sends,
        age_seconds=attempt.age_seconds,
    )


async def reopen_attempt(database: Database, *, fence: Fence, row: Row, attempt: OpenAttempt) -> Attempt:
    """Take up an attempt whose outcome is unknown, to repeat it. Raises LaneLostError."""
    cursor = await database.execute(
        attempts_sql.REPEAT_ATTEMPT,
        {
            "connection": fence.connection_id,
            "epoch": fence.epoch,
            "row": row.id,
            "attempt": attempt.id,
        },
    )
    if await cursor.fetchone() is None:
        raise LaneLostError
    return replace(as_attempt(row, attempt), sends=attempt.sends + 1)


async def close_attempt(
    database: Database, attempt: Attempt, *, state: Literal["succeeded", "failed"], verdict: str, answered: Answered
) -> None:
    """Record a definite answer."""
    await database.execute(
        attempts_sql.CLOSE_ATTEMPT,
        {
            "attempt": attempt.id,
            "state": state,
            "verdict": verdict,
            "http_status": answered.http_status,
            "tid": answered.tid[:100],
            "message": answered.message[:2000],
        },
    )


async def note_unknown(database: Database, attempt: Attempt, answered: Answered) -> None:
    """Record what is known of an answer that decides nothing; the attempt stays open."""
    await database.execute(
        attempts_sql.NOTE_UNKNOWN,
        {
            "attempt": attempt.id,
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
