"""Stop a run over existing invoices: what hasn't left stays here, what is under way finishes."""

from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from cone.accounting.outbox import wake
from cone.accounting.runs.settling import settle_runs_of
from cone.accounting.sql import runs as runs_sql
from cone.books.models import BackfillRun
from cone.domain.errors import RecordNotFoundError, RefusalError
from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.sync_settings import get_locked_connection, move_settings


class RunOverError(RefusalError):
    """This run was stopped or is over already: nothing is left to stop."""

    code = "run_over"


@transaction.atomic
def cancel_run(actor: Actor, uuid: UUID) -> BackfillRun:
    """Take out of the queue what the run asked for and hasn't left. It stays out of scope until another run.

    Raises: NotAllowedError, NotConnectedError, RecordNotFoundError, RunOverError.
    """
    active = get_locked_connection(actor)
    run = get_run(uuid, company_id=active.company_id)
    settle_runs_of(active.company_id)
    run.refresh_from_db()
    if run.state != "running":
        raise RunOverError
    # What a lane has planned already may no longer leave.
    move_settings(active)
    taken_out = take_out(run)
    run.state, run.ended_at = "cancelled", Now()
    run.save(update_fields=["state", "ended_at"])
    run.refresh_from_db()
    wake(active.pk)
    note(actor, "connection", active.uuid, "run_cancelled", count=str(taken_out))
    return run


def get_run(uuid: UUID, *, company_id: int) -> BackfillRun:
    """A run of the connected company. Raises: RecordNotFoundError."""
    run = BackfillRun.objects.filter(uuid=uuid, company_id=company_id).first()
    if run is None:
        raise RecordNotFoundError
    return run


def take_out(run: BackfillRun) -> int:
    """Forget what the run asked for and hasn't left; how many records. Invoices first: what they wait for follows."""
    with connection.cursor() as cursor:
        taken = 0
        while True:
            cursor.execute(runs_sql.TAKE_OUT, {"run": run.pk, "company": run.company_id})
            if not cursor.rowcount:
                return taken
            taken += cursor.rowcount
