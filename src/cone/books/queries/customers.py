"""Customers: the list with what each owes, one with its invoices and payments, and choices for a form."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum

from cone.books.models import Customer, Invoice, Payment, Workspace
from cone.books.queries.invoices import CurrencyTotals, InvoiceRow, currency_totals, read_row, summarize
from cone.books.queries.paging import Page, clean_search, cut_page
from cone.books.queries.payments import PaymentRow, read_credit, read_payment_row
from cone.books.queries.statuses import unpaid_filter
from cone.domain.errors import RecordNotFoundError
from cone.kit.money import Money

LATEST = 50


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer in a list."""

    uuid: UUID
    name: str
    email: str
    city: str
    currency: str
    invoice_count: int
    outstanding: Money
    is_archived: bool
    revision: int


@dataclass(frozen=True, slots=True)
class CustomerView:
    """A customer, its totals, and its latest invoices and payments (50 of each)."""

    uuid: UUID
    revision: int
    name: str
    email: str
    phone: str
    tax_number: str
    address_line1: str
    address_line2: str
    city: str
    region: str
    postal_code: str
    country: str
    currency: str
    notes: str
    is_archived: bool
    is_currency_fixed: bool
    invoice_count: int
    totals: CurrencyTotals
    credit: Money
    invoices: tuple[InvoiceRow, ...]
    payments: tuple[PaymentRow, ...]


@dataclass(frozen=True, slots=True)
class CustomerOption:
    """A customer to choose in a form."""

    uuid: UUID
    name: str
    email: str
    currency: str


def list_customers(
    workspace: Workspace, *, search: str = "", page: int = 1, show_archived: bool = False
) -> Page[CustomerRow]:
    """Return a page of customers by name, in three queries; `show_archived` shows only the archived ones."""
    found = _search(Customer.objects.filter(workspace=workspace, archived_at__isnull=not show_archived), search)
    return cut_page(found.count(), page, lambda part: _read_rows(found, part))


def get_customer(workspace: Workspace, uuid: UUID, *, today: date) -> CustomerView:
    """Return a customer of the workspace, in five queries.

    Raises: RecordNotFoundError.
    """
    customer = Customer.objects.filter(workspace=workspace, uuid=uuid).first()
    if customer is None:
        raise RecordNotFoundError
    invoices = Invoice.objects.filter(customer=customer)
    summary = summarize(invoices, today=today)
    latest = invoices.select_related("customer").order_by("-issue_date", "-id")[:LATEST]
    payments = Payment.objects.filter(customer=customer).select_related("customer").order_by("-received_date", "-id")
    invoice_count = sum(row.count for row in summary)
    return CustomerView(
        uuid=customer.uuid,
        revision=customer.revision,
        name=customer.name,
        email=customer.email,
        phone=customer.phone,
        tax_number=customer.tax_number,
        address_line1=customer.address_line1,
        address_line2=customer.address_line2,
        city=customer.city,
        region=customer.region,
        postal_code=customer.postal_code,
        country=customer.country,
        currency=customer.currency,
        notes=customer.notes,
        is_archived=customer.archived_at is not None,
        is_currency_fixed=invoice_count > 0,
        invoice_count=invoice_count,
        credit=read_credit(customer),
        totals=currency_totals(summary, first=customer.currency)[0],
        invoices=tuple(read_row(invoice, today=today) for invoice in latest),
        payments=tuple(read_payment_row(payment) for payment in payments[:LATEST]),
    )


def list_customer_options(workspace: Workspace, *, search: str = "", limit: int = 1000) -> tuple[CustomerOption, ...]:
    """Return active customers to choose from, by name."""
    found = _search(Customer.objects.filter(workspace=workspace, archived_at=None), search).order_by("name", "id")
    return tuple(CustomerOption(*values) for values in found.values_list("uuid", "name", "email", "currency")[:limit])


def _search(customers: QuerySet[Customer], search: str) -> QuerySet[Customer]:
    wanted = clean_search(search)
    if not wanted:
        return customers
    return customers.filter(
        Q(name__icontains=wanted)
        | Q(email__icontains=wanted)
        | Q(phone__icontains=wanted)
        | Q(tax_number__icontains=wanted)
        | Q(city__icontains=wanted)
        | Q(postal_code__icontains=wanted)
    )


def _read_rows(found: QuerySet[Customer], part: slice) -> tuple[CustomerRow, ...]:
    customers = list(found.order_by("name", "id")[part])
    groups = (
        Invoice.objects.filter(customer__in=[customer.pk for customer in customers])
        .order_by()
        .values("customer_id")
        .annotate(invoices=Count("id"), owed=Sum(F("total") - F("paid"), filter=unpaid_filter(), default=Decimal(0)))
    )
    sums = {group["customer_id"]: (group["invoices"], group["owed"]) for group in groups}
    return tuple(_read_row(customer, *sums.get(customer.pk, (0, Decimal(0)))) for customer in customers)


def _read_row(customer: Customer, invoice_count: int, owed: Decimal) -> CustomerRow:
    return CustomerRow(
        uuid=customer.uuid,
        name=customer.name,
        email=customer.email,
        city=customer.city,
        currency=customer.currency,
        invoice_count=invoice_count,
        outstanding=Money(owed, customer.currency).rounded(),
        is_archived=customer.archived_at is not None,
        revision=customer.revision,
    )
