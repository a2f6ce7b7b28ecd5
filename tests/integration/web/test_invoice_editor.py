"""The invoice form: lines come and go, services fill them, figures follow; with and without JavaScript."""

import re
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from cone.books.models import Customer, Invoice, Service
from cone.domain.customers import CustomerInput
from cone.domain.services import ServiceInput
from cone.operations.save_service import save_service
from tests.builders import Cast, get_no_tax, get_tax_rate, make_customer

HTMX = {"HX-Request": "true"}


@pytest.fixture
def customer(cast: Cast) -> Customer:
    return make_customer(cast.owner)


@pytest.fixture
def service(cast: Cast) -> Service:
    rate = get_tax_rate(cast.workspace, 5)
    return save_service(cast.owner, ServiceInput("Advisory hour", "A partner's time.", Decimal("180.5"), rate.uuid))


def form(cast: Cast, customer: Customer, *lines: dict[str, str], **header: str) -> dict[str, str]:
    rate = str(get_tax_rate(cast.workspace).uuid)
    start = {
        "customer": str(customer.uuid),
        "issue_date": "2026-03-01",
        "due_date": "2026-03-31",
        "amounts_are": "exclusive",
        **header,
    }
    blank = {
        "service": "",
        "description": "",
        "quantity": "1",
        "unit_price": "",
        "discount_percent": "",
        "tax_rate": rate,
    }
    return start | {
        f"line-{position}-{name}": value
        for position, typed in enumerate(lines)
        for name, value in {**blank, **typed}.items()
    }


def shown_totals(page: str) -> list[str]:
    block = page[page.index('id="totals"') :]
    return re.findall(r"<dd>(.*?)</dd>", block[: block.index("</dl>")])


def shown_amounts(page: str) -> list[str]:
    return re.findall(r'<output id="amount-\d+"[^>]*>(.*?)</output>', page)


def test_new_invoice_starts_with_one_line_and_the_firms_terms(cast: Cast, customer: Customer, owner: Client) -> None:
    page = owner.get(reverse("invoice_new"), {"customer": str(customer.uuid)}).text

    assert len(shown_amounts(page)) == 1
    assert f'<option value="{customer.uuid}" selected>' in page


def test_customer_of_another_firm_in_the_address_is_not_chosen(cast: Cast, owner: Client) -> None:
    other = make_customer(cast.outsider)

    assert str(other.uuid) not in owner.get(reverse("invoice_new"), {"customer": str(other.uuid)}).text


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_line_is_added_and_removed_with_what_was_typed(
    headers: dict[str, str], cast: Cast, customer: Customer, owner: Client
) -> None:
    lines = ({"description": "First"}, {"description": "Second", "quantity": "not yet"})

    added = owner.post(reverse("invoice_new"), form(cast, customer, *lines, action="add"), headers=headers).text
    removed = owner.post(reverse("invoice_new"), form(cast, customer, *lines, action="remove:0"), headers=headers).text

    assert (len(shown_amounts(added)), "First" in added, "not yet" in added) == (3, True, True)
    assert (len(shown_amounts(removed)), "First" in removed, "Second" in removed) == (1, False, True)
    assert ("<html" in added) is (not headers)
    assert 'class="error"' not in added
    assert not Invoice.objects.exists()


@pytest.mark.parametrize("action", ["remove:9", "remove:x", "remove:" + "9" * 40, "pick:-1", "dance", ""])
def test_strange_actions_change_nothing(action: str, cast: Cast, customer: Customer, owner: Client) -> None:
    answer = owner.post(reverse("invoice_new"), form(cast, customer, {"description": "Kept"}, action=action))

    assert answer.status_code == 200
    assert "Kept" in answer.text
    assert not Invoice.objects.exists()


def test_choosing_a_service_fills_its_line(cast: Cast, customer: Customer, service: Service, owner: Client) -> None:
    typed = form(
        cast, customer, {"service": str(service.uuid), "description": "old", "unit_price": "1"}, action="pick:0"
    )

    page = owner.post(reverse("invoice_new"), typed, headers=HTMX).text

    assert "A partner&#x27;s time." in page
    assert 'value="180.5"' in page
    assert f'<option value="{get_tax_rate(cast.workspace, 5).uuid}" selected>' in page
    assert shown_totals(page) == ["£180.50", "£9.03", "£189.53"]


def test_choosing_a_service_leaves_what_was_typed(
    cast: Cast, customer: Customer, service: Service, owner: Client
) -> None:
    line = {"service": str(service.uuid), "description": "", "unit_price": "99", "typed": "unit_price description"}
    line["tax_rate"] = str(get_tax_rate(cast.workspace, 20).uuid)

    page = owner.post(reverse("invoice_new"), form(cast, customer, line, action="pick:0"), headers=HTMX).text

    # What was emptied again is filled.
    assert "A partner&#x27;s time." in page
    assert 'value="unit_price description"' in page
    assert shown_totals(page) == ["£99.00", "£4.95", "£103.95"]


def test_figures_follow_what_is_typed(cast: Cast, customer: Customer, owner: Client) -> None:
    none = str(get_no_tax(cast.workspace).uuid)
    lines = (
        {"description": "A", "quantity": "2.5", "unit_price": "1,000.00", "discount_percent": "10"},
        {"description": "B", "unit_price": "0.335", "tax_rate": none},
        {"description": "C", "unit_price": "not a number"},
    )

    page = owner.post(reverse("invoice_new"), form(cast, customer, *lines, action="totals"), headers=HTMX).text

    assert shown_amounts(page) == ["£2,250.00", "£0.34", "–"]
    assert shown_totals(page) == ["£2,250.34", "£450.00", "£0.00", "£2,700.34"]


def test_inclusive_figures_contain_their_tax(cast: Cast, customer: Customer, owner: Client) -> None:
    typed = form(cast, customer, {"description": "A", "unit_price": "120"}, action="totals", amounts_are="inclusive")

    assert shown_totals(owner.post(reverse("invoice_new"), typed, headers=HTMX).text) == [
        "£100.00",
        "£20.00",
        "£120.00",
    ]


def test_saving_without_javascript_takes_what_the_service_gives(
    cast: Cast, customer: Customer, service: Service, owner: Client
) -> None:
    lines: tuple[dict[str, str], ...] = ({"service": str(service.uuid), "quantity": "2"}, {})

    answer = owner.post(reverse("invoice_new"), form(cast, customer, *lines, action="save"))

    saved = Invoice.objects.get()
    assert answer.headers["Location"] == reverse("invoice", args=[saved.uuid])
    assert list(saved.lines.values_list("description", "quantity", "unit_price")) == [
        ("A partner's time.", Decimal(2), Decimal("180.5"))
    ]
    assert (saved.status, saved.number, saved.net) == ("draft", None, Decimal(361))


def test_save_and_issue_gives_the_number(cast: Cast, customer: Customer, owner: Client) -> None:
    typed = form(cast, customer, {"description": "Advice", "unit_price": "100"}, action="issue")

    page = owner.post(reverse("invoice_new"), typed, follow=True).text

    assert "Invoice INV-0001 is issued." in page
    assert Invoice.objects.get().number == "INV-0001"


def test_edit_form_shows_the_invoice_and_saves_its_change(cast: Cast, customer: Customer, owner: Client) -> None:
    owner.post(
        reverse("invoice_new"), form(cast, customer, {"description": "Advice", "unit_price": "100.50"}, action="issue")
    )
    invoice = Invoice.objects.get()
    url = reverse("invoice_edit", args=[invoice.uuid])

    page = owner.get(url).text
    changed = form(cast, customer, {"description": "Advice", "unit_price": "200"}, revision=str(invoice.revision))
    owner.post(url, changed)

    assert 'value="100.5"' in page
    invoice.refresh_from_db()
    assert (invoice.number, invoice.total) == ("INV-0001", Decimal(240))


def test_more_lines_than_an_invoice_takes_are_refused(cast: Cast, customer: Customer, owner: Client) -> None:
    lines = [{"description": f"Line {number}", "unit_price": "1"} for number in range(202)]

    answer = owner.post(reverse("invoice_new"), form(cast, customer, *lines, action="save"))

    assert answer.status_code == 422
    assert "Keep to 200 lines" in answer.text
    assert not Invoice.objects.exists()


# Exchange rate


@pytest.fixture
def abroad(cast: Cast) -> Customer:
    return make_customer(cast.owner, typed=CustomerInput("Söhne GmbH", email="b@example.com", currency="EUR"))


@pytest.fixture
def overseas(cast: Cast) -> Customer:
    return make_customer(cast.owner, typed=CustomerInput("Hudson Inc.", email="c@example.com", currency="USD"))


def shown_rate(page: str) -> str:
    """What stands in the field of the rate, and for which currency."""
    block = page[page.index('id="rate"') :]
    [(name, rest)] = re.findall(r'name="rate_currency" value="(\w+)"(.*?)</div></div>', block, re.DOTALL)[:1]
    typed = re.search(r'name="exchange_rate"(?: value="([^"]*)")?', rest)
    assert typed is not None
    return f"{typed[1] or 'empty'} for {name}"


def test_rate_is_asked_for_only_where_the_customers_currency_is_foreign(
    cast: Cast, customer: Customer, abroad: Customer, owner: Client
) -> None:
    at_home = owner.get(reverse("invoice_new"), {"customer": str(customer.uuid)}).text
    foreign = owner.get(reverse("invoice_new"), {"customer": str(abroad.uuid)}).text
    assert 'name="exchange_rate"' not in at_home
    assert 'name="exchange_rate"' in foreign
    assert "GBP for 1 EUR" in foreign


def test_choosing_another_customer_brings_the_rate_and_takes_it_away(
    cast: Cast, customer: Customer, abroad: Customer, owner: Client
) -> None:
    def swapped(whom: Customer, shown: str) -> str:
        typed = form(cast, whom, {"description": "Advice"}, action="totals", rate_currency=shown, exchange_rate="0.85")
        return owner.post(reverse("invoice_new"), typed, headers=HTMX).text

    assert 'name="exchange_rate" value="0.85"' in swapped(abroad, "")
    # what somebody types in isn't replaced under their hands
    assert 'id="rate"' not in swapped(abroad, "EUR")
    assert 'id="rate" hx-swap-oob="true" hidden></div>' in swapped(customer, "EUR")
    assert 'id="rate"' not in swapped(customer, "")


def test_rate_is_kept_shown_and_refused_beside_its_field(cast: Cast, abroad: Customer, owner: Client) -> None:
    line = {"description": "Advice", "unit_price": "100"}
    answer = owner.post(reverse("invoice_new"), form(cast, abroad, line, exchange_rate="0.8512345678", action="save"))
    invoice = Invoice.objects.get()
    assert (answer.status_code, str(invoice.exchange_rate)) == (302, "0.8512345678")
    assert "1 EUR = 0.8512345678 GBP" in owner.get(reverse("invoice", args=[invoice.uuid])).text
    edit = reverse("invoice_edit", args=[invoice.uuid])
    assert 'name="exchange_rate" value="0.8512345678"' in owner.get(edit).text

    refused = owner.post(edit, form(cast, abroad, line, exchange_rate="0", action="save", revision="1"))
    assert refused.status_code == 422
    assert "Make the exchange rate more than zero." in refused.text


def test_rate_typed_before_a_customer_of_the_own_currency_was_chosen_is_forgotten(
    cast: Cast, customer: Customer, owner: Client
) -> None:
    line = {"description": "Advice", "unit_price": "100"}
    answer = owner.post(reverse("invoice_new"), form(cast, customer, line, exchange_rate="0.85", action="save"))
    assert (answer.status_code, Invoice.objects.get().exchange_rate) == (302, None)
    # Sent twice, as after a lost answer, the edit is nobody else's.
    edit = reverse("invoice_edit", args=[Invoice.objects.get().uuid])
    typed = form(cast, customer, line, exchange_rate="0.85", memo="Thank you", action="save", revision="1")
    assert [owner.post(edit, typed).status_code for _ in range(2)] == [302, 302]
    invoice = Invoice.objects.get()
    assert (invoice.revision, invoice.memo, invoice.exchange_rate) == (2, "Thank you", None)


ADVICE = {"description": "Advice", "unit_price": "100"}


@pytest.mark.parametrize(("headers", "action"), [(HTMX, "totals"), ({}, "add")])
def test_rate_for_one_foreign_currency_is_not_shown_for_another(
    headers: dict[str, str], action: str, cast: Cast, overseas: Customer, owner: Client
) -> None:
    typed = form(cast, overseas, ADVICE, action=action, rate_currency="EUR", exchange_rate="0.85")
    assert shown_rate(owner.post(reverse("invoice_new"), typed, headers=headers).text) == "empty for USD"


@pytest.mark.parametrize("action", ["save", "issue"])
def test_rate_for_one_foreign_currency_is_not_saved_for_another(
    action: str, cast: Cast, overseas: Customer, owner: Client
) -> None:
    def save(rate: str, currency: str) -> tuple[int, str]:
        typed = form(cast, overseas, ADVICE, action=action, rate_currency=currency, exchange_rate=rate)
        answer = owner.post(reverse("invoice_new"), typed)
        return answer.status_code, answer.text

    status, page = save("0.85", "EUR")
    assert (status, Invoice.objects.count()) == (422, 0)
    assert "The rate 0.85 was for 1 EUR; enter the one for 1 USD, or leave it empty." in page
    # saving it again as it stands sends nothing that was meant for EUR
    assert shown_rate(page) == "empty for USD"
    assert save("0.79", "USD")[0] == 302
    assert Invoice.objects.get().exchange_rate == Decimal("0.79")


def test_stored_rate_does_not_follow_to_a_customer_of_another_currency(
    cast: Cast, abroad: Customer, overseas: Customer, owner: Client
) -> None:
    owner.post(reverse("invoice_new"), form(cast, abroad, ADVICE, exchange_rate="0.85", action="save"))
    edit = reverse("invoice_edit", args=[Invoice.objects.get().uuid])
    assert shown_rate(owner.get(edit).text) == "0.85 for EUR"
    moved = {"rate_currency": "EUR", "revision": "1", "action": "save"}
    refused = owner.post(edit, form(cast, overseas, ADVICE, exchange_rate="0.85", **moved))
    assert refused.status_code == 422
    invoice = Invoice.objects.get()
    assert (invoice.customer, invoice.exchange_rate) == (abroad, Decimal("0.85"))
    assert owner.post(edit, form(cast, overseas, ADVICE, exchange_rate="", **moved)).status_code == 302
    invoice.refresh_from_db()
    assert (invoice.customer, invoice.exchange_rate) == (overseas, None)
