"""Send invoices that are older than the connection, from a date the firm chooses: as a run that can be undone."""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from django.db import connection, transaction
from django.utils import timezone

from cone.accounting.connections import NotConnectedError
from cone.accounting.outbox import find_active_connection, wake
from cone.accounting.preview.reading import Foreseer
from cone.accounting.preview.values import Action, Outlook
from cone.accounting.runs.settling import settle_runs_of
from cone.accounting.sql import runs as runs_sql
from cone.books.models import BackfillRun, Connection
from cone.domain.errors import RefusalError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.sync_settings import get_locked_connection, move_settings


class RunUnderWayError(RefusalError):
    """Existing invoices are being sent or taken back already; wait until that's over."""

    code = "run_under_way"

    def __init__(self, other: BackfillRun) -> None:
        is_undoing = other.state == "undoing"
        person = (other.undone_by if is_undoing else other.started_by) or "Somebody"
        verb = "is taking back what a run sent" if is_undoing else "is sending existing invoices"
        since = timezone.localtime((is_undoing and other.undo_started_at) or other.started_at)
        until = "Wait until that's over." if is_undoing else "Wait until that's over, or stop it first."
        super().__init__(f"{person} {verb} since {since:%H:%M} UTC. {until}")
        self.run_uuid = other.uuid


class NothingToSendError(RefusalError):
    """Nothing to send: every issued invoice dated since then is there already or on its way."""

    code = "nothing_to_send"


def send_existing_invoices(actor: Actor, from_date: date) -> BackfillRun:
    """Ask for issued invoices dated since then, with their customers and payments, and keep what's foreseen of each.

    Raises: NotAllowedError, NotConnectedError, RunUnderWayError, NothingToSendError.
    """
    actor.check_may(Permission.INTEGRATIONS)
    active = find_active_connection(actor.workspace.pk)
    if active is None:
        raise NotConnectedError
    # Foreseen before anything is locked: live invoices don't wait for it.
    foreseen = list(Foreseer(active).existing(from_date))
    return _start(actor, from_date, [each for each in foreseen if each.action is not Action.NOTHING])


@transaction.atomic
def _start(actor: Actor, from_date: date, foreseen: list[Outlook]) -> BackfillRun:
    active = get_locked_connection(actor)
    settle_runs_of(active.company_id)
    check_no_run(active)
    if not any(each.kind in ("invoice", "payment") for each in foreseen):
        raise NothingToSendError
    active.send_from_date = from_date
    active.save(update_fields=["send_from_date"])
    move_settings(active)
    run = BackfillRun.objects.create(
        company_id=active.company_id, from_date=from_date, state="running", started_by=actor.user
    )
    run.refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute(runs_sql.ADD_RECORDS, {"run": run.pk, **_columns(foreseen)})
        cursor.execute(runs_sql.WANT_RECORDS, {"run": run.pk, "company": active.company_id})
    wake(active.pk)
    kinds = Counter(each.kind for each in foreseen)
    # Without any only payments are left of a run that was stopped.
    event, count = ("existing_sent", kinds["invoice"]) if kinds["invoice"] else ("payments_sent", kinds["payment"])
    note(actor, "connection", active.uuid, event, from_date=from_date.isoformat(), count=str(count))
    return run


def check_no_run(active: Connection) -> None:
    """Raises: RunUnderWayError, with who started it and when, and which it is."""
    other = (
        BackfillRun.objects.select_related("started_by", "undone_by")
        .filter(company_id=active.company_id, state__in=["running", "undoing"])
        .first()
    )
    if other is not None:
        raise RunUnderWayError(other)


def _columns(foreseen: Iterable[Outlook]) -> dict[str, list[object]]:
    columns: dict[str, list[object]] = {
        name: [] for name in ("kinds", "uuids", "revisions", "actions", "currencies", "taxes", "totals")
    }
    for each in foreseen:
        figures = each.figures
        columns["kinds"].append(each.kind)
        columns["uuids"].append(each.uuid)
        columns["revisions"].append(each.revision)
        columns["actions"].append(each.action.value)
        columns["currencies"].append(figures.total.currency if figures else "")
        columns["taxes"].append(figures.tax.amount if figures else None)
        columns["totals"].append(figures.total.amount if figures else None)
    return columns
