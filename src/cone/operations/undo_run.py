"""Undo a run: take back there what it made and nobody has touched since. The lane does it, record by record."""

from typing import get_args
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from cone.accounting.outbox import wake
from cone.accounting.runs.moves import can_move
from cone.accounting.runs.settling import settle_runs_of
from cone.accounting.runs.undo_plan import judge_candidates, plan_undo
from cone.accounting.runs.values import UndoBy, UndoPlan
from cone.accounting.sql import runs as runs_sql
from cone.books.models import BackfillRun, Connection
from cone.domain.errors import InvalidFieldError, RefusalError
from cone.operations.actor import Actor
from cone.operations.cancel_run import get_run, take_out
from cone.operations.records import note
from cone.operations.send_existing_invoices import check_no_run
from cone.operations.sync_settings import get_locked_connection, move_settings


class RunNotUndoableError(RefusalError):
    """Only a run that is over can be undone, and only once."""

    code = "run_not_undoable"

    def __init__(self, run: BackfillRun) -> None:
        person = run.undone_by or "Somebody"
        super().__init__(
            {
                "running": "This run is still sending. Stop it first, or wait until it's over.",
                "undoing": f"{person} has had it undone already: it's being taken back.",
                "undone": f"{person} has had it undone already.",
            }[run.state]
        )
        self.state = run.state


@transaction.atomic
def preview_undo(actor: Actor, uuid: UUID) -> UndoPlan:
    """Say what undoing would come to. Raises: as `undo_run`."""
    active, run = _get_undoable(actor, uuid)
    return plan_undo(run, active, now=timezone.now())


@transaction.atomic
def undo_run(actor: Actor, uuid: UUID, *, by: str) -> BackfillRun:
    """Have the run's records voided or deleted there, and what it still waits for taken out of the queue.

    Raises: NotAllowedError, NotConnectedError, RecordNotFoundError, RunUnderWayError, RunNotUndoableError,
    InvalidFieldError.
    """
    if by not in get_args(UndoBy):
        raise InvalidFieldError("by", "Choose whether to delete or to void.")
    active, run = _get_undoable(actor, uuid)
    move_settings(active)
    take_out(run)
    candidates = judge_candidates(run, active)
    run.state, run.undo_by, run.undone_by, run.undo_started_at = "undoing", by, actor.user, Now()
    run.save(update_fields=["state", "undo_by", "undone_by", "undo_started_at"])
    run.refresh_from_db()
    with connection.cursor() as cursor:
        values = {
            "ids": [each.row["id"] for each in candidates],
            "undos": ["refused" if each.reason else "wanted" for each in candidates],
            "reasons": [each.reason for each in candidates],
        }
        cursor.execute(runs_sql.MARK_UNDO, values)
        cursor.execute(runs_sql.WANT_BACK, {"run": run.pk, "company": run.company_id, "by": by})
        wanted: int = cursor.rowcount
    wake(active.pk)
    note(actor, "connection", active.uuid, "run_undone", count=str(wanted), by=by)
    return run


def _get_undoable(actor: Actor, uuid: UUID) -> tuple[Connection, BackfillRun]:
    active = get_locked_connection(actor)
    run = get_run(uuid, company_id=active.company_id)
    settle_runs_of(active.company_id)
    run.refresh_from_db()
    if not can_move(run.state, "undoing"):
        raise RunNotUndoableError(run)
    check_no_run(active)
    return active, run
