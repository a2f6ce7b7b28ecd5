"""Lists: as many queries for three records as for one, their empty states, their tabs, searches and pages."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cone.books.models import Customer
from cone.operations.archive_customer import archive_customer
from cone.operations.mark_invoice_sent import mark_invoice_sent
from tests.builders import Cast, make_customer, make_invoice, make_member, make_payment, make_service, make_tax_rate
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import connect

LISTS = [
    "dashboard",
    "invoices",
    "payments",
    "customers",
    "services",
    "settings_services",
    "tax_rates",
    "team",
    "integrations",
    "preview",
    "runs",
]


def add_one_of_each(cast: Cast) -> Customer:
    customer = make_customer(cast.owner)
    make_invoice(cast.owner, customer)
    issued = make_invoice(cast.owner, customer, is_issued=True)
    mark_invoice_sent(cast.owner, issued.uuid)
    make_payment(cast.owner, issued, "5.00")
    make_service(cast.owner)
    make_tax_rate(cast.owner)
    make_member(cast.workspace)
    return customer


def count_queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url, follow=True).status_code == 200
    return len(captured)


@pytest.mark.parametrize("is_connected", [False, True])
@pytest.mark.parametrize("name", LISTS)
def test_lists_ask_as_much_for_three_records_as_for_one(
    name: str, is_connected: bool, cast: Cast, owner: Client, ledger: FakeLedger
) -> None:
    if is_connected:
        connect(cast.owner, ledger)
    add_one_of_each(cast)
    owner.get(reverse(name))
    one = count_queries(owner, reverse(name))
    add_one_of_each(cast)
    add_one_of_each(cast)

    assert count_queries(owner, reverse(name)) == one


def test_page_of_a_customer_asks_as_much_for_three_invoices_as_for_one(cast: Cast, owner: Client) -> None:
    customer = add_one_of_each(cast)
    url = reverse("customer", args=[customer.uuid])
    owner.get(url)
    one = count_queries(owner, url)
    make_invoice(cast.owner, customer, is_issued=True)
    make_invoice(cast.owner, customer, is_issued=True)

    assert count_queries(owner, url) == one


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dashboard", "Set up Hartley &amp; Rowe"),
        ("invoices", "No invoices yet"),
        ("customers", "No customers yet"),
        ("services", "No services yet"),
        ("integrations", "Accounting software"),
    ],
)
def test_empty_firm_says_what_to_do_first(name: str, words: str, owner: Client) -> None:
    assert words in owner.get(reverse(name)).text


def test_search_that_finds_nothing_offers_a_way_back(cast: Cast, owner: Client) -> None:
    make_customer(cast.owner)

    page = owner.get(reverse("customers"), {"q": "<i>nobody</i>"}).text

    assert "Nobody matches “&lt;i&gt;nobody&lt;/i&gt;”" in page
    assert "Clear the search" in page


@pytest.mark.parametrize("page", ["0", "-1", "2", "x", "9" * 30, "", "1e3", "²"])
def test_any_page_number_shows_a_page(page: str, cast: Cast, owner: Client) -> None:
    make_invoice(cast.owner)

    for name in ("invoices", "customers", "services"):
        assert owner.get(reverse(name), {"page": page, "tab": page, "q": "\x00"}).status_code == 200


def test_tabs_hold_what_they_say(cast: Cast, owner: Client) -> None:
    draft = make_invoice(cast.owner, make_customer(cast.owner, "Drafted Ltd"))
    issued = make_invoice(cast.owner, make_customer(cast.owner, "Issued Ltd"), is_issued=True)

    drafts = owner.get(reverse("invoices"), {"tab": "draft"}).text
    opened = owner.get(reverse("invoices"), {"tab": "open"}).text

    assert (str(draft.uuid) in drafts, str(issued.uuid) in drafts) == (True, False)
    assert (str(draft.uuid) in opened, str(issued.uuid) in opened) == (False, True)


def test_archived_customers_have_a_list_of_their_own(cast: Cast, owner: Client) -> None:
    customer = make_customer(cast.owner)
    archive_customer(cast.owner, customer.uuid)

    assert customer.name not in owner.get(reverse("customers")).text
    assert "Brûlé &amp; Söhne" in owner.get(reverse("customers"), {"archived": "1"}).text


def test_amounts_are_written_as_the_firm_does(cast: Cast, owner: Client) -> None:
    make_invoice(cast.owner, is_issued=True)

    assert "£120.00" in owner.get(reverse("invoices")).text
