"""Lists and pages: what they show, and as many queries for three records as for one."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cone.books.models import Customer, Invoice, Workspace
from cone.books.queries.activity import list_activity
from cone.books.queries.customers import get_customer, list_customer_options, list_customers
from cone.books.queries.dashboard import read_dashboard
from cone.books.queries.invoice import LineView, TaxView, get_invoice
from cone.books.queries.invoices import CurrencyTotals, Tab, list_invoices
from cone.books.queries.paging import Page, clean_search, cut_page
from cone.books.queries.payments import list_payments
from cone.books.queries.services import list_service_options, list_services
from cone.books.queries.statuses import read_facts, status_expression, status_filters
from cone.books.queries.tax_rates import list_tax_rates
from cone.books.queries.team import list_team
from cone.domain.customers import CustomerInput
from cone.domain.errors import RecordNotFoundError
from cone.domain.invoices import DisplayStatus, Verb, display_status
from cone.domain.permissions import Role
from cone.domain.totals import AmountsAre
from cone.kit.money import Money
from cone.operations.actor import Actor
from cone.operations.archive_customer import archive_customer
from cone.operations.archive_tax_rate import archive_tax_rate
from cone.operations.invite_member import invite_member
from cone.operations.mark_invoice_sent import mark_invoice_sent
from cone.operations.void_invoice import void_invoice
from tests.builders import (
    get_no_tax,
    get_tax_rate,
    make_customer,
    make_invoice,
    make_line,
    make_member,
    make_owner,
    make_payment,
    make_service,
    make_tax_rate,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)


def pounds(amount: str) -> Money:
    return Money(Decimal(amount), "GBP")


READERS: dict[str, Callable[[Workspace, Invoice], object]] = {
    "dashboard": lambda workspace, _: read_dashboard(workspace, today=TODAY),
    "customers": lambda workspace, _: list_customers(workspace),
    "customers searched": lambda workspace, _: list_customers(workspace, search="a"),
    "customer": lambda workspace, invoice: get_customer(workspace, invoice.customer.uuid, today=TODAY),
    "customer options": lambda workspace, _: list_customer_options(workspace),
    "invoices": lambda workspace, _: list_invoices(workspace, today=TODAY),
    "invoices searched": lambda workspace, _: list_invoices(workspace, tab=Tab.OPEN, search="a", today=TODAY),
    "invoice": lambda workspace, invoice: get_invoice(workspace, invoice.uuid, today=TODAY),
    "payments": lambda workspace, _: list_payments(workspace),
    "services": lambda workspace, _: list_services(workspace),
    "service options": lambda workspace, _: list_service_options(workspace),
    "tax rates": lambda workspace, _: list_tax_rates(workspace, show_archived=True),
    "team": lambda workspace, _: list_team(workspace, now=timezone.now()),
    "activity": lambda workspace, invoice: list_activity(workspace, "invoice", invoice.uuid),
}
MOST_QUERIES = {
    "dashboard": 6,
    "customers": 3,
    "customers searched": 3,
    "customer": 5,
    "customer options": 1,
    "invoices": 2,
    "invoices searched": 2,
    "invoice": 4,
    "payments": 2,
    "services": 2,
    "service options": 1,
    "tax rates": 1,
    "team": 2,
    "activity": 1,
}


def add_one_of_each(owner: Actor) -> Invoice:
    customer = make_customer(owner)
    line = make_line(make_tax_rate(owner), service=make_service(owner))
    invoice = make_invoice(owner, customer, lines=[line, line], is_issued=True, issue_date=TODAY)
    make_payment(owner, invoice, "1.00")
    make_invoice(owner, customer, is_issued=True, issue_date=TODAY - timedelta(days=60))
    make_member(owner.workspace, Role.BILLER)
    invite_member(owner, email=f"{uuid4()}@example.com", role=Role.BILLER)
    return invoice


def test_readers_take_as_many_queries_for_three_as_for_one() -> None:
    owner = make_owner()
    counts: list[dict[str, int]] = []
    for more in (1, 2):
        invoices = [add_one_of_each(owner) for _ in range(more)]
        invoice = Invoice.objects.select_related("customer").get(pk=invoices[-1].pk)
        counts.append({})
        for name, read in READERS.items():
            with CaptureQueriesContext(connection) as queries:
                assert read(owner.workspace, invoice)
            counts[-1][name] = len(queries)
    assert counts[0] == counts[1] == MOST_QUERIES


def test_status_in_sql_and_in_rules_are_the_same_in_every_combination() -> None:
    owner = make_owner()
    customer = make_customer(owner)
    yesterday, now = TODAY - timedelta(days=1), timezone.now()
    combinations = product(
        ("draft", "issued", "void"), (yesterday, TODAY), (0, 100), (0, 40, 100), (None, now), (None, now)
    )
    Invoice.objects.bulk_create(
        Invoice(
            workspace=owner.workspace,
            customer=customer,
            status=status,
            issue_date=yesterday,
            due_date=due,
            currency="GBP",
            net=total,
            total=total,
            paid=paid,
            issued_at=None if status == "draft" else now,
            voided_at=now if status == "void" else None,
            sent_at=sent,
            written_off_at=written_off,
        )
        for status, due, total, paid, sent, written_off in combinations
        if paid <= total
    )

    invoices = list(Invoice.objects.annotate(shown=status_expression(TODAY)))

    assert len(invoices) == 3 * 2 * 4 * 2 * 2
    seen = {invoice.pk: display_status(read_facts(invoice), today=TODAY) for invoice in invoices}
    assert {invoice.pk: DisplayStatus(invoice.shown) for invoice in invoices} == seen
    for status, condition in status_filters(TODAY).items():
        met = set(Invoice.objects.filter(condition).values_list("pk", flat=True))
        assert met == {pk for pk, shown in seen.items() if shown is status}
        assert met


def test_list_invoices_counts_tabs_and_adds_up_by_currency() -> None:
    owner = make_owner()
    british = make_customer(owner, "Ashdown Timber")
    french = make_customer(owner, typed=CustomerInput(name="Brûlé", currency="EUR"), name="Brûlé")
    make_invoice(owner, british)
    sent = make_invoice(owner, british, is_issued=True, issue_date=TODAY)
    mark_invoice_sent(owner, sent.uuid)
    late = make_invoice(owner, british, is_issued=True, issue_date=date(2026, 1, 1))
    make_payment(owner, late, "20.00")
    make_payment(owner, make_invoice(owner, french, is_issued=True, issue_date=TODAY))
    void_invoice(owner, make_invoice(owner, french, is_issued=True, issue_date=TODAY).uuid)

    everything = list_invoices(owner.workspace, today=TODAY)

    assert {entry.tab.value: entry.count for entry in everything.tabs} == {
        "all": 5,
        "draft": 1,
        "open": 1,
        "past_due": 1,
        "paid": 1,
        "void": 1,
        "written_off": 0,
    }
    assert everything.totals == (
        CurrencyTotals("GBP", outstanding=pounds("220.00"), overdue=pounds("100.00"), paid=pounds("20.00")),
        CurrencyTotals(
            "EUR",
            outstanding=Money(Decimal("0.00"), "EUR"),
            overdue=Money(Decimal("0.00"), "EUR"),
            paid=Money(Decimal("120.00"), "EUR"),
        ),
    )
    past_due = list_invoices(owner.workspace, tab=Tab.PAST_DUE, today=TODAY)
    (row,) = past_due.page.items
    assert (row.uuid, row.number, row.status, row.customer_name, row.total, row.balance) == (
        late.uuid,
        "INV-0002",
        DisplayStatus.PAST_DUE,
        "Ashdown Timber",
        pounds("120.00"),
        pounds("100.00"),
    )
    assert past_due.tabs == everything.tabs


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ashdown", 2),
        (" INV-0001 ", 1),
        ("inv-", 2),
        ("books@example.com", 3),
        ("%", 1),
        ("_", 0),
        ("'; drop table books_invoice; --", 0),
        ("a\x00shdown", 2),
        ("x" * 1_000_000, 0),
        ("100%", 1),
        ("\\", 0),
    ],
)
def test_list_invoices_search_takes_every_character_for_itself(search: str, found: int) -> None:
    owner = make_owner()
    ashdown = make_customer(owner, "Ashdown Timber")
    for _ in range(2):
        make_invoice(owner, ashdown, is_issued=True)
    make_invoice(owner, make_customer(owner, "100% Wool"))

    listed = list_invoices(owner.workspace, search=search, today=TODAY)

    assert (listed.page.total_count, len(listed.page.items), listed.tabs[0].count) == (found,) * 3


def test_list_invoices_pages_newest_first_and_beyond_the_end_shows_the_last() -> None:
    owner = make_owner()
    customer = make_customer(owner)
    Invoice.objects.bulk_create(
        Invoice(
            workspace=owner.workspace,
            customer=customer,
            issue_date=TODAY - timedelta(days=position // 3),
            due_date=TODAY,
            currency="GBP",
        )
        for position in range(101)
    )

    pages = [list_invoices(owner.workspace, page=number, today=TODAY).page for number in (1, 2, 3, 99, -5)]

    assert [(page.number, len(page.items), page.has_previous, page.has_next) for page in pages] == [
        (1, 50, False, True),
        (2, 50, True, True),
        (3, 1, True, False),
        (3, 1, True, False),
        (1, 50, False, True),
    ]
    assert (pages[1].first_position, pages[1].last_position, pages[2].last_position) == (51, 100, 101)
    rows = [row for page in pages[:3] for row in page.items]
    assert len({row.uuid for row in rows}) == 101
    assert [row.issue_date for row in rows] == sorted((row.issue_date for row in rows), reverse=True)


def test_list_customers_shows_what_each_owes_and_hides_archived_ones() -> None:
    owner = make_owner()
    first, second, archived = (make_customer(owner, name) for name in ("Ashdown", "Beacon", "Calder"))
    make_invoice(owner, first, is_issued=True)
    make_invoice(owner, first)
    make_payment(owner, make_invoice(owner, first, is_issued=True), "50.00")
    archive_customer(owner, archived.uuid)

    rows = list_customers(owner.workspace).items

    assert [(row.uuid, row.invoice_count, row.outstanding) for row in rows] == [
        (first.uuid, 3, pounds("190.00")),
        (second.uuid, 0, pounds("0.00")),
    ]
    assert [row.name for row in list_customers(owner.workspace, show_archived=True).items] == ["Calder"]
    assert [option.name for option in list_customer_options(owner.workspace)] == ["Ashdown", "Beacon"]
    assert [option.name for option in list_customer_options(owner.workspace, search="BEA")] == ["Beacon"]


def test_get_customer_shows_its_totals_invoices_and_payments() -> None:
    owner = make_owner()
    customer = make_customer(owner)
    assert not get_customer(owner.workspace, customer.uuid, today=TODAY).is_currency_fixed
    invoice = make_invoice(owner, customer, is_issued=True, issue_date=date(2026, 1, 1))
    make_payment(owner, invoice, "20.00")

    view = get_customer(owner.workspace, customer.uuid, today=TODAY)

    assert (view.is_currency_fixed, view.invoice_count) == (True, 1)
    assert view.totals == CurrencyTotals("GBP", pounds("100.00"), pounds("100.00"), pounds("20.00"))
    assert [row.number for row in view.invoices] == ["INV-0001"]
    assert [row.amount for row in view.payments] == [pounds("20.00")]


def test_get_invoice_shows_lines_taxes_and_what_may_be_done() -> None:
    owner = make_owner()
    vat, no_tax, service = (
        get_tax_rate(owner.workspace),
        get_no_tax(owner.workspace),
        make_service(owner, "Advice hour"),
    )
    lines = [make_line(vat, quantity="2.5", unit_price="12", discount="10", service=service), make_line(no_tax)]
    invoice = make_invoice(owner, lines=lines, amounts_are=AmountsAre.INCLUSIVE)

    view = get_invoice(owner.workspace, invoice.uuid, today=TODAY)

    assert view.lines[0] == LineView(
        service_uuid=service.uuid,
        service_name="Advice hour",
        description="Advice",
        quantity=Decimal("2.5"),
        unit_price=Decimal(12),
        discount_percent=Decimal(10),
        tax_rate_uuid=vat.uuid,
        tax_rate_name="VAT 20%",
        tax_percent=Decimal(20),
        amount=pounds("27.00"),
        net=pounds("22.50"),
    )
    assert view.taxes == (
        TaxView(vat.uuid, "VAT 20%", Decimal(20), pounds("22.50"), pounds("4.50")),
        TaxView(no_tax.uuid, "No tax", Decimal(0), pounds("100.00"), pounds("0.00")),
    )
    assert (view.net, view.tax, view.total, view.balance) == (
        pounds("122.50"),
        pounds("4.50"),
        pounds("127.00"),
        pounds("127.00"),
    )
    assert (view.number, view.is_draft, view.status, view.revision) == ("", True, DisplayStatus.DRAFT, 1)
    assert view.verbs == {Verb.EDIT, Verb.ISSUE, Verb.DELETE}
    with pytest.raises(RecordNotFoundError):
        get_invoice(owner.workspace, uuid4(), today=TODAY)


def test_list_tax_rates_no_tax_first_then_the_highest_archived_last() -> None:
    owner = make_owner()
    highest = make_tax_rate(owner, "Luxury", percent=Decimal(33))
    archive_tax_rate(owner, highest.uuid)
    make_invoice(owner, lines=[make_line(get_tax_rate(owner.workspace, 5))], is_issued=True)

    rows = list_tax_rates(owner.workspace, show_archived=True)

    assert [(row.name, row.is_percent_settled, row.is_archived) for row in rows] == [
        ("No tax", True, False),
        ("VAT 20%", False, False),
        ("VAT 5%", True, False),
        ("VAT 0%", False, False),
        ("Luxury", False, True),
    ]
    assert [row.name for row in list_tax_rates(owner.workspace)] == ["No tax", "VAT 20%", "VAT 5%", "VAT 0%"]


def test_dashboard_adds_up_months_and_names_what_is_late() -> None:
    owner = make_owner()
    assert read_dashboard(owner.workspace, today=TODAY).is_empty
    late = make_invoice(owner, is_issued=True, issue_date=date(2026, 1, 31))
    make_payment(owner, make_invoice(owner, is_issued=True, issue_date=date(2025, 12, 1)), "10.00")
    make_invoice(owner, is_issued=True, issue_date=date(2025, 11, 30))
    void_invoice(owner, make_invoice(owner, is_issued=True, issue_date=TODAY).uuid)

    shown = read_dashboard(owner.workspace, today=TODAY)

    assert [bar.month for bar in shown.bars] == [
        date(2025, 12, 1),
        *(date(2026, month, 1) for month in range(1, 12)),
    ]
    assert [bar.invoiced.amount for bar in shown.bars if bar.invoiced] == [Decimal("120.00"), Decimal("120.00")]
    assert [bar.month.month for bar in shown.bars if bar.invoiced] == [12, 1]
    assert late.uuid in {row.uuid for row in shown.past_due}
    assert [row.due_date for row in shown.past_due] == sorted(row.due_date for row in shown.past_due)
    assert (shown.counts[DisplayStatus.PAST_DUE], shown.counts[DisplayStatus.VOID]) == (3, 1)
    assert shown.activity[0].sentence == "voided invoice INV-0004"
    assert not shown.is_empty


def test_activity_sentence_takes_braces_in_names_as_text() -> None:
    owner = make_owner()
    customer = make_customer(owner, "{number} & {0} Ltd")

    (entry,) = list_activity(owner.workspace, "customer", customer.uuid)

    assert (entry.actor_name, entry.sentence) == (owner.user.email, "added customer {number} & {0} Ltd")


def test_clean_search_and_cut_page_edges() -> None:
    assert clean_search(" a\x00\x1b\ud800b\n ") == "ab"
    assert cut_page(0, 7, lambda _: (1,)) == Page(items=(), number=1, total_count=0)
    assert Customer.objects.count() == 0
