"""Plans an undo: what would be taken back, and what speaks against the rest, as far as it's known here.

The lane looks at each record once more, there, at the moment of taking it back.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cone.accounting.causes import PATIENT
from cone.accounting.facts import facts_from_json
from cone.accounting.labels import label_records
from cone.accounting.port.documents import Kind
from cone.accounting.preview.reading import PageReader, read_now
from cone.accounting.preview.values import CurrencySum
from cone.accounting.runs.reading import MOST_LISTED, compare
from cone.accounting.runs.values import UndoBy, UndoPlan
from cone.accounting.sql import runs as runs_sql
from cone.books.models import BackfillRun, Connection
from cone.kit.money import Money, round_amount

# What was sent a moment ago leaves no trace when it's deleted; later it may be on a statement that somebody printed.
_DELETED_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One record that the run sent; an empty reason means that it would be taken back."""

    row: dict[str, Any]
    reason: str


def judge_candidates(run: BackfillRun, active: Connection) -> list[Candidate]:
    """Invoices and payments that stand there by this run, each with the first reason to keep it."""
    closed_through = facts_from_json(active.facts).books_closed_through_date
    rows = read_now(PageReader().execute(runs_sql.UNDO_CANDIDATES, {"run": run.pk})).rows
    return [Candidate(row, _reason(row, closed_through)) for row in rows if row["kind"] in ("invoice", "payment")]


def _reason(row: dict[str, Any], closed_through: date | None) -> str:
    checks = (
        ("linked", row["outcome"] == "linked"),
        ("not_there", row["version_now"] is None or row["standing"] in ("void", "deleted", "removed")),
        ("uncertain", row["is_uncertain"]),
        ("changed_here", row["revision"] != row["sent_revision"] or row["is_asked_for"]),
        ("changed_there", row["version_now"] != row["remote_version"]),
        ("paid_otherwise", row["is_paid_otherwise"]),
        ("books_closed", closed_through is not None and row["dated"] is not None and row["dated"] <= closed_through),
    )
    return next((reason for reason, speaks_against in checks if speaks_against), "")


def plan_undo(run: BackfillRun, active: Connection, *, now: datetime) -> UndoPlan:
    """Say what undoing the run would come to."""
    candidates = judge_candidates(run, active)
    kept = [each for each in candidates if each.reason]
    labels = label_records([(each.row["kind"], each.row["record_uuid"]) for each in kept[:MOST_LISTED]])
    values = {"run": run.pk, "patient": sorted(PATIENT)}
    counts = read_now(PageReader().execute(runs_sql.COUNT_RECORDS, values)).rows[0]
    made = read_now(PageReader().execute(runs_sql.COUNT_LEFT_THERE, values)).rows[0]
    is_fresh = now - run.started_at < _DELETED_WITHIN
    return UndoPlan(
        take_back_count=len(candidates) - len(kept),
        sums=_sums(candidates),
        kept=tuple(
            compare(each.row["kind"], each.row["record_uuid"], labels, reason=each.reason)
            for each in kept[:MOST_LISTED]
        ),
        kept_count=len(kept),
        waiting_count=counts["total"] - counts["done"],
        customers_made=made["customers"],
        services_made=made["services"],
        suggested=suggest_undo_by(is_fresh=is_fresh),
    )


def suggest_undo_by(*, is_fresh: bool) -> UndoBy:
    """Delete what was made within a day, void what is older."""
    return "delete" if is_fresh else "void"


def _sums(candidates: list[Candidate]) -> tuple[CurrencySum, ...]:
    """What would be taken back, of each kind and currency: invoices first."""
    amounts: dict[tuple[Kind, str], list[Money]] = defaultdict(list)
    for each in candidates:
        if not each.reason and each.row["actual_total"] is not None:
            currency = each.row["currency"]
            money = Money(round_amount(each.row["actual_total"], currency), currency)
            amounts[each.row["kind"], currency].append(money)
    return tuple(
        CurrencySum(len(each), Money.zero(currency), sum(each, start=Money.zero(currency)), kind)
        for (kind, currency), each in sorted(amounts.items())
    )
