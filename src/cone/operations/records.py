"""How operations find and change records: always inside the actor's workspace, always locked before they change."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, models, transaction
from psycopg import errors

from cone.books.models import Activity, Workspace
from cone.books.models.record import WorkspaceRecord
from cone.domain.errors import InvalidFieldError, RecordChangedMeanwhileError, RecordNotFoundError
from cone.operations.actor import Actor

Record = TypeVar("Record", bound=WorkspaceRecord)


def get_locked(model: type[Record], actor: Actor, uuid: UUID) -> Record:
    """Return a record of the actor's workspace, locked until the transaction ends.

    Raises: RecordNotFoundError, for another workspace's record too.
    """
    try:
        return model._default_manager.select_for_update().get(workspace=actor.workspace, uuid=uuid)
    except model.DoesNotExist as missing:
        raise RecordNotFoundError from missing


def check_unchanged(record: WorkspaceRecord | Workspace, expected_revision: int | None) -> None:
    """Check that a record is still in the revision that a form was filled from; None is any.

    To be asked only of a form that would change something: the same one sent twice is nobody else's change.
    Raises: RecordChangedMeanwhileError.
    """
    if expected_revision is not None and record.revision != expected_revision:
        raise RecordChangedMeanwhileError


def find_referred(model: type[Record], actor: Actor, uuids: Collection[UUID]) -> dict[UUID, Record]:
    """Return those of the records that the actor's workspace has, by uuid, held against change by others.

    A key-share lock lets other invoices refer to the same customer or rate at the same time, but waits for (and
    holds up) whoever has locked one of them to change it.
    """
    if not uuids:
        return {}
    found = model._default_manager.raw(
        f"select * from {model._meta.db_table} where workspace_id = %s and uuid = any(%s) order by id for key share",  # noqa: S608  # the table's name is the model's own
        [actor.workspace.pk, list(uuids)],
    )
    return {record.uuid: record for record in found}


def change(record: models.Model, values: Mapping[str, object]) -> list[str]:
    """Set the attributes that differ and return their names, for the caller to save."""
    changed = [name for name, value in values.items() if getattr(record, name) != value]
    for name in changed:
        setattr(record, name, values[name])
    return changed


def note(actor: Actor, kind: str, record_uuid: UUID, verb: str, **detail: str) -> None:
    """Write one activity entry: who did what to which record, with small facts for the sentence."""
    Activity.objects.create(
        workspace=actor.workspace, kind=kind, record_uuid=record_uuid, verb=verb, detail=detail, actor=actor.user
    )


@contextmanager
def refusing_duplicates(constraint: str, field: str, message: str) -> Iterator[None]:
    """Turn the database's refusal of a second record of one name into a refusal of the field."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        cause = error.__cause__
        if isinstance(cause, errors.UniqueViolation) and cause.diag.constraint_name == constraint:
            raise InvalidFieldError(field, message) from error
        raise
