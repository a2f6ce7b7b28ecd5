"""Whom the firm invoices."""

from typing import ClassVar

from django.db import models

from cone.books.models.record import WorkspaceRecord


class Customer(WorkspaceRecord):
    """A business or a person. Its currency is fixed once it has an invoice."""

    name = models.CharField(max_length=500)
    email = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    tax_number = models.CharField(max_length=30, blank=True)
    address_line1 = models.CharField(max_length=500, blank=True)
    address_line2 = models.CharField(max_length=500, blank=True)
    city = models.CharField(max_length=255, blank=True)
    region = models.CharField(max_length=255, blank=True)
    postal_code = models.CharField(max_length=30, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2")
    currency = models.CharField(max_length=3, help_text="ISO 4217")
    notes = models.CharField(max_length=2000, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            # The target of the composite foreign keys that keep tenants apart.
            models.UniqueConstraint(fields=["workspace", "id"], name="customer_of_workspace"),
            models.CheckConstraint(condition=~models.Q(name=""), name="customer_has_name"),
            models.CheckConstraint(condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="customer_currency_iso"),
        ]
        indexes: ClassVar = [models.Index(fields=["workspace", "name"], name="customer_by_name")]

    def __str__(self) -> str:
        return self.name
