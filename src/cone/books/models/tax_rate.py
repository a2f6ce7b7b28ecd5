"""The percentages a firm charges, "No tax" first of all."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from cone.books.models.record import WorkspaceRecord


class TaxRate(WorkspaceRecord):
    """A named percentage (20.0000 is 20 %). Every workspace has exactly one "No tax", and lines always name a rate."""

    name = models.CharField(max_length=100)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    is_no_tax = models.BooleanField(default=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "id"], name="tax_rate_of_workspace"),
            models.UniqueConstraint(
                fields=["workspace"], condition=models.Q(is_no_tax=True), name="tax_rate_one_no_tax"
            ),
            models.UniqueConstraint(
                "workspace", Lower("name"), condition=models.Q(archived_at__isnull=True), name="tax_rate_name_once"
            ),
            models.CheckConstraint(
                condition=models.Q(percent__gte=0) & models.Q(percent__lte=100), name="tax_rate_percent_range"
            ),
            models.CheckConstraint(
                condition=models.Q(is_no_tax=False) | models.Q(percent=0, archived_at__isnull=True),
                name="tax_rate_no_tax_is_zero",
            ),
        ]

    def __str__(self) -> str:
        return self.name
