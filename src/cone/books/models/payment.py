"""Money received, and which invoices it pays."""

from typing import ClassVar

from django.db import models

from cone.books.models.record import WorkspaceRecord


class Payment(WorkspaceRecord):
    """One receipt from one customer. `allocated` is what its parts come to; the rest is the customer's credit."""

    customer = models.ForeignKey("books.Customer", on_delete=models.PROTECT, related_name="payments")
    received_date = models.DateField()
    amount = models.DecimalField(max_digits=19, decimal_places=4)
    allocated = models.DecimalField(max_digits=19, decimal_places=4, default=0)
    currency = models.CharField(max_length=3)
    # Units of the firm's currency for one of this; null: the accounting software takes its own of the day.
    exchange_rate = models.DecimalField(max_digits=17, decimal_places=10, null=True, blank=True)
    method = models.CharField(max_length=31, blank=True)
    reference = models.CharField(max_length=21, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "id"], name="payment_of_workspace"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(
                condition=models.Q(exchange_rate__isnull=True) | models.Q(exchange_rate__gt=0),
                name="payment_exchange_rate_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(allocated__gte=0) & models.Q(allocated__lte=models.F("amount")),
                name="payment_allocated_in_range",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "-received_date", "-id"], name="payment_newest_first"),
            models.Index(fields=["customer", "-received_date"], name="payment_of_customer"),
        ]


class PaymentAllocation(models.Model):
    """The part of a payment that pays one invoice."""

    workspace = models.ForeignKey("books.Workspace", on_delete=models.PROTECT, related_name="+")
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="allocations")
    invoice = models.ForeignKey("books.Invoice", on_delete=models.PROTECT, related_name="allocations")
    amount = models.DecimalField(max_digits=19, decimal_places=4)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["payment", "invoice"], name="allocation_once"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="allocation_positive"),
        ]
