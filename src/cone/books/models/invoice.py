"""Invoices, their lines, and their tax per rate: the figures as they were made, never recomputed by readers."""

from typing import ClassVar

from django.db import models

from cone.books.models.record import WorkspaceRecord
from cone.domain.numbering import shown_number


class Invoice(WorkspaceRecord):
    """draft → issued → void. "Sent", "past due", "paid" and "written off" are read from the dates and payments."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ISSUED = "issued", "Issued"
        VOID = "void", "Void"

    customer = models.ForeignKey("books.Customer", on_delete=models.PROTECT, related_name="invoices")
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.DRAFT)
    number = models.CharField(max_length=21, null=True, blank=True)  # noqa: DJ001  # null: no number yet; unique where set
    issue_date = models.DateField()
    due_date = models.DateField()
    currency = models.CharField(max_length=3)
    amounts_are = models.CharField(max_length=9, default="exclusive")
    # Units of the firm's currency for one of this; null: the accounting software takes its own of the day.
    exchange_rate = models.DecimalField(max_digits=17, decimal_places=10, null=True, blank=True)
    memo = models.CharField(max_length=1000, blank=True)
    net = models.DecimalField(max_digits=19, decimal_places=4, default=0)
    tax = models.DecimalField(max_digits=19, decimal_places=4, default=0)
    total = models.DecimalField(max_digits=19, decimal_places=4, default=0)
    # A discount on the whole invoice, before tax, on the basis of its prices; the lines' amounts are less their parts.
    discount_percent = models.DecimalField(max_digits=7, decimal_places=4, default=0, db_default=0)
    discount = models.DecimalField(max_digits=19, decimal_places=4, default=0, db_default=0)
    paid = models.DecimalField(max_digits=19, decimal_places=4, default=0)
    issued_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    written_off_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "id"], name="invoice_of_workspace"),
            models.UniqueConstraint(
                fields=["workspace", "number"], condition=models.Q(number__isnull=False), name="invoice_number_once"
            ),
            models.CheckConstraint(
                condition=models.Q(status="draft", number__isnull=True, issued_at__isnull=True)
                | models.Q(status__in=["issued", "void"], issued_at__isnull=False),
                name="invoice_draft_has_no_number",
            ),
            models.CheckConstraint(condition=~models.Q(number=""), name="invoice_number_not_empty"),
            models.CheckConstraint(
                condition=models.Q(status="void", voided_at__isnull=False)
                | (~models.Q(status="void") & models.Q(voided_at__isnull=True)),
                name="invoice_void_has_date",
            ),
            models.CheckConstraint(
                condition=models.Q(total=models.F("net") + models.F("tax")), name="invoice_total_is_net_plus_tax"
            ),
            models.CheckConstraint(condition=models.Q(total__gte=0), name="invoice_total_not_negative"),
            models.CheckConstraint(
                condition=models.Q(paid__gte=0) & models.Q(paid__lte=models.F("total")), name="invoice_paid_in_range"
            ),
            models.CheckConstraint(
                condition=models.Q(discount__gte=0, discount_percent__gte=0, discount_percent__lte=100),
                name="invoice_discount_range",
            ),
            models.CheckConstraint(
                condition=models.Q(exchange_rate__isnull=True) | models.Q(exchange_rate__gt=0),
                name="invoice_exchange_rate_positive",
            ),
            models.CheckConstraint(condition=models.Q(due_date__gte=models.F("issue_date")), name="invoice_due_later"),
            models.CheckConstraint(
                condition=models.Q(amounts_are__in=["exclusive", "inclusive"]), name="invoice_amounts_are"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "-issue_date", "-id"], name="invoice_newest_first"),
            models.Index(fields=["workspace", "status", "due_date"], name="invoice_by_status"),
            models.Index(fields=["customer", "-issue_date"], name="invoice_of_customer"),
            models.Index(fields=["workspace", "-created_at", "-id"], name="invoice_latest_made"),
        ]

    def __str__(self) -> str:
        return shown_number(self.number, status=self.status)


class InvoiceLine(models.Model):
    """One line. `amount` is on the invoice's basis (gross when inclusive), `net` without tax, both rounded."""

    workspace = models.ForeignKey("books.Workspace", on_delete=models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    service = models.ForeignKey("books.Service", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    description = models.CharField(max_length=4000, blank=True)
    quantity = models.DecimalField(max_digits=15, decimal_places=6)
    unit_price = models.DecimalField(max_digits=17, decimal_places=6)
    discount_percent = models.DecimalField(max_digits=7, decimal_places=4, default=0)
    tax_rate = models.ForeignKey("books.TaxRate", on_delete=models.PROTECT, related_name="+")
    tax_percent = models.DecimalField(max_digits=7, decimal_places=4)
    amount = models.DecimalField(max_digits=19, decimal_places=4)
    net = models.DecimalField(max_digits=19, decimal_places=4)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["invoice", "position"], name="invoice_line_position", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="invoice_line_quantity_positive"),
            models.CheckConstraint(condition=models.Q(unit_price__gte=0), name="invoice_line_price_not_negative"),
            models.CheckConstraint(
                condition=models.Q(discount_percent__gte=0) & models.Q(discount_percent__lte=100),
                name="invoice_line_discount_range",
            ),
        ]


class InvoiceTax(models.Model):
    """An invoice's tax under one rate."""

    workspace = models.ForeignKey("books.Workspace", on_delete=models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="taxes")
    tax_rate = models.ForeignKey("books.TaxRate", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    net = models.DecimalField(max_digits=19, decimal_places=4)
    tax = models.DecimalField(max_digits=19, decimal_places=4)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["invoice", "tax_rate"], name="invoice_tax_once")]
