"""What the firm sells."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from cone.books.models.record import WorkspaceRecord


class Service(WorkspaceRecord):
    """A service with its usual price (in the workspace's currency, net or gross as the invoice says) and rate."""

    name = models.CharField(max_length=100)
    description = models.CharField(max_length=4000, blank=True)
    unit_price = models.DecimalField(max_digits=17, decimal_places=6, default=0)
    tax_rate = models.ForeignKey("books.TaxRate", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "id"], name="service_of_workspace"),
            models.UniqueConstraint(
                "workspace", Lower("name"), condition=models.Q(archived_at__isnull=True), name="service_name_once"
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="service_has_name"),
            models.CheckConstraint(condition=models.Q(unit_price__gte=0), name="service_price_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name
