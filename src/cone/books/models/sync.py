"""What must be true in the accounting software, what was tried, and which record is which there.

Keyed by workspace, provider, environment and company (one `RemoteCompany` row), so it outlives a disconnect.
The engine writes these tables with SQL of its own (`cone/accounting/sql/`): they are its hot path.
"""

from typing import ClassVar

from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower, Now

from cone.domain.kinds import WAVES

KINDS = list(WAVES)


class RemoteCompany(models.Model):
    """One company in one environment of one provider, as seen from one workspace."""

    workspace = models.ForeignKey("books.Workspace", on_delete=models.CASCADE, related_name="remote_companies")
    provider = models.CharField(max_length=20)
    environment = models.CharField(max_length=20)
    remote_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())
    # When an older copy of the books was restored; null again once a person has compared them with what stands there.
    restored_at = models.DateTimeField(null=True, blank=True)
    restored_in = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="the making of the tables that it was said of"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "provider", "environment", "remote_id"], name="remote_company_once"
            )
        ]


class Link(models.Model):
    """This record of ours is that record of theirs; and what it looked like when last sent."""

    company = models.ForeignKey(RemoteCompany, on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=10)
    record_uuid = models.UUIDField()
    remote_id = models.CharField(max_length=64)
    remote_version = models.CharField(max_length=64)
    synced_revision = models.PositiveBigIntegerField()
    # What became of it there, so that nothing is made again: "removed" by hand, as a person said; "unsure" until it's
    # read again, as a person asked.
    standing = models.CharField(max_length=7, default="live", db_default="live")
    synced_at = models.DateTimeField(db_default=Now())
    # Figures of the answer: {"number", "total", "tax", "codes", "applied"}; decimals as strings.
    answer = models.JSONField(default=dict)
    # Made there by us; false where it was found, and belongs to the firm's books.
    is_made_here = models.BooleanField(db_default=False)
    linked_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "kind", "record_uuid"], name="link_once_per_record"),
            # Two services may share one item there; nothing else may share.
            models.UniqueConstraint(
                fields=["company", "kind", "remote_id"],
                condition=~models.Q(kind="service"),
                name="link_once_per_remote_record",
            ),
            # An item was made for one of ours: that one's name and account it follows. No other link has an entry here.
            models.UniqueConstraint(
                fields=["company", "kind", "remote_id"],
                condition=models.Q(kind="service", is_made_here=True),
                name="link_made_for_one",
            ),
            models.CheckConstraint(condition=models.Q(kind__in=KINDS), name="link_kind"),
            models.CheckConstraint(
                condition=models.Q(standing__in=["live", "void", "deleted", "removed", "unsure"]), name="link_standing"
            ),
        ]
        indexes: ClassVar = [
            # Numbers and names that ours have there are known to be taken, at no request.
            models.Index(
                "company",
                KeyTextTransform("number", "answer"),
                condition=models.Q(kind="invoice"),
                name="link_by_number",
            ),
            models.Index(
                "company",
                Lower(KeyTextTransform("name", "answer")),
                condition=models.Q(kind="customer"),
                name="link_by_name",
            ),
        ]


class RemoteName(models.Model):
    """The name a record has there because its own was taken. Holds for as long as ours is `own_name`."""

    company = models.ForeignKey(RemoteCompany, on_delete=models.CASCADE, related_name="names")
    kind = models.CharField(max_length=10)
    record_uuid = models.UUIDField()
    own_name = models.CharField(max_length=500)
    remote_name = models.CharField(max_length=500)
    chosen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "kind", "record_uuid"], name="remote_name_once_per_record"),
            models.CheckConstraint(condition=models.Q(kind__in=KINDS), name="remote_name_kind"),
            models.CheckConstraint(condition=~models.Q(remote_name=""), name="remote_name_not_empty"),
        ]


class OutboxRow(models.Model):
    """This record must stand there in (at least) this revision. One row per record; deleted when it's true."""

    company = models.ForeignKey(RemoteCompany, on_delete=models.CASCADE, related_name="outbox")
    kind = models.CharField(max_length=10)
    record_uuid = models.UUIDField()
    wanted_revision = models.PositiveBigIntegerField()
    state = models.CharField(max_length=8, db_default="due")
    priority = models.PositiveSmallIntegerField(db_default=0, help_text="0 live, 10 backfill")
    wave = models.GeneratedField(
        expression=models.Case(
            *(models.When(kind=kind, then=models.Value(wave)) for kind, wave in WAVES.items()),
            output_field=models.SmallIntegerField(),
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    not_before = models.DateTimeField(db_default=Now())
    # A person issued it while connected, or asked for it by name or by a run.
    is_in_scope = models.BooleanField(db_default=False)
    # A run is being undone: {"by": "void" or "delete", "version", "revision"} as it stood there, untouched since.
    take_back = models.JSONField(null=True, blank=True)
    tries = models.PositiveIntegerField(db_default=0)
    # Why it can't be sent: a key shared by all records that one act mends, and the facts for its text.
    cause_key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001  # null: nothing is wrong
    cause = models.JSONField(null=True, blank=True)
    waits_for_kind = models.CharField(max_length=10, null=True, blank=True)  # noqa: DJ001  # null: waits for no record
    waits_for_uuid = models.UUIDField(null=True, blank=True)
    blocked_settings_revision = models.PositiveBigIntegerField(null=True, blank=True)
    requested_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "kind", "record_uuid"], name="outbox_once_per_record"),
            models.CheckConstraint(condition=models.Q(kind__in=KINDS), name="outbox_kind"),
            models.CheckConstraint(condition=models.Q(state__in=["due", "sending", "blocked"]), name="outbox_state"),
            models.CheckConstraint(
                condition=models.Q(state="blocked", cause_key__isnull=False) | ~models.Q(state="blocked"),
                name="outbox_blocked_has_cause",
            ),
        ]
        indexes: ClassVar = [
            # In the order in which they go: a look at a backlog of any size reads its first rows and no more.
            models.Index(
                fields=["company", "priority", "wave", "id"],
                condition=models.Q(state="due", waits_for_uuid__isnull=True),
                name="outbox_due_in_order",
            ),
            models.Index(fields=["company"], condition=models.Q(state="sending"), name="outbox_sending"),
            # The sweep looks for those that newer settings release, beside a backlog of any length.
            models.Index(fields=["company"], condition=models.Q(state="blocked"), name="outbox_blocked"),
            models.Index(fields=["company", "cause_key"], name="outbox_by_cause"),
            models.Index(
                fields=["waits_for_uuid"], condition=models.Q(waits_for_uuid__isnull=False), name="outbox_waiting_for"
            ),
        ]


class Batch(models.Model):
    """One request that carries many attempts. Its bytes are theirs, joined in order, so they aren't stored twice.

    An item is known there by the batch's id and its place: while one of its attempts is unknown, only the whole batch
    is repeated, never the item singly, and none of its attempts may be pruned.
    """

    company = models.ForeignKey(RemoteCompany, on_delete=models.CASCADE, related_name="batches")
    request_id = models.CharField(max_length=36)
    started_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "request_id"], name="batch_request_id_once")
        ]


class Attempt(models.Model):
    """One request that changes something there, written before its first byte leaves.

    `state` is "unknown" from then until an answer is committed; it's repeated under the same id, byte for byte.
    """

    company = models.ForeignKey(RemoteCompany, on_delete=models.CASCADE, related_name="attempts")
    connection = models.ForeignKey("books.Connection", on_delete=models.CASCADE, related_name="attempts")
    kind = models.CharField(max_length=10)
    record_uuid = models.UUIDField()
    revision = models.PositiveBigIntegerField()
    operation = models.CharField(max_length=10)
    generation = models.PositiveIntegerField()
    request_id = models.CharField(max_length=50)
    batch = models.ForeignKey(Batch, on_delete=models.RESTRICT, null=True, blank=True, related_name="attempts")
    batch_place = models.PositiveSmallIntegerField(null=True, blank=True)
    request_line = models.TextField()
    body = models.BinaryField()
    # The figures the answer must agree with; decimals as strings.
    expected = models.JSONField(null=True, blank=True)
    lane_epoch = models.PositiveBigIntegerField()
    state = models.CharField(max_length=9, db_default="unknown")
    sends = models.PositiveSmallIntegerField(db_default=1)
    verdict = models.CharField(max_length=20, blank=True, db_default="")
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    tid = models.CharField(max_length=100, blank=True, db_default="")
    message = models.CharField(max_length=2000, blank=True, db_default="")
    started_at = models.DateTimeField(db_default=Now())
    last_sent_at = models.DateTimeField(db_default=Now())
    # Since the last send it was looked for and not found, too early to count.
    looked_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "request_id"], name="attempt_request_id_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["unknown", "succeeded", "failed"]), name="attempt_state"
            ),
            models.CheckConstraint(
                condition=models.Q(batch__isnull=True, batch_place__isnull=True)
                | models.Q(batch__isnull=False, batch_place__isnull=False),
                name="attempt_batch_and_place",
            ),
            models.UniqueConstraint(fields=["batch", "batch_place"], name="attempt_place_once_per_batch"),
            # At most one open question per record.
            models.UniqueConstraint(
                fields=["company", "kind", "record_uuid"],
                condition=models.Q(state="unknown"),
                name="attempt_one_unknown_per_record",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["company", "kind", "record_uuid", "-started_at"], name="attempt_of_record"),
            # The history of a whole firm, newest first, and its pruning, oldest first.
            models.Index(fields=["company", "-started_at", "-id"], name="attempt_by_age"),
        ]
