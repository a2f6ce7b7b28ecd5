"""The dashboard: what is owed, what came in, what needs a look; a fixed number of queries."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, Sum
from django.db.models.functions import TruncMonth

from cone.books.models import Activity, Invoice, Payment, Workspace
from cone.books.queries.activity import ActivityEntry, read_entry
from cone.books.queries.invoices import CurrencyTotals, InvoiceRow, currency_totals, read_row, summarize
from cone.books.queries.statuses import unpaid_filter
from cone.domain.invoices import DisplayStatus, InvoiceStatus
from cone.kit.money import Money

MONTHS = 12
LATEST = 8


@dataclass(frozen=True, slots=True)
class MonthBar:
    """One month in the workspace's currency: what was invoiced and what was received."""

    month: date
    invoiced: Money
    received: Money


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What the first page shows. `totals` has the workspace's currency first; bars are the last twelve months."""

    totals: tuple[CurrencyTotals, ...]
    counts: dict[DisplayStatus, int]
    bars: tuple[MonthBar, ...]
    recent: tuple[InvoiceRow, ...]
    past_due: tuple[InvoiceRow, ...]
    activity: tuple[ActivityEntry, ...]

    @property
    def is_empty(self) -> bool:
        """Nothing is invoiced yet: show the first steps instead of zeros."""
        return not any(self.counts.values())


def read_dashboard(workspace: Workspace, *, today: date) -> Dashboard:
    """Return the dashboard of a workspace, in six queries."""
    invoices = Invoice.objects.filter(workspace=workspace)
    summary = summarize(invoices, today=today)
    with_customer = invoices.select_related("customer")
    recent = with_customer.order_by("-created_at", "-id")[:LATEST]
    late = with_customer.filter(unpaid_filter(), due_date__lt=today).order_by("due_date", "id")[:LATEST]
    activity = Activity.objects.filter(workspace=workspace).select_related("actor").order_by("-at", "-id")[:LATEST]
    return Dashboard(
        totals=currency_totals(summary, first=workspace.currency),
        counts={status: sum(row.count for row in summary if row.status is status) for status in DisplayStatus},
        bars=_read_bars(workspace, today),
        recent=tuple(read_row(invoice, today=today) for invoice in recent),
        past_due=tuple(read_row(invoice, today=today) for invoice in late),
        activity=tuple(read_entry(entry) for entry in activity),
    )


def _read_bars(workspace: Workspace, today: date) -> tuple[MonthBar, ...]:
    months = _months_until(today)
    mine = Q(workspace=workspace, currency=workspace.currency)
    invoiced = dict(
        Invoice.objects.filter(mine, status=InvoiceStatus.ISSUED, issue_date__gte=months[0], issue_date__lte=today)
        .order_by()
        .annotate(month=TruncMonth("issue_date"))
        .values_list("month")
        .annotate(Sum("total"))
    )
    received = dict(
        Payment.objects.filter(mine, voided_at=None, received_date__gte=months[0], received_date__lte=today)
        .order_by()
        .annotate(month=TruncMonth("received_date"))
        .values_list("month")
        .annotate(Sum("amount"))
    )
    zero = Decimal(0)
    return tuple(
        MonthBar(
            month=month,
            invoiced=Money(invoiced.get(month, zero), workspace.currency).rounded(),
            received=Money(received.get(month, zero), workspace.currency).rounded(),
        )
        for month in months
    )


def _months_until(today: date) -> list[date]:
    last = today.year * 12 + today.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(last - MONTHS + 1, last + 1)]
