"""A form sent a second time, after a lost answer or the way back, makes nothing a second time."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from cone.books.models import Customer, Invoice, Payment, Service, TaxRate
from tests.builders import Cast, make_customer, make_invoice, make_owner
from tests.integration.web.conftest import ClientOf
from tests.integration.web.test_invoice_editor import form as invoice_form

TWICE = "This form was sent twice"


def token_on(page: str) -> str:
    found = re.search(r'name="once" value="([0-9a-f-]{36})"', page)
    assert found is not None, page
    return found[1]


@dataclass(frozen=True)
class Typed:
    """What somebody typed on a page, and where its form goes."""

    page: str
    url: str
    fields: dict[str, str]


def type_customer(_: Cast) -> Typed:
    url = reverse("customer_new")
    return Typed(url, url, {"name": "Once & Co", "country": "GB", "currency": "GBP"})


def type_draft(cast: Cast) -> Typed:
    url, customer = reverse("invoice_new"), make_customer(cast.owner)
    return Typed(url, url, invoice_form(cast, customer, {"description": "Hours", "unit_price": "10"}))


def type_payment(cast: Cast) -> Typed:
    url, customer = reverse("payment_new"), make_customer(cast.owner)
    make_invoice(cast.owner, customer, is_issued=True)
    fields = {"customer": str(customer.uuid), "amount": "10", "received_date": "2026-11-20"}
    return Typed(f"{url}?customer={customer.uuid}", url, fields)


def type_payment_of_one(cast: Cast) -> Typed:
    place = [make_invoice(cast.owner, is_issued=True).uuid]
    fields = {"amount": "10", "received_date": "2026-11-20"}
    return Typed(reverse("invoice", args=place), reverse("invoice_payment", args=place), fields)


def type_service(_: Cast) -> Typed:
    url = reverse("service_new")
    return Typed(url, url, {"name": "Once", "unit_price": "10"})


def type_tax_rate(_: Cast) -> Typed:
    url = reverse("tax_rates")
    return Typed(url, url, {"name": "Once", "percent": "7"})


Model = type[Customer] | type[Invoice] | type[Payment] | type[Service] | type[TaxRate]
FORMS = pytest.mark.parametrize(
    ("typing", "model"),
    [
        (type_customer, Customer),
        (type_draft, Invoice),
        (type_payment, Payment),
        (type_payment_of_one, Payment),
        (type_service, Service),
        (type_tax_rate, TaxRate),
    ],
)
# A record without a page of its own is added on its list; sent again, the form leads to the record's form.
AGAIN = {Service: "service_edit", TaxRate: "tax_rate_edit"}


@pytest.mark.django_db
@FORMS
def test_same_form_makes_one_record(cast: Cast, owner: Client, typing: Callable[[Cast], Typed], model: Model) -> None:
    typed = typing(cast)
    fields = typed.fields | {"once": token_on(owner.get(typed.page).text)}
    before = model._default_manager.count()

    first = owner.post(typed.url, fields)
    again = owner.post(typed.url, fields, follow=True)

    assert first.status_code == 302
    made = model._default_manager.latest("id")
    landed = reverse(AGAIN[model], args=[made.uuid]) if model in AGAIN else first["Location"]
    assert again.redirect_chain == [(landed, 302)]
    assert TWICE in again.text
    assert model._default_manager.count() == before + 1


@pytest.mark.django_db
@FORMS
def test_same_form_filled_in_anew_makes_another(
    cast: Cast, owner: Client, typing: Callable[[Cast], Typed], model: Model
) -> None:
    typed = typing(cast)
    fields = typed.fields | {"once": token_on(owner.get(typed.page).text)}
    before = model._default_manager.count()
    other = {name: "20" for name in ("name", "amount", "memo") if name in fields or name == "memo"}

    owner.post(typed.url, fields)
    owner.post(typed.url, fields | other)

    assert model._default_manager.count() == before + 2


@pytest.mark.django_db
def test_refused_form_keeps_its_token_and_can_be_mended(cast: Cast, owner: Client) -> None:
    typed = type_customer(cast)
    fields = typed.fields | {"once": token_on(owner.get(typed.page).text)}

    refused = owner.post(typed.url, fields | {"email": "nobody"})

    assert refused.status_code == 422
    assert token_on(refused.text) == fields["once"]
    assert owner.post(typed.url, fields).status_code == 302
    assert Customer.objects.filter(name="Once & Co").count() == 1


@pytest.mark.django_db
def test_token_of_another_firm_says_nothing_of_it(cast: Cast, owner: Client, client_of: ClientOf) -> None:
    typed = type_customer(cast)
    fields = typed.fields | {"once": str(uuid4())}
    other = client_of(make_owner("Elsewhere"))
    assert other.post(typed.url, fields).status_code == 302

    answer = owner.post(typed.url, fields, follow=True)

    assert TWICE not in answer.text
    assert Customer.objects.filter(workspace=cast.owner.workspace, name="Once & Co").count() == 1
