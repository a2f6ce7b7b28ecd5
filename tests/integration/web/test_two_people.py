"""Two people at one page: the second to save is told, and nothing of the first is overwritten unseen."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.forms import Form
from django.test import Client
from django.urls import reverse

from cone.books.models import (
    Connection,
    Customer,
    Invoice,
    Membership,
    Payment,
    Service,
    TaxMapping,
    TaxRate,
    Workspace,
)
from cone.operations.actor import Actor
from cone.operations.void_invoice import void_invoice
from tests.builders import Cast, get_tax_rate, make_customer, make_invoice, make_payment
from tests.fakes.ledger import BANK, INCOME, REDUCED, STANDARD, FakeLedger
from tests.integration.web.conftest import Books, address

pytestmark = pytest.mark.django_db
TOLD = "Someone else changed this meanwhile; reload the page and make your change again."
TOLD_OF_SETTINGS = "Someone else changed these settings meanwhile; nothing was saved."


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


@pytest.mark.parametrize("page", ["customer_edit", "service_edit", "tax_rate_edit", "workspace"])
def test_same_changes_sent_twice_are_nobody_elses(owner: Client, books: Books, page: str) -> None:
    url = address(page, books)
    typed = {**typed_in(owner.get(url).context["form"]), "name": "Renamed"}
    first = owner.post(url, typed)

    again = owner.post(url, typed, follow=True)

    assert first.status_code == 302
    assert again.redirect_chain == [(first["Location"], 302)]
    assert "Changes saved." in again.text


def test_same_edit_of_an_invoice_or_payment_sent_twice_is_nobody_elses(cast: Cast, owner: Client) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    payment = make_payment(cast.owner, make_invoice(cast.owner, is_issued=True))
    for page, record, field in (("invoice_edit", invoice, "memo"), ("payment_edit", payment, "reference")):
        url = reverse(page, args=[record.uuid])
        context = owner.get(url).context
        typed = typed_in(context["form"]) | {field: "changed", "action": "save"}
        for line in context.get("lines", ()):
            typed |= typed_in(line.form)
        first = owner.post(url, typed)

        again = owner.post(url, typed, follow=True)

        assert (first.status_code, again.redirect_chain) == (302, [(first["Location"], 302)])
        assert "Changes saved." in again.text
        record.refresh_from_db()
        assert record.revision == 2 + (page == "invoice_edit")


def test_second_to_save_the_firm_is_told_and_overwrites_nothing(cast: Cast, owner: Client) -> None:
    url = reverse("workspace")
    seen_by_both = typed_in(owner.get(url).context["form"])
    assert owner.post(url, {**seen_by_both, "invoice_prefix": "FIRST-"}).status_code == 302

    answer = owner.post(url, {**seen_by_both, "phone": "020 7946 0000"})

    assert (answer.status_code, TOLD in answer.text) == (422, True)
    assert "020 7946 0000" in answer.text
    firm = Workspace.objects.get(pk=cast.workspace.pk)
    assert (firm.invoice_prefix, firm.phone, firm.revision) == ("FIRST-", "", 2)
    fresh = typed_in(owner.get(url).context["form"])
    assert owner.post(url, {**fresh, "phone": "020 7946 0000"}).status_code == 302


@pytest.mark.parametrize(
    ("meanwhile", "payments", "said"),
    [
        (make_payment, 1, "A paid invoice can't take a payment: void the payment first, or make a new invoice."),
        (
            lambda actor, invoice: void_invoice(actor, invoice.uuid),
            0,
            "A void invoice can't take a payment: make a new invoice instead.",
        ),
    ],
    ids=["paid", "void"],
)
def test_payment_of_an_invoice_that_somebody_closed_meanwhile_says_that_nothing_was_recorded_and_why(
    meanwhile: Callable[[Actor, Invoice], object], payments: int, said: str, cast: Cast, owner: Client
) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    meanwhile(cast.owner, invoice)

    typed = {"amount": "120.00", "received_date": "2026-03-02", "method": "", "reference": ""}
    page = owner.post(reverse("invoice_payment", args=[invoice.uuid]), typed)

    assert (page.status_code, Payment.objects.count()) == (422, payments)
    assert f"Nothing was recorded. {said}" in unescape(page.text)


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


def hidden_in(page: str) -> dict[str, str]:
    """What a page says that it showed."""
    return dict(re.findall(r'<input type="hidden" name="(seen[^"]*)" value="([^"]*)">', page))


def test_term_left_alone_keeps_what_another_answered_meanwhile(owner: Client, connected: FakeLedger) -> None:
    seen_by_both = hidden_in(owner.get(reverse("manage")).text)
    assert (seen_by_both["seen-name_policy"], seen_by_both["seen-item_mode"]) == ("ask", "each")
    owner.post(reverse("manage_terms"), {**seen_by_both, "name_policy": "suffix", "item_mode": "each"})

    page = owner.post(reverse("manage_terms"), {**seen_by_both, "name_policy": "ask", "item_mode": "one"}, follow=True)

    assert "Saved." in page.text
    active = Connection.objects.get()
    assert (active.name_policy, active.item_mode) == ("suffix", "one")


def test_term_that_two_people_answered_differently_is_told_and_nothing_saved(
    owner: Client, connected: FakeLedger
) -> None:
    # Three answers, so that two people can both choose another one: the company changed how it numbers meanwhile.
    seen_by_both = hidden_in(owner.get(reverse("manage")).text)
    Connection.objects.update(number_mode="sequence")

    page = owner.post(
        reverse("manage_terms"), {**seen_by_both, "number_mode": "custom", "item_mode": "one"}, follow=True
    )

    assert TOLD_OF_SETTINGS in page.text
    active = Connection.objects.get()
    assert (active.number_mode, active.item_mode) == ("sequence", "each")


def test_removal_policy_that_another_chose_meanwhile_stays(owner: Client, connected: FakeLedger) -> None:
    url, seen = reverse("manage_removals"), hidden_in(owner.get(reverse("manage")).text)["seen"]
    owner.post(url, {"seen": seen, "removal_policy": "delete", "is_understood": "yes"})

    asked = owner.post(url, {"seen": seen, "removal_policy": "void"})
    kept = hidden_in(asked.text)["seen"]
    page = owner.post(url, {"seen": kept, "removal_policy": "void", "is_understood": "yes"}, follow=True)

    assert (seen, kept) == ("leave", "leave")
    assert TOLD_OF_SETTINGS in page.text
    assert Connection.objects.get().removal_policy == "delete"


def test_removal_policy_left_as_it_was_is_not_called_saved_where_another_chose(
    owner: Client, connected: FakeLedger
) -> None:
    owner.post(reverse("manage_removals"), {"seen": "leave", "removal_policy": "delete", "is_understood": "yes"})

    page = owner.post(reverse("manage_removals"), {"seen": "leave", "removal_policy": "leave"}, follow=True)

    assert TOLD_OF_SETTINGS in page.text
    assert Connection.objects.get().removal_policy == "delete"


def test_role_that_another_gave_meanwhile_stays(cast: Cast, owner: Client) -> None:
    member = Membership.objects.get(workspace=cast.workspace, role="biller")
    assert hidden_in(owner.get(reverse("team")).text)["seen"] in ("biller", "bookkeeper")
    url = reverse("member_role", args=[member.pk])
    owner.post(url, {"seen": "biller", "role": "bookkeeper"})

    page = owner.post(url, {"seen": "biller", "role": "owner"}, follow=True)

    assert TOLD_OF_SETTINGS in page.text
    assert Membership.objects.get(pk=member.pk).role == "bookkeeper"
