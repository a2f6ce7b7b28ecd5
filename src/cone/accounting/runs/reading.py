"""Reads runs for pages: a fixed number of statements, whatever the number of records."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeGuard
from uuid import UUID

from cone.accounting.allowance import read_allowance
from cone.accounting.causes import PATIENT
from cone.accounting.connections import State
from cone.accounting.labels import label_records
from cone.accounting.outbox import find_active_connection
from cone.accounting.port.documents import Kind
from cone.accounting.preview.reading import PageReader, read_now
from cone.accounting.registry import get_provider
from cone.accounting.runs.reasons import REASONS
from cone.accounting.runs.values import Compared, Halt, Progress, RunHead, RunRow, RunView, UndoProgress
from cone.accounting.sql import runs as runs_sql
from cone.books.models import BackfillRun, Connection
from cone.kit.money import Money, round_amount

MOST_LISTED = 50
_HALTING: Mapping[str, Halt] = {State.NEEDS_RECONNECT: "reconnect", State.READ_ONLY: "read_only"}


def find_run(workspace_id: int, uuid: UUID) -> RunView | None:
    """One run of the workspace."""
    run = _runs(workspace_id).filter(uuid=uuid).first()
    return None if run is None else view_run(run)


def find_latest_run(workspace_id: int) -> RunView | None:
    """The latest run of the connected company; None without one, or while nothing is connected."""
    active = find_active_connection(workspace_id)
    if active is None:
        return None
    run = _runs(workspace_id).filter(company_id=active.company_id).order_by("-started_at", "-id").first()
    return None if run is None else view_run(run, active)


def list_runs(workspace_id: int) -> tuple[RunRow, ...]:
    """The workspace's runs, latest first: as many statements for many as for one."""
    runs = list(_runs(workspace_id).order_by("-started_at", "-id")[:MOST_LISTED])
    values = {"runs": [run.pk for run in runs], "patient": sorted(PATIENT)}
    counts = {row["run_id"]: row for row in read_now(PageReader().execute(runs_sql.COUNT_OPEN_RECORDS, values)).rows}
    active = find_active_connection(workspace_id)
    return tuple(_row(run, counts.get(run.pk, {}), active) for run in runs)


def _row(run: BackfillRun, counts: Mapping[str, int], active: Connection | None) -> RunRow:
    return RunRow(
        head=_head(run, active),
        left=counts.get("left", 0),
        failed=counts.get("failed", 0),
        undo_left=counts.get("undo_wanted", 0),
        refused=counts.get("undo_refused", 0),
    )


def _head(run: BackfillRun, active: Connection | None) -> RunHead:
    return RunHead(
        uuid=run.uuid,
        from_date=run.from_date,
        state=run.state,  # type: ignore[arg-type]  # a constraint holds it to these
        started_by=str(run.started_by) if run.started_by else "",
        started_at=run.started_at,
        halt=_find_halt(run, active),
    )


def _find_halt(run: BackfillRun, active: Connection | None) -> Halt:
    """What keeps the run from moving. A used-up allowance of reads holds an undo alone: each begins with a look."""
    if active is None or active.company_id != run.company_id:
        return "disconnected"
    if active.state != State.CONNECTED:
        return _HALTING.get(active.state, "disconnected")
    if active.paused_at is not None:
        return "paused"
    held, _ = read_allowance(active)
    return "allowance" if held == "everything" or (held and run.state == "undoing") else ""


def _runs(workspace_id: int) -> Any:
    return BackfillRun.objects.filter(company__workspace_id=workspace_id).select_related("started_by")


def view_run(run: BackfillRun, active: Connection | None = None) -> RunView:
    """Everything a page says of a run."""
    counts = _read(runs_sql.COUNT_RECORDS, run, patient=sorted(PATIENT))[0]
    compared = _read(runs_sql.COMPARE_RECORDS, run)[0]
    made = _read(runs_sql.COUNT_LEFT_THERE, run)[0]
    if active is None:
        active = find_active_connection(run.company.workspace_id)
    return RunView(
        head=_head(run, active),
        ended_at=run.ended_at,
        progress=_progress(run, counts, active),
        compared_count=compared["compared"],
        as_predicted=compared["equal"],
        differing=_differing(run) if compared["compared"] > compared["equal"] else (),
        undo=_undo(run, counts, active),
        refused=_refused(run) if counts["undo_refused"] else (),
        customers_made=made["customers"],
        services_made=made["services"],
    )


def _read(statement: str, run: BackfillRun, **values: object) -> list[dict[str, Any]]:
    return read_now(PageReader().execute(statement, {"run": run.pk, **values})).rows


def _progress(run: BackfillRun, counts: Mapping[str, int], active: Connection | None) -> Progress:
    left = counts["total"] - counts["done"] - counts["failed"]
    return Progress(
        total=counts["total"],
        done=counts["done"],
        failed=counts["failed"],
        left=left,
        dropped=counts["dropped"],
        time_left=_time_left(run, left, active) if run.state == "running" and left else None,
    )


def _is_moving(active: Connection | None, run: BackfillRun) -> TypeGuard[Connection]:
    return not _find_halt(run, active)


def _time_left(run: BackfillRun, left: int, active: Connection | None) -> timedelta | None:
    """By the pace of the last minute, or of the time since the start while that's less; before any, by the budget."""
    if not _is_moving(active, run):
        return None
    held, _ = read_allowance(active)
    provider = get_provider(active.provider)
    limits = provider.limits
    batches = 0 if held else limits.batches_per_minute
    singles = limits.per_minute * 9 // 10 - batches if held or active.backlog_pace != "batches" else 0
    allowed = batches * provider.largest_batch + singles
    return _at_pace(runs_sql.COUNT_LATEST, run, left, at_allowed=limits.minute * left / allowed)


def _time_of_undo_left(run: BackfillRun, left: int, active: Connection | None) -> timedelta | None:
    """The same; each record is read there and then removed, one at a time, so it waits for held reads, too."""
    if not _is_moving(active, run):
        return None
    limits = get_provider(active.provider).limits
    at_allowed = limits.minute * left * 2 / (limits.per_minute * 9 // 10)
    return _at_pace(runs_sql.COUNT_LATEST_UNDONE, run, left, at_allowed=at_allowed)


def _at_pace(statement: str, run: BackfillRun, left: int, *, at_allowed: timedelta) -> timedelta:
    pace = _read(statement, run)[0]
    latest: int = pace["latest"]
    lasted: timedelta = pace["lasted"]
    return max(lasted * left / latest, at_allowed) if latest > left // 100 else at_allowed


def _undo(run: BackfillRun, counts: Mapping[str, int], active: Connection | None) -> UndoProgress | None:
    if not run.undo_by:
        return None
    left, done, refused = counts["undo_wanted"], counts["undo_done"], counts["undo_refused"]
    return UndoProgress(
        by=run.undo_by,  # type: ignore[arg-type]  # a constraint holds it to these
        total=left + done + refused,
        done=done,
        refused=refused,
        left=left,
        time_left=_time_of_undo_left(run, left, active) if left else None,
    )


def _differing(run: BackfillRun) -> tuple[Compared, ...]:
    rows = _read(runs_sql.LIST_RECORDS, run, of_undo=False, limit=MOST_LISTED)
    labels = label_records([(row["kind"], row["record_uuid"]) for row in rows])
    return tuple(
        Compared(
            kind=row["kind"],
            uuid=row["record_uuid"],
            label=labels.get((row["kind"], row["record_uuid"]), ""),
            why="Edited here since the preview" if row["is_edited"] else _difference(row),
            predicted=_money(row["predicted_total"], row["currency"]),
            actual=_money(row["actual_total"], row["currency"]),
        )
        for row in rows
    )


def _difference(row: Mapping[str, Any]) -> str:
    return "The tax differs" if row["actual_total"] == row["predicted_total"] else "The total differs"


def _refused(run: BackfillRun) -> tuple[Compared, ...]:
    rows = _read(runs_sql.LIST_RECORDS, run, of_undo=True, limit=MOST_LISTED)
    labels = label_records([(row["kind"], row["record_uuid"]) for row in rows])
    return tuple(
        compare(row["kind"], row["record_uuid"], labels, reason=row["undo_reason"], says=row["undo_says"])
        for row in rows
    )


def compare(
    kind: Kind, uuid: UUID, labels: Mapping[tuple[Kind, UUID], str], *, reason: str, says: str = ""
) -> Compared:
    """A record that isn't taken back, with the reason in words."""
    why = REASONS.get(reason, reason)
    return Compared(
        kind, uuid, labels.get((kind, uuid), ""), f"{why} “{says}”" if reason == "refused" and says else why
    )


def _money(amount: Decimal | None, currency: str) -> Money | None:
    return None if amount is None else Money(round_amount(amount, currency), currency)
