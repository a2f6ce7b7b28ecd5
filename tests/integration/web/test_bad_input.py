"""Wrong, empty, huge and hostile input: a message beside the field with what was typed, nothing half-saved."""

import re
from html import unescape
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from cone.books.models import Customer, Invoice, Payment, Service, TaxRate, Workspace
from tests.builders import Cast, get_tax_rate, make_customer, make_invoice
from tests.integration.web.conftest import Books, ClientOf

UNKNOWN = "6f0a4f0e-2f5e-4d0c-9a57-0f6f0d1f3c11"
INVISIBLE = "Type the city again: it contains an invisible control character that can't be kept."
NAME_TAKEN = "Another tax rate has this name; choose a different one."
BAD_PREFIX = "End the prefix with a letter or a sign such as -, not with a digit."
HOSTILE = '"><script>alert(1)</script>'


def line(cast: Cast, **typed: str) -> dict[str, str]:
    values = {
        "service": "",
        "description": "Advice",
        "quantity": "1",
        "unit_price": "100",
        "discount_percent": "",
        "tax_rate": str(get_tax_rate(cast.workspace).uuid),
        **typed,
    }
    return {f"line-0-{name}": value for name, value in values.items()}


def invoice_form(cast: Cast, to: Customer, **typed: str) -> dict[str, str]:
    header = {
        "customer": str(to.uuid),
        "issue_date": "2026-03-01",
        "due_date": "2026-03-31",
        "amounts_are": "exclusive",
        "memo": "",
        "action": "save",
    }
    lines = {name.removeprefix("line_"): value for name, value in typed.items() if name.startswith("line_")}
    return {**header, **{n: v for n, v in typed.items() if not n.startswith("line_")}, **line(cast, **lines)}


def errors_beside(page: str, field: str) -> list[str]:
    """The messages that belong to a control, by the id that its aria-describedby names."""
    control = re.search(rf'<(?:input|select|textarea)[^>]*id="id_{field}"[^>]*>', page)
    assert control, f"no control {field}"
    box = re.search(rf'<div id="id_{field}_error">(.*?)</div>', page, re.DOTALL)
    if box is None:
        return []
    assert 'aria-invalid="true"' in control.group()
    assert f"id_{field}_error" in control.group()
    return [unescape(text) for text in re.findall(r"<span>(.*?)</span>", box.group(1))]


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({"customer": ""}, "customer", "Choose the customer."),
        ({"customer": "x"}, "customer", "Choose one from the list."),
        ({"customer": UNKNOWN}, "customer", "Choose one from the list."),
        ({"issue_date": ""}, "issue_date", "Choose the issue date."),
        ({"issue_date": "31/12/2026"}, "issue_date", "Enter a date such as 2026-11-23."),
        ({"issue_date": "1900-01-01"}, "issue_date", "Choose a date between 1 January 1990 and 31 December 2100."),
        ({"due_date": "2026-02-28"}, "due_date", "Choose a due date on or after the issue date."),
        ({"amounts_are": "free"}, "amounts_are", "Choose one from the list."),
        ({"memo": "m" * 1001}, "memo", "Shorten the memo to 1,000 characters; it has 1,001."),
        ({"line_quantity": ""}, "line-0-quantity", "Quantity: Enter the quantity."),
        ({"line_quantity": "many"}, "line-0-quantity", "Quantity: Enter a number, such as 12.50."),
        ({"line_quantity": "0"}, "line-0-quantity", "Quantity: Make the quantity more than zero."),
        ({"line_quantity": "-1"}, "line-0-quantity", "Quantity: Make the quantity more than zero."),
        ({"line_quantity": "NaN"}, "line-0-quantity", "Quantity: Enter a number, such as 12.50."),
        (
            {"line_unit_price": "12345678901234567890"},
            "line-0-unit_price",
            "Price: Make the price 9,999,999,999 or less.",
        ),
        *(
            ({"line_unit_price": slip}, "line-0-unit_price", "Price: Enter a number, such as 12.50.")
            for slip in ("1e400", "1e5", "1_000", "١٢", "NaN", "Infinity")
        ),
        ({"line_unit_price": "9" * 41}, "line-0-unit_price", "Price: Enter a number, such as 12.50."),
        ({"line_unit_price": "-0.01"}, "line-0-unit_price", "Price: Make the price zero or more."),
        (
            {"line_discount_percent": "100.01"},
            "line-0-discount_percent",
            "Discount %: Make the discount 100 or less.",
        ),
        ({"line_tax_rate": UNKNOWN}, "line-0-tax_rate", "Tax: Choose one from the list."),
        ({"line_tax_rate": ""}, "line-0-tax_rate", "Tax: Choose the tax."),
        ({"line_service": UNKNOWN}, "line-0-service", "Service: Choose one from the list."),
        (
            {"line_description": " "},
            "line-0-description",
            "Description: Choose a service or describe what this line is for.",
        ),
    ],
)
@pytest.mark.parametrize("action", ["save", "issue"])
def test_invoice_form_says_beside_the_field_what_is_wrong(
    typed: dict[str, str], field: str, message: str, action: str, cast: Cast, owner: Client
) -> None:
    customer = make_customer(cast.owner)

    answer = owner.post(reverse("invoice_new"), {**invoice_form(cast, customer, **typed), "action": action})

    assert answer.status_code == 422
    assert errors_beside(answer.text, field) == [message]
    assert not Invoice.objects.exists()


def test_refused_form_keeps_what_was_typed_and_escapes_it(cast: Cast, owner: Client) -> None:
    form = invoice_form(cast, make_customer(cast.owner), memo=HOSTILE, line_quantity=HOSTILE, line_description="Süß")

    page = owner.post(reverse("invoice_new"), form).text

    assert HOSTILE not in page
    assert page.count("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;") == 2
    assert "Süß" in page


def test_stale_form_is_refused_with_what_to_do(cast: Cast, books: Books, owner: Client) -> None:
    url = reverse("invoice_edit", args=[books.draft.uuid])
    owner.post(url, {**invoice_form(cast, books.customer, memo="first"), "revision": str(books.draft.revision)})

    answer = owner.post(url, {**invoice_form(cast, books.customer, memo="second"), "revision": "1"})

    assert answer.status_code == 422
    assert "Someone else changed this invoice meanwhile" in answer.text
    assert Invoice.objects.get(pk=books.draft.pk).memo == "first"


def test_paid_invoice_can_not_be_edited_and_the_page_says_why(books: Books, owner: Client) -> None:
    answer = owner.get(reverse("invoice_edit", args=[books.paid.uuid]), follow=True)

    assert "A paid invoice can&#x27;t be changed: void the payment first, or make a new invoice." in answer.text


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({"name": ""}, "name", "Enter the name."),
        ({"name": " \u200b"}, "name", "Enter the name."),
        ({"name": "n" * 501}, "name", "Shorten the name to 500 characters; it has 501."),
        ({"email": "not an address"}, "email", "Enter an e-mail address such as anna@example.com."),
        ({"country": "XX"}, "country", "Choose one from the list."),
        ({"currency": ""}, "currency", "Choose the currency."),
        ({"phone": "1" * 31}, "phone", "Shorten the phone number to 30 characters; it has 31."),
        ({"notes": "n" * 2001}, "notes", "Shorten the notes to 2,000 characters; it has 2,001."),
        (
            {"city": "a\x07b"},
            "city",
            INVISIBLE,
        ),
    ],
)
def test_customer_form_says_beside_the_field_what_is_wrong(
    typed: dict[str, str], field: str, message: str, db: None, owner: Client
) -> None:
    answer = owner.post(reverse("customer_new"), {"name": "Anna", "currency": "GBP", **typed})

    assert answer.status_code == 422
    assert errors_beside(answer.text, field) == [message]
    assert not Customer.objects.exists()


def test_markup_in_names_is_shown_as_text_everywhere(cast: Cast, owner: Client) -> None:
    customer = make_customer(cast.owner, HOSTILE)
    issued = make_invoice(cast.owner, customer, is_issued=True)
    urls = [reverse("dashboard"), reverse("customers"), reverse("invoices"), reverse("invoice_new")]
    urls += [reverse("customer", args=[customer.uuid]), reverse("invoice", args=[issued.uuid])]

    for url in urls:
        page = owner.get(url).text
        assert "<script>alert" not in page, url
        assert "&lt;script&gt;alert(1)" in page, url


@pytest.mark.parametrize(
    ("name", "typed", "field", "message"),
    [
        ("service_new", {"name": "", "unit_price": "1"}, "name", "Enter the name."),
        ("service_new", {"name": "A", "unit_price": "-1"}, "unit_price", "Make the price zero or more."),
        ("service_new", {"name": "A", "unit_price": "1", "tax_rate": "x"}, "tax_rate", "Choose one from the list."),
        ("tax_rates", {"name": "VAT", "percent": "101"}, "percent", "Make the percentage 100 or less."),
        (
            "tax_rates",
            {"name": "vat 20%", "percent": "5"},
            "name",
            NAME_TAKEN,
        ),
        ("workspace", {"name": "", "country": "GB"}, "name", "Enter the firm's name."),
        (
            "workspace",
            {"invoice_prefix": "INV1"},
            "invoice_prefix",
            BAD_PREFIX,
        ),
        ("workspace", {"payment_terms_days": "400"}, "payment_terms_days", "Give between 0 and 365 days to pay."),
        ("team", {"email": "nobody", "role": "biller"}, "email", "Enter an e-mail address such as anna@example.com."),
        ("team", {"email": "a@example.com", "role": "king"}, "role", "Choose one from the list."),
    ],
)
def test_settings_forms_say_beside_the_field_what_is_wrong(
    name: str, typed: dict[str, str], field: str, message: str, cast: Cast, owner: Client
) -> None:
    valid = {"name": "Firm", "country": "GB", "payment_terms_days": "30", "amounts_are": "exclusive"}
    before = [list(model._default_manager.values()) for model in (Service, TaxRate, Workspace)]

    answer = owner.post(reverse(name), {**valid, **typed} if name == "workspace" else typed)

    assert answer.status_code == 422
    assert errors_beside(answer.text, field) == [message]
    assert [list(model._default_manager.values()) for model in (Service, TaxRate, Workspace)] == before


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ("", "Enter the amount."),
        ("0", "Make the amount more than zero."),
        ("120.01", "Only GBP 120.00 is owed on this invoice; pay that or less."),
        ("1.005", "Give the amount with at most 2 decimals."),
        ("99999999999999999999", "Make the amount 9,999,999,999,999 or less."),
    ],
)
def test_payment_form_says_beside_the_field_what_is_wrong(
    amount: str, message: str, books: Books, owner: Client
) -> None:
    answer = owner.post(
        reverse("invoice_payment", args=[books.issued.uuid]), {"amount": amount, "received_date": "2026-03-01"}
    )

    assert answer.status_code == 422
    assert message in unescape(answer.text)
    assert Payment.objects.count() == 1


def test_ten_megabytes_are_refused_before_they_are_read(cast: Cast, owner: Client) -> None:
    answer = owner.post(reverse("customer_new"), {"name": "n" * 10_000_000, "currency": "GBP"})

    assert answer.status_code == 413
    assert "too much at once" in answer.text
    assert not Customer.objects.exists()


def test_form_without_its_token_is_refused_in_the_products_look(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.owner.user)

    answer = client.post(reverse("customer_new"), {"name": "Anna", "currency": "GBP"})

    assert answer.status_code == 403
    assert "This page had gone stale" in answer.text
    assert not Customer.objects.exists()


def test_unknown_addresses_are_answered_in_the_products_look(owner: Client) -> None:
    for url in ("/nothing", f"/invoices/{uuid4()}", "/invoices/not-a-uuid", f"/sync/payment/{uuid4()}"):
        answer = owner.get(url)
        assert answer.status_code == 404, url
        assert "cone/app.css" in answer.text, url


def test_bug_is_answered_without_a_traceback(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr("cone.web.views.dashboard.read_dashboard", break_down)
    client = Client(raise_request_exception=False)
    client.force_login(cast.owner.user)

    answer = client.get(reverse("dashboard"))

    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text
    assert "secret" not in answer.text


def test_members_of_other_firms_are_not_found_by_number(cast: Cast, client_of: ClientOf) -> None:
    outsider = client_of(cast.outsider)
    membership = cast.bookkeeper.user.memberships.get()

    answers = [
        outsider.post(reverse("member_role", args=[membership.pk]), {"role": "owner"}).status_code,
        outsider.post(reverse("member_remove", args=[membership.pk])).status_code,
        outsider.post(reverse("member_remove", args=[10**30])).status_code,
    ]

    assert answers == [404, 404, 404]
    membership.refresh_from_db()
    assert membership.role == "bookkeeper"
