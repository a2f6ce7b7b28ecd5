"""What we know of the connected company's own lists, and the firm's choices among them. Removed by Disconnect."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class ReferenceRecord(models.Model):
    """A cached account, tax code or payment method of the company; `detail` is the port's value as JSON."""

    connection = models.ForeignKey("books.Connection", on_delete=models.CASCADE, related_name="reference")
    kind = models.CharField(max_length=20)
    remote_id = models.CharField(max_length=64)
    name = models.CharField(max_length=1024)
    is_active = models.BooleanField(default=True)
    detail = models.JSONField(default=dict)
    read_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "kind", "remote_id"], name="reference_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["account", "item", "payment_method", "tax_code"]), name="reference_kind"
            ),
        ]


class ServiceAccount(models.Model):
    """The firm's choice: lines of this service post to that income account instead of the usual one."""

    connection = models.ForeignKey("books.Connection", on_delete=models.CASCADE, related_name="service_accounts")
    service = models.ForeignKey("books.Service", on_delete=models.CASCADE, related_name="+")
    remote_id = models.CharField(max_length=64)
    remote_name = models.CharField(max_length=1024)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "service"], name="service_account_once"),
            models.CheckConstraint(condition=~models.Q(remote_id=""), name="service_account_has_account"),
        ]


class TaxMapping(models.Model):
    """The firm's choice: this Cone rate is that tax code. Name and percentage are kept as they were when chosen."""

    connection = models.ForeignKey("books.Connection", on_delete=models.CASCADE, related_name="tax_mappings")
    tax_rate = models.ForeignKey("books.TaxRate", on_delete=models.CASCADE, related_name="+")
    remote_id = models.CharField(max_length=64)
    remote_name = models.CharField(max_length=1024)
    remote_percent = models.DecimalField(max_digits=9, decimal_places=4, null=True, blank=True)
    saved_by = models.ForeignKey("books.User", on_delete=models.SET_NULL, null=True, related_name="+")
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "tax_rate"], name="tax_mapping_once"),
            models.CheckConstraint(condition=~models.Q(remote_id=""), name="tax_mapping_has_code"),
        ]
