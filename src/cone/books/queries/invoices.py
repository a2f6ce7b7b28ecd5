"""The list of invoices: tabs with counts, totals per currency, search; two queries whatever its size."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from cone.books.models import Invoice, Workspace
from cone.books.queries.paging import Page, clean_search, cut_page
from cone.books.queries.statuses import read_facts, status_expression, status_filters
from cone.domain.invoices import DisplayStatus, display_status
from cone.domain.numbering import shown_number
from cone.kit.money import Money


class Tab(StrEnum):
    """A tab of the list: all, or one display status. "open" shows what is owed and not yet due, sent or not."""

    ALL = "all"
    DRAFT = "draft"
    OPEN = "open"
    PAST_DUE = "past_due"
    PAID = "paid"
    VOID = "void"
    WRITTEN_OFF = "written_off"


_STATUSES: dict[Tab, frozenset[DisplayStatus]] = {
    Tab.ALL: frozenset(DisplayStatus),
    Tab.DRAFT: frozenset({DisplayStatus.DRAFT}),
    Tab.OPEN: frozenset({DisplayStatus.OPEN, DisplayStatus.SENT}),
    Tab.PAST_DUE: frozenset({DisplayStatus.PAST_DUE}),
    Tab.PAID: frozenset({DisplayStatus.PAID}),
    Tab.VOID: frozenset({DisplayStatus.VOID}),
    Tab.WRITTEN_OFF: frozenset({DisplayStatus.WRITTEN_OFF}),
}
_OWED = frozenset({DisplayStatus.OPEN, DisplayStatus.SENT, DisplayStatus.PAST_DUE})


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice in a list. `number` is empty for a draft."""

    uuid: UUID
    number: str
    shown_number: str
    status: DisplayStatus
    customer_uuid: UUID
    customer_name: str
    issue_date: date
    due_date: date
    total: Money
    balance: Money
    revision: int


@dataclass(frozen=True, slots=True)
class TabCount:
    """A tab and how many invoices it holds under the present search."""

    tab: Tab
    count: int


@dataclass(frozen=True, slots=True)
class CurrencyTotals:
    """What is owed, what of it is past due, and what is paid, in one currency."""

    currency: str
    outstanding: Money
    overdue: Money
    paid: Money


@dataclass(frozen=True, slots=True)
class InvoiceList:
    """A page of invoices under one tab, with the counts and totals of the whole search."""

    tab: Tab
    search: str
    page: Page[InvoiceRow]
    tabs: tuple[TabCount, ...]
    totals: tuple[CurrencyTotals, ...]


@dataclass(frozen=True, slots=True)
class StatusTotal:
    """Count and sums of the invoices of one status and currency."""

    status: DisplayStatus
    currency: str
    count: int
    total: Decimal
    paid: Decimal


def list_invoices(
    workspace: Workspace, *, tab: Tab = Tab.ALL, search: str = "", page: int = 1, today: date
) -> InvoiceList:
    """Return a page of invoices, newest first. `search` looks at numbers, memos, customers' names and addresses."""
    searched = _search(Invoice.objects.filter(workspace=workspace), clean_search(search))
    summary = summarize(searched, today=today)
    tabs = tuple(TabCount(entry, sum(row.count for row in summary if row.status in _STATUSES[entry])) for entry in Tab)
    count = next(entry.count for entry in tabs if entry.tab is tab)
    return InvoiceList(
        tab=tab,
        search=clean_search(search),
        page=cut_page(count, page, lambda part: _read_rows(searched, tab, part, today)),
        tabs=tabs,
        totals=currency_totals(summary, first=workspace.currency),
    )


def summarize(invoices: QuerySet[Invoice], *, today: date) -> tuple[StatusTotal, ...]:
    """Count and add up invoices by status and currency, in one query."""
    groups = (
        invoices.order_by()
        .annotate(shown=status_expression(today))
        .values_list("shown", "currency")
        .annotate(Count("id"), Sum("total"), Sum("paid"))
    )
    return tuple(
        StatusTotal(DisplayStatus(shown), currency, count, total, paid)
        for shown, currency, count, total, paid in groups
    )


def currency_totals(summary: tuple[StatusTotal, ...], *, first: str) -> tuple[CurrencyTotals, ...]:
    """Add up by currency: `first` always and foremost, then the others by code."""
    currencies = sorted({row.currency for row in summary} | {first}, key=lambda code: (code != first, code))
    return tuple(_totals_of(currency, summary) for currency in currencies)


def _totals_of(currency: str, summary: tuple[StatusTotal, ...]) -> CurrencyTotals:
    rows = [row for row in summary if row.currency == currency]
    owed = {row.status: row.total - row.paid for row in rows if row.status in _OWED}
    settled = sum((row.paid for row in rows if row.status is not DisplayStatus.VOID), start=Decimal(0))
    return CurrencyTotals(
        currency=currency,
        outstanding=Money(sum(owed.values(), start=Decimal(0)), currency).rounded(),
        overdue=Money(owed.get(DisplayStatus.PAST_DUE, Decimal(0)), currency).rounded(),
        paid=Money(settled, currency).rounded(),
    )


def read_row(invoice: Invoice, *, today: date) -> InvoiceRow:
    """Return an invoice, its customer at hand, as a row."""
    return InvoiceRow(
        uuid=invoice.uuid,
        number=invoice.number or "",
        shown_number=shown_number(invoice.number, status=invoice.status),
        status=display_status(read_facts(invoice), today=today),
        customer_uuid=invoice.customer.uuid,
        customer_name=invoice.customer.name,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        total=Money(invoice.total, invoice.currency).rounded(),
        balance=Money(invoice.total - invoice.paid, invoice.currency).rounded(),
        revision=invoice.revision,
    )


def _search(invoices: QuerySet[Invoice], search: str) -> QuerySet[Invoice]:
    if not search:
        return invoices
    return invoices.filter(
        Q(number__icontains=search)
        | Q(memo__icontains=search)
        | Q(customer__name__icontains=search)
        | Q(customer__email__icontains=search)
    )


def _read_rows(searched: QuerySet[Invoice], tab: Tab, part: slice, today: date) -> tuple[InvoiceRow, ...]:
    condition = Q()
    if tab is not Tab.ALL:
        filters = status_filters(today)
        for status in sorted(_STATUSES[tab]):
            condition |= filters[status]
    found = searched.filter(condition).select_related("customer").order_by("-issue_date", "-id")[part]
    return tuple(read_row(invoice, today=today) for invoice in found)
