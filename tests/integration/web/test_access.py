"""Who gets in: by role, by firm, by method; and what every answer carries."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from cone.books.models import Activity, Customer, Invoice, Membership, Payment, Service, TaxRate
from tests.builders import Cast, make_user
from tests.integration.web.conftest import Books, ClientOf, address

# Page → who may open it.
EVERYONE = ("owner", "biller", "bookkeeper")
PAGES = {
    "dashboard": EVERYONE,
    "invoices": EVERYONE,
    "invoice": EVERYONE,
    "invoice_number": EVERYONE,
    "customers": EVERYONE,
    "customer": EVERYONE,
    "services": EVERYONE,
    "settings_services": EVERYONE,
    "integrations": EVERYONE,
    "integrations_flow": EVERYONE,
    "runs": EVERYONE,
    "tax_rates": EVERYONE,
    "team": EVERYONE,
    "sync_panel": EVERYONE,
    "firm_new": EVERYONE,
    "invoice_new": ("owner", "biller"),
    "invoice_edit": ("owner", "biller"),
    "invoice_void": ("owner", "biller"),
    "invoice_write-off": ("owner", "biller"),
    "invoice_delete": ("owner", "biller"),
    "customer_new": ("owner", "biller"),
    "customer_edit": ("owner", "biller"),
    "service_new": ("owner",),
    "service_edit": ("owner",),
    "tax_rate_edit": ("owner",),
    "workspace": ("owner",),
}
# Act → who may do it.
ACTS = {
    "invoice_new": ("owner", "biller"),
    "invoice_edit": ("owner", "biller"),
    "invoice_issue": ("owner", "biller"),
    "invoice_sent": ("owner", "biller"),
    "invoice_take_number": ("owner", "biller"),
    "invoice_payment": ("owner", "biller"),
    "invoice_payment_void": ("owner", "biller"),
    "invoice_void": ("owner", "biller"),
    "invoice_write-off": ("owner", "biller"),
    "invoice_delete": ("owner", "biller"),
    "invoice_removed": ("owner", "biller"),
    "customer_new": ("owner", "biller"),
    "customer_edit": ("owner", "biller"),
    "customer_link": ("owner", "biller"),
    "customer_look_for": ("owner", "biller"),
    "customer_make_anew": ("owner", "biller"),
    "customer_suffix": ("owner", "biller"),
    "customer_archive": ("owner", "biller"),
    "customer_restore": ("owner", "biller"),
    "sync_now": ("owner", "biller"),
    "sync_everything": ("owner", "biller"),
    "try_writing": ("owner", "biller"),
    "service_new": ("owner",),
    "service_edit": ("owner",),
    "service_archive": ("owner",),
    "service_restore": ("owner",),
    "tax_rates": ("owner",),
    "tax_rate_edit": ("owner",),
    "tax_rate_archive": ("owner",),
    "workspace": ("owner",),
    "team": ("owner",),
    "pause": ("owner",),
    "resume": ("owner",),
    "compared": ("owner",),
    "disconnect": ("owner",),
    "manage_tax": ("owner",),
    "manage_accounts": ("owner",),
    "manage_refresh": ("owner",),
    "manage_terms": ("owner",),
    "run_start": ("owner",),
}
ONLY_POST = sorted(set(ACTS) - set(PAGES) - {"disconnect"})
WITH_RECORD = [
    name for name in {**PAGES, **ACTS} if re.match(r"(invoice|customer|service|tax_rate)(_|$)|sync_(now|panel)", name)
]


def state_of_the_books() -> list[object]:
    """Everything that an act could change."""
    models = (Activity, Customer, Invoice, Membership, Payment, Service, TaxRate)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


@pytest.mark.parametrize("role", EVERYONE)
def test_pages_open_for_the_roles_that_may(role: str, cast: Cast, books: Books, client_of: ClientOf) -> None:
    client = client_of(getattr(cast, role))

    answers = {name: client.get(address(name, books)).status_code for name in PAGES}

    assert answers == {name: 200 if role in roles else 403 for name, roles in PAGES.items()}


@pytest.mark.parametrize("role", ["biller", "bookkeeper"])
def test_acts_of_other_roles_are_refused_and_change_nothing(
    role: str, cast: Cast, books: Books, client_of: ClientOf
) -> None:
    client, before = client_of(getattr(cast, role)), state_of_the_books()
    refused = [name for name, roles in ACTS.items() if role not in roles]

    answers = {name: client.post(address(name, books)).status_code for name in refused}

    assert answers == dict.fromkeys(refused, 403)
    assert state_of_the_books() == before


def test_bookkeeper_sees_no_act_that_would_be_refused(cast: Cast, books: Books, client_of: ClientOf) -> None:
    client = client_of(cast.bookkeeper)
    readable = [name for name, roles in PAGES.items() if "bookkeeper" in roles and name != "firm_new"]

    offered = {
        action
        for name in readable
        for action in re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', client.get(address(name, books)).text)
    }

    assert offered == {reverse("account_logout")}


@pytest.mark.parametrize("name", ONLY_POST)
def test_acts_are_not_done_by_following_a_link(name: str, books: Books, owner: Client) -> None:
    assert owner.get(address(name, books)).status_code == 405


def test_outsider_finds_nothing_of_another_firm(cast: Cast, books: Books, client_of: ClientOf) -> None:
    client, before = client_of(cast.outsider), state_of_the_books()
    names = [name for name in WITH_RECORD if not name.endswith("_new")]

    read = {name: client.get(address(name, books)).status_code for name in names if name in PAGES}
    done = {name: client.post(address(name, books), {}).status_code for name in names if name in ACTS}

    # Those refused before the record is looked for: no connection of one's own.
    unconnected = {"invoice_removed": 302}
    assert read == dict.fromkeys(read, 404)
    assert done == {**dict.fromkeys(done, 404), **unconnected}
    assert state_of_the_books() == before


def test_outsider_finds_nothing_by_searching(cast: Cast, books: Books, client_of: ClientOf) -> None:
    client = client_of(cast.outsider)

    for page in ("invoices", "customers", "services"):
        assert books.customer.name not in client.get(reverse(page), {"q": books.customer.name[:4]}).text.replace(
            'value="', ""
        )


def test_stranger_is_sent_to_sign_in_and_back(books: Books) -> None:
    answers = {name: Client().get(address(name, books)) for name in PAGES}

    assert {name: (answer.status_code, answer.headers["Location"]) for name, answer in answers.items()} == {
        name: (302, f"{reverse('account_login')}?next={address(name, books)}") for name in PAGES
    }


@pytest.mark.parametrize(
    ("came_from", "leads_to"),
    [
        ("http://testserver/customers/new?from=list", "/customers/new%3Ffrom%3Dlist"),
        ("http://elsewhere.example/customers/new", "/"),
        ("", "/"),
    ],
)
def test_form_that_arrives_after_signing_out_says_so_and_leads_back(
    books: Books, came_from: str, leads_to: str
) -> None:
    count = Customer.objects.count()

    answer = Client(headers={"Referer": came_from}).post(reverse("customer_new"), {"name": "Late & Co"}, follow=True)

    assert answer.redirect_chain == [(f"{reverse('account_login')}?next={leads_to}", 302)]
    assert "You were signed out before that arrived, so nothing of it was saved." in answer.text
    assert Customer.objects.count() == count


def test_fragment_after_signing_out_leads_to_the_sign_in_page(books: Books) -> None:
    page = address("invoice", books)
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"}

    answer = Client().get(address("sync_panel", books), headers=headers)

    assert (answer.status_code, answer.text) == (200, "")
    assert answer.headers["HX-Redirect"] == f"{reverse('account_login')}?next={page}"


def test_person_without_a_firm_is_sent_to_create_one(db: None, client_of: ClientOf) -> None:
    client = Client()
    client.force_login(make_user())

    answer = client.get(reverse("dashboard"))

    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("firm_new"))


def test_every_answer_carries_the_policy_and_nothing_inline(cast: Cast, books: Books, owner: Client) -> None:
    names = [*PAGES, "account_login"]
    pages = [owner.get(address(name, books)) for name in PAGES]
    pages += [Client().get(reverse("account_login")), owner.get("/nothing-here"), owner.get(reverse("pause"))]

    for name, page in zip([*names, "404", "405"], pages, strict=True):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy, name
        assert "unsafe" not in policy, name
        assert re.findall(r"<[^>]* style=|<style|<script(?![^>]* src=)|<[^>]* on[a-z]+=", page.text) == [], name


def test_pages_of_the_books_are_not_kept_by_the_browser(owner: Client) -> None:
    assert "no-store" in owner.get(reverse("dashboard")).headers["Cache-Control"]


def test_switching_to_a_firm_of_others_is_refused(cast: Cast, owner: Client) -> None:
    answer = owner.post(reverse("firm_switch"), {"workspace": str(cast.outsider.workspace.uuid)})

    assert answer.status_code == 404
    assert cast.outsider.workspace.name not in owner.get(reverse("dashboard")).text


def test_switching_firms_shows_the_other_books(cast: Cast, books: Books, owner: Client) -> None:
    Membership.objects.create(workspace=cast.outsider.workspace, user=cast.owner.user, role="bookkeeper")

    owner.post(reverse("firm_switch"), {"workspace": str(cast.outsider.workspace.uuid)})

    assert cast.outsider.workspace.name in owner.get(reverse("dashboard")).text
    assert owner.get(address("invoice", books)).status_code == 404
