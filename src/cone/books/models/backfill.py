"""Runs that send existing invoices: who asked for what, what was foreseen of each record, and what came of it."""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models.functions import Now

from cone.books.models.sync import KINDS

RUN_STATES = ["running", "finished", "cancelled", "undoing", "undone"]


class BackfillRun(models.Model):
    """One run over the existing invoices of a company since a date. It outlives the connection, as links do."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    company = models.ForeignKey("books.RemoteCompany", on_delete=models.CASCADE, related_name="runs")
    from_date = models.DateField()
    state = models.CharField(max_length=9, db_default="running")
    started_by = models.ForeignKey("books.User", on_delete=models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    # How it's taken back: "void" or "delete".
    undo_by = models.CharField(max_length=6, blank=True, db_default="")
    undone_by = models.ForeignKey("books.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    undo_started_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["company"],
                condition=models.Q(state__in=["running", "undoing"]),
                name="run_one_at_a_time",
            ),
            models.CheckConstraint(condition=models.Q(state__in=RUN_STATES), name="run_state"),
            models.CheckConstraint(condition=models.Q(undo_by__in=["", "void", "delete"]), name="run_undo_by"),
        ]
        indexes: ClassVar = [models.Index(fields=["company", "-started_at"], name="run_latest")]


class RunRecord(models.Model):
    """One record of a run: what was foreseen of it, what its answer said, and what undoing came to.

    `outcome` is "waiting" until it's there: "created" by the run, or "linked" to what was there; "cancelled", or
    "dropped" when nobody wants it there any more. `remote_version` is how it stood then: another one means that
    somebody touched it since.
    """

    run = models.ForeignKey(BackfillRun, on_delete=models.CASCADE, related_name="records")
    kind = models.CharField(max_length=10)
    record_uuid = models.UUIDField()
    revision = models.PositiveBigIntegerField()
    action = models.CharField(max_length=8)
    currency = models.CharField(max_length=3, blank=True)
    predicted_tax = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)
    predicted_total = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)
    outcome = models.CharField(max_length=9, db_default="waiting")
    sent_revision = models.PositiveBigIntegerField(null=True, blank=True)
    actual_tax = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)
    actual_total = models.DecimalField(max_digits=19, decimal_places=4, null=True, blank=True)
    remote_id = models.CharField(max_length=64, blank=True, db_default="")
    remote_version = models.CharField(max_length=64, blank=True, db_default="")
    undo = models.CharField(max_length=7, blank=True, db_default="")
    undo_reason = models.CharField(max_length=20, blank=True, db_default="")
    undo_says = models.CharField(max_length=500, blank=True, db_default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "kind", "record_uuid"], name="run_record_once"),
            models.CheckConstraint(condition=models.Q(kind__in=KINDS), name="run_record_kind"),
            models.CheckConstraint(
                condition=models.Q(outcome__in=["waiting", "created", "linked", "cancelled", "dropped"]),
                name="run_record_outcome",
            ),
            models.CheckConstraint(
                condition=models.Q(undo__in=["", "wanted", "done", "refused"]), name="run_record_undo"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["run"], condition=models.Q(outcome="waiting"), name="run_record_waiting"),
            models.Index(fields=["run"], condition=models.Q(undo="wanted"), name="run_record_undoing"),
            models.Index(fields=["kind", "remote_id"], condition=models.Q(undo="done"), name="run_record_undone"),
        ]
