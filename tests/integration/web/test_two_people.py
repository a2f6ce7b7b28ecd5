"""Two people at one page: the second to save is told, and nothing of the first is overwritten unseen."""

import pytest
from django.forms import Form
from django.test import Client
from django.urls import reverse

from cone.books.models import Connection, Customer, Payment, Service, TaxMapping, TaxRate
from cone.operations.void_invoice import void_invoice
from tests.builders import Cast, get_tax_rate, make_customer, make_invoice, make_payment
from tests.fakes.ledger import BANK, INCOME, REDUCED, STANDARD, FakeLedger
from tests.integration.web.conftest import Books, address

pytestmark = pytest.mark.django_db
TOLD = "Someone else changed this meanwhile; reload the page and make your change again."


def typed_in(form: Form) -> dict[str, str]:
    """What the browser sends of a form left as it is."""
    return {field.html_name: str(field.value() if field.value() is not None else "") for field in form}


@pytest.mark.parametrize(
    ("page", "other", "model"),
    [
        ("customer_edit", "notes", Customer),
        ("service_edit", "description", Service),
    ],
)
def test_second_to_save_a_record_is_told_and_overwrites_nothing(
    owner: Client, books: Books, page: str, other: str, model: type[Customer] | type[Service]
) -> None:
    url = address(page, books)
    seen_by_both = typed_in(owner.get(url).context["form"])
    assert owner.post(url, {**seen_by_both, other: "from the first"}).status_code == 302

    answer = owner.post(url, {**seen_by_both, "name": "From the second"})

    assert answer.status_code == 422
    assert TOLD in answer.text
    assert "From the second" in answer.text
    record = model.objects.get(uuid=url.split("/")[2])
    assert getattr(record, other) == "from the first"
    assert record.name != "From the second"
    fresh = typed_in(owner.get(url).context["form"])
    assert owner.post(url, {**fresh, "name": "From the second"}).status_code == 302


def test_second_to_save_a_tax_rate_is_told(owner: Client, books: Books) -> None:
    url = address("tax_rate_edit", books)
    seen_by_both = typed_in(owner.get(url).context["form"])
    assert owner.post(url, {**seen_by_both, "name": "Standard rate"}).status_code == 302

    answer = owner.post(url, {**seen_by_both, "name": "Rate of the second"})

    assert (answer.status_code, TOLD in answer.text) == (422, True)
    assert TaxRate.objects.get(uuid=books.tax_rate.uuid).name == "Standard rate"


def test_payment_changed_meanwhile_keeps_what_was_typed(cast: Cast, owner: Client) -> None:
    payment = make_payment(cast.owner, make_invoice(cast.owner, is_issued=True))
    url = reverse("payment_edit", args=[payment.uuid])
    seen_by_both = typed_in(owner.get(url).context["form"])
    assert owner.post(url, {**seen_by_both, "reference": "FIRST"}).status_code == 302

    answer = owner.post(url, {**seen_by_both, "reference": "SECOND"})

    assert answer.status_code == 422
    assert "Someone else changed this payment meanwhile" in answer.text
    assert "SECOND" in answer.text
    assert Payment.objects.get().reference == "FIRST"


def test_part_of_an_invoice_voided_meanwhile_does_not_become_credit(cast: Cast, owner: Client) -> None:
    customer = make_customer(cast.owner)
    voided, owed = (make_invoice(cast.owner, customer, is_issued=True) for _ in range(2))
    typed = {"customer": str(customer.uuid), "amount": "120", "received_date": "2026-11-20"}
    void_invoice(cast.owner, voided.uuid)

    answer = owner.post(reverse("payment_new"), {**typed, f"part-{voided.uuid}": "120", f"part-{owed.uuid}": ""})

    assert answer.status_code == 422
    assert "it can&#x27;t take a payment any more" in answer.text
    assert not Payment.objects.exists()


def test_tax_code_left_alone_keeps_what_another_chose_meanwhile(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    first, second = TaxRate.objects.filter(workspace=cast.workspace).order_by("id")[:2]
    seen_by_both = {f"seen-{first.uuid}": "", f"seen-{second.uuid}": ""}
    url = reverse("manage_tax")
    owner.post(url, {**seen_by_both, f"code-{first.uuid}": STANDARD, f"code-{second.uuid}": ""})

    owner.post(url, {**seen_by_both, f"code-{first.uuid}": "", f"code-{second.uuid}": REDUCED})

    assert dict(TaxMapping.objects.values_list("tax_rate__uuid", "remote_id")) == {
        first.uuid: STANDARD,
        second.uuid: REDUCED,
    }


def test_tax_code_that_two_people_chose_differently_is_told(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    rate = get_tax_rate(cast.workspace)
    assert f'name="seen-{rate.uuid}" value=""' in owner.get(reverse("manage")).text
    owner.post(reverse("manage_tax"), {f"seen-{rate.uuid}": "", f"code-{rate.uuid}": STANDARD})

    page = owner.post(reverse("manage_tax"), {f"seen-{rate.uuid}": "", f"code-{rate.uuid}": REDUCED}, follow=True)

    assert "Someone else changed these settings meanwhile" in page.text
    assert TaxMapping.objects.get().remote_id == STANDARD


def test_accounts_that_another_chose_meanwhile_stay(owner: Client, connected: FakeLedger) -> None:
    typed = typed_in(owner.get(reverse("manage")).context["accounts"])
    Connection.objects.update(deposit_account_id="another", income_account_id=INCOME)

    answer = owner.post(reverse("manage_accounts"), {**typed, "deposit_account": BANK, "income_account": INCOME})

    assert answer.status_code == 422
    assert "Someone else changed these settings meanwhile" in answer.text
    assert Connection.objects.get().deposit_account_id == "another"
