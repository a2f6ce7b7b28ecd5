"""A workspace's connection to accounting software, its tokens, and what is left to revoke after it ended."""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models.functions import Now


class Connection(models.Model):
    """One connection of a workspace to one company. Ended ones are kept as history, without settings or tokens.

    `lane_epoch` fences lanes: what a former holder of the lane still wants to write is refused. `settings_revision`
    moves with every change of a mapping or account, so that a plan made under older settings can't block a record.
    """

    class State(models.TextChoices):
        CONNECTED = "connected", "Connected"
        NEEDS_RECONNECT = "needs_reconnect", "Needs reconnecting"
        READ_ONLY = "read_only", "Read only"
        DISCONNECTING = "disconnecting", "Disconnecting"
        DISCONNECTED = "disconnected", "Disconnected"

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    workspace = models.ForeignKey("books.Workspace", on_delete=models.CASCADE, related_name="connections")
    company = models.ForeignKey("books.RemoteCompany", on_delete=models.PROTECT, related_name="connections")
    # Copied from `company`, because the database must refuse a second holder of one company.
    provider = models.CharField(max_length=20)
    environment = models.CharField(max_length=20)
    company_id_remote = models.CharField(max_length=64)
    company_name = models.CharField(max_length=1024, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.CONNECTED)
    state_reason = models.CharField(max_length=500, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    generation = models.PositiveIntegerField(default=1)
    lane_epoch = models.PositiveBigIntegerField(default=0)
    settings_revision = models.PositiveBigIntegerField(default=1)
    not_before = models.DateTimeField(db_default=Now(), help_text="the platform asked to wait until then")
    # Counts refusals "for now" in a row; a success ends it. What is used up for the month holds reads, or everything.
    refresh_not_before = models.DateTimeField(db_default=Now(), help_text="when upkeep may look after it again")
    throttle_tries = models.PositiveSmallIntegerField(db_default=0)
    reads_not_before = models.DateTimeField(null=True, blank=True)
    # What was refused before a person asked last to try now says nothing of the allowance since.
    try_now_at = models.DateTimeField(null=True, blank=True)
    is_allowance_used = models.BooleanField(db_default=False, help_text="not_before is the next month's beginning")
    deposit_account_id = models.CharField(max_length=64, blank=True)
    income_account_id = models.CharField(max_length=64, blank=True)
    # Batches and single writes together are the fastest; batches alone cost fewer metered calls.
    backlog_pace = models.CharField(max_length=8, default="fast", db_default="fast")
    # What becomes there of what is voided here after it was sent.
    removal_policy = models.CharField(max_length=6, default="leave", db_default="leave")
    # Invoices issued before the connection stay here until a run asks for them: the date that was chosen last.
    send_from_date = models.DateField(null=True, blank=True)
    # What happens to a name that's taken there, who numbers invoices, which items lines post to, and whose sales tax
    # counts where the company works it out by itself.
    name_policy = models.CharField(max_length=6, default="ask")
    number_mode = models.CharField(max_length=8, default="cone")
    item_mode = models.CharField(max_length=8, default="each")
    tax_source = models.CharField(max_length=8, default="theirs")
    facts = models.JSONField(default=dict)
    # Names of ours that no item had there when the lists were read last.
    missing_items = models.JSONField(default=list, db_default=[])
    facts_read_at = models.DateTimeField(null=True, blank=True)
    connected_by = models.ForeignKey("books.User", on_delete=models.SET_NULL, null=True, related_name="+")
    connected_at = models.DateTimeField(auto_now_add=True)
    disconnected_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace"], condition=~models.Q(state="disconnected"), name="connection_one_per_workspace"
            ),
            models.UniqueConstraint(
                fields=["provider", "environment", "company_id_remote"],
                condition=~models.Q(state="disconnected"),
                name="connection_one_per_company",
            ),
            models.CheckConstraint(
                condition=models.Q(backlog_pace__in=["fast", "batches"]), name="connection_backlog_pace"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["connected", "needs_reconnect", "read_only", "disconnecting", "disconnected"]
                ),
                name="connection_state",
            ),
            models.CheckConstraint(
                condition=models.Q(removal_policy__in=["leave", "void", "delete"]), name="connection_removal_policy"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    name_policy__in=["ask", "suffix"],
                    number_mode__in=["cone", "sequence", "custom"],
                    item_mode__in=["each", "one"],
                    tax_source__in=["theirs", "ours"],
                ),
                name="connection_terms",
            ),
        ]


class ConnectionTokens(models.Model):
    """The tokens, encrypted, in a row of their own: locking the connection row would hold up invoice saves."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="tokens")
    generation = models.PositiveIntegerField(default=1)
    access_token = models.BinaryField()
    refresh_token = models.BinaryField()
    access_expires_at = models.DateTimeField()
    refresh_expires_at = models.DateTimeField()
    refreshed_at = models.DateTimeField(db_default=Now())


class Revocation(models.Model):
    """A token that must still be revoked at the provider; retried until it answers."""

    provider = models.CharField(max_length=20)
    environment = models.CharField(max_length=20)
    # Revoking one token ends the company's whole grant: a new sign-in to it calls this off.
    company_id_remote = models.CharField(max_length=64)
    token = models.BinaryField()
    tries = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())


class OAuthState(models.Model):
    """One started sign-in at the provider: bound to the person, workspace and browser session, good for one return."""

    state_sha256 = models.CharField(max_length=64, unique=True)
    workspace = models.ForeignKey("books.Workspace", on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("books.User", on_delete=models.CASCADE, related_name="+")
    session_sha256 = models.CharField(max_length=64)
    provider = models.CharField(max_length=20)
    environment = models.CharField(max_length=20)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
