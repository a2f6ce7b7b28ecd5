"""A firm, the people in it, and its gap-free counters."""

from typing import ClassVar
from uuid import uuid4

from django.db import models


class Role(models.TextChoices):
    """What a member may do: owners everything, billers invoicing, bookkeepers read."""

    OWNER = "owner", "Owner"
    BILLER = "biller", "Biller"
    BOOKKEEPER = "bookkeeper", "Bookkeeper (read only)"


class Workspace(models.Model):
    """One firm and its books. Nothing in it is visible from another."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2")
    currency = models.CharField(max_length=3, help_text="ISO 4217")
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=30, blank=True)
    tax_number = models.CharField(max_length=30, blank=True)
    address_line1 = models.CharField(max_length=200, blank=True)
    address_line2 = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=30, blank=True)
    invoice_prefix = models.CharField(max_length=10, default="INV-", blank=True)
    payment_terms_days = models.PositiveSmallIntegerField(default=30)
    amounts_are = models.CharField(max_length=9, default="exclusive")
    revision = models.PositiveBigIntegerField(default=1, db_default=1, help_text="grows with every change of the above")
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(country__regex=r"^[A-Z]{2}$"), name="workspace_country_iso"),
            models.CheckConstraint(condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="workspace_currency_iso"),
            models.CheckConstraint(
                condition=models.Q(amounts_are__in=["exclusive", "inclusive"]), name="workspace_amounts_are"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's place in a firm."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey("books.User", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role"),
        ]


class Invitation(models.Model):
    """An open offer to join, redeemed by a secret link of which only the hash is kept."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices)
    token_sha256 = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey("books.User", on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role"),
            models.UniqueConstraint(
                fields=["workspace", "email"],
                condition=models.Q(accepted_at__isnull=True),
                name="invitation_open_once",
            ),
        ]


class Counter(models.Model):
    """A gap-free sequence: its row is locked and moved in the transaction that uses the number."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=30)
    next_value = models.PositiveBigIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "name"], name="counter_once")]
