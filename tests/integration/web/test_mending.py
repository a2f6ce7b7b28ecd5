"""Where a record's page and the cause cards lead: to the place where what stops it is mended, or to who may do that."""

import re
from html import unescape
from importlib import import_module
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from cone.accounting.names import namesakes_to_json
from cone.accounting.port.documents import Kind, Namesake
from cone.accounting.port.verdicts import CauseCode
from cone.books.models import Connection, Customer, Invoice, Link, OutboxRow
from cone.operations.save_accounts import save_accounts
from cone.operations.void_invoice import void_invoice
from cone.operations.void_payment import void_payment
from tests.builders import Cast, get_tax_rate, make_customer, make_invoice, make_payment, make_service
from tests.fakes.ledger import BANK, CLOSED_BANK, INCOME, FakeLedger
from tests.integration.accounting.conftest import configure, connect
from tests.integration.web.conftest import ClientOf

MANAGE = "/settings/integrations/manage"
# From an invoice's own page; "" where the act is on that page itself, or in the accounting software.
FROM_INVOICE = {
    CauseCode.DEFAULT_ACCOUNT_MISSING: f"{MANAGE}#accounts",
    CauseCode.INCOME_ACCOUNT_MISSING: f"{MANAGE}#accounts",
    CauseCode.ACCOUNT_INACTIVE: f"{MANAGE}#accounts",
    CauseCode.INCOME_ACCOUNT_INACTIVE: f"{MANAGE}#accounts",
    CauseCode.ITEM_INACTIVE: f"{MANAGE}#lists",
    CauseCode.TAX_UNMAPPED: MANAGE + "#rate-{rate}",
    CauseCode.TAX_CODE_INACTIVE: MANAGE + "#rate-{rate}",
    CauseCode.TAX_PERCENT_DIFFERS: MANAGE + "#rate-{rate}",
    CauseCode.INVOICE_NOT_THERE: "/invoices/{other}",
    CauseCode.EMAIL_INVALID: "/customers/{customer}/edit",
    CauseCode.EMAIL_MISSING: "/customers/{customer}/edit",
    **dict.fromkeys(
        (
            CauseCode.PERIOD_CLOSED,
            CauseCode.CUSTOMER_CURRENCY_DIFFERS,
            CauseCode.TOO_MANY_LINES,
            CauseCode.TAX_CODES_MIXED,
            CauseCode.TOTAL_WOULD_DIFFER,
            CauseCode.TOTAL_DIFFERS,
            CauseCode.REFERENCE_TOO_LONG,
            CauseCode.REFUSED,
        ),
        "/invoices/{invoice}/edit",
    ),
    **dict.fromkeys(
        (
            CauseCode.NAME_TAKEN,
            CauseCode.NAME_INVALID,
            CauseCode.NUMBER_TAKEN,
            CauseCode.NUMBER_TOO_LONG,
            CauseCode.NUMBER_TAKEN_HERE,
            CauseCode.NUMBER_NOT_GIVEN,
            CauseCode.REFERENCE_MISSING,
            CauseCode.CURRENCY_UNSUPPORTED,
            CauseCode.REMOVAL_PERIOD_CLOSED,
            CauseCode.OUTCOME_UNCERTAIN,
            CauseCode.REMOVED_THERE,
            CauseCode.CUSTOMER_LOST,
            CauseCode.VOIDED_HERE,
            CauseCode.PAYMENT_APPLIED,
        ),
        "",
    ),
}


def block(kind: Kind, uuid: UUID, code: CauseCode, key: str) -> None:
    """As the lane would: the record can't be sent, for this cause."""
    OutboxRow.objects.filter(kind=kind, record_uuid=uuid).update(
        state="blocked", cause_key=key, cause={"code": code.value, "params": {"number": "INV-9", "account": "Sales"}}
    )


def links_in_note(page: str) -> list[str]:
    """The links of the panel's note on what stops the record."""
    note = re.search(
        r'<section class="panel" id="sync-panel".*?<div class="note (?:bad|warn)">(.*?)</div></div>', page, re.DOTALL
    )
    return re.findall(r'<a href="([^"]*)"', note[1]) if note else []


@pytest.mark.parametrize("code", list(CauseCode))
def test_invoice_page_leads_to_where_its_cause_is_mended(
    code: CauseCode, cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    invoice, other = make_invoice(cast.owner, is_issued=True), make_invoice(cast.owner, is_issued=True)
    rate = get_tax_rate(cast.workspace)
    of_rates = (CauseCode.TAX_UNMAPPED, CauseCode.TAX_CODE_INACTIVE, CauseCode.TAX_PERCENT_DIFFERS)
    named = dict.fromkeys(of_rates, rate.uuid) | dict.fromkeys(
        (CauseCode.EMAIL_INVALID, CauseCode.EMAIL_MISSING), invoice.customer.uuid
    )
    block("invoice", invoice.uuid, code, f"{code.value}:{named.get(code, other.uuid)}")

    page = owner.get(reverse("invoice", args=[invoice.uuid])).text

    expected = FROM_INVOICE[code].format(
        rate=rate.uuid, other=other.uuid, invoice=invoice.uuid, customer=invoice.customer.uuid
    )
    assert links_in_note(page) == ([expected] if expected else [])
    assert owner.get(expected or "/").status_code == 200


@pytest.mark.parametrize("code", [CauseCode.PERIOD_CLOSED, CauseCode.REFERENCE_TOO_LONG])
def test_payment_page_leads_to_its_form(code: CauseCode, cast: Cast, owner: Client, connected: FakeLedger) -> None:
    payment = make_payment(cast.owner, make_invoice(cast.owner, is_issued=True))
    block("payment", payment.uuid, code, f"{code.value}:{payment.uuid}")

    page = owner.get(reverse("payment", args=[payment.uuid])).text

    assert links_in_note(page) == [reverse("payment_edit", args=[payment.uuid])]


def test_void_record_has_no_form_to_lead_to(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    payment = make_payment(cast.owner, make_invoice(cast.owner, is_issued=True))
    void_invoice(cast.owner, invoice.uuid)
    void_payment(cast.owner, payment.uuid)
    records: tuple[tuple[Kind, UUID], ...] = ("invoice", invoice.uuid), ("payment", payment.uuid)
    for kind, uuid in records:
        block(kind, uuid, CauseCode.REMOVAL_PERIOD_CLOSED, "removal_period_closed:2099-12-31")

        page = owner.get(reverse(kind, args=[uuid])).text

        assert "The books are closed for what was voided here" in page
        assert "later date" not in page
        assert links_in_note(page) == []


def test_tax_that_the_company_works_out_itself_leads_to_whose_tax_counts(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    block("invoice", invoice.uuid, CauseCode.TOTAL_DIFFERS, f"total_differs:{invoice.uuid}")
    OutboxRow.objects.update(cause={"code": "total_differs", "params": {"mended_by": "tax_source"}})

    page, cards = owner.get(reverse("invoice", args=[invoice.uuid])).text, owner.get(reverse("integrations")).text

    assert links_in_note(page) == [f"{MANAGE}#terms"]
    assert f'href="{MANAGE}#terms">Choose whose sales tax counts</a>' in cards


def test_inactive_account_of_a_service_leads_to_the_service_too(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    save_accounts(cast.owner, deposit_account_id=BANK, income_account_id=INCOME)
    invoice, service = make_invoice(cast.owner, is_issued=True), make_service(cast.owner)
    row = OutboxRow.objects.get(record_uuid=invoice.uuid)
    OutboxRow.objects.filter(pk=row.pk).update(waits_for_kind="service", waits_for_uuid=service.uuid)
    row.pk, row.kind, row.record_uuid = None, "service", service.uuid
    row.save()
    block("service", service.uuid, CauseCode.INCOME_ACCOUNT_INACTIVE, "income_account_inactive:79")

    page = owner.get(reverse("invoice", args=[invoice.uuid])).text

    form = reverse("service_edit", args=[service.uuid])
    assert links_in_note(page) == [f"{MANAGE}#accounts", form]
    assert f'<a class="button small" href="{form}">Open the service</a>' in owner.get(reverse("integrations")).text
    assert links_in_note(owner.get(form).text) == [f"{MANAGE}#accounts"]


def test_who_may_not_mend_is_told_whom_to_ask(cast: Cast, client_of: ClientOf, connected: FakeLedger) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    rate = get_tax_rate(cast.workspace)
    block("invoice", invoice.uuid, CauseCode.TAX_UNMAPPED, f"tax_unmapped:{rate.uuid}")
    biller = client_of(cast.biller)

    page, cards = biller.get(reverse("invoice", args=[invoice.uuid])).text, biller.get(reverse("integrations")).text

    assert links_in_note(page) == []
    assert "your role doesn't allow that; ask an owner." in page
    assert "your role doesn't allow that; ask an owner." in cards
    assert MANAGE not in page + cards


def test_manage_says_when_a_saved_account_is_not_on_offer_any_more(
    owner: Client, cast: Cast, ledger: FakeLedger
) -> None:
    connect(cast.owner, ledger)
    configure(cast.owner)
    assert "The saved" not in owner.get(MANAGE).text

    Connection.objects.update(deposit_account_id=CLOSED_BANK, income_account_id="closed")

    page = owner.get(MANAGE).text
    assert "The saved default account is inactive" in page
    assert "The saved income account is inactive" in page


def lose_customer(company_id: int, customer: Customer, invoice: Invoice, **searched: str) -> None:
    """As the lane would: it was merged there, another one is offered, and its invoice waits."""
    Link.objects.update_or_create(
        company_id=company_id,
        kind="customer",
        record_uuid=customer.uuid,
        defaults={"remote_id": "7", "remote_version": "0", "synced_revision": 1, "standing": "unsure"},
    )
    block("customer", customer.uuid, CauseCode.CUSTOMER_LOST, f"customer_lost:{customer.uuid}")
    row = OutboxRow.objects.get(kind="customer", record_uuid=customer.uuid)
    found = Namesake("customer", "9", "3", "Hatch Group", currency="GBP")
    params = {"lost": "merged or deleted", "advice": "Say which.", "namesakes": namesakes_to_json([found])}
    row.cause = {"code": "customer_lost", "params": params | searched}
    row.save()
    waiting = {"waits_for_kind": "customer", "waits_for_uuid": customer.uuid}
    OutboxRow.objects.filter(kind="invoice", record_uuid=invoice.uuid).update(**waiting)


def test_namesake_that_is_another_customer_of_ours_says_only_what_can_be_chosen(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    customer = make_customer(cast.owner, "Twin Ltd")
    block("customer", customer.uuid, CauseCode.NAME_TAKEN, f"name_taken:{customer.uuid}")
    row = OutboxRow.objects.get(kind="customer", record_uuid=customer.uuid)
    ours = Namesake("customer", "9", "3", "Twin Ltd", obstacle="ours")
    row.cause = {"code": "name_taken", "params": {"namesakes": namesakes_to_json([ours])}}
    row.save()

    page = owner.get(reverse("customer", args=[customer.uuid])).text

    assert "another customer of yours is this one already, so this one needs a name of its own" in page
    assert "Send with a suffix" in page
    # Nobody was lost: nothing is to be made there again.
    assert "made there again" not in page


def test_preview_of_a_name_that_will_be_taken_says_whose_it_is_and_offers_nothing_before_anybody_is_asked(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    configure(cast.owner)
    for _ in range(2):
        make_customer(cast.owner, "Twin Ltd")

    page = unescape(owner.get(reverse("preview")).text)

    assert "Another customer of yours is called Twin Ltd, too" in page
    # Neither is there: nothing is used, nothing can be changed there, and nothing needs to be sent again.
    assert "already" not in page
    assert "the other one there" not in page
    assert "Sync now" not in page
    assert "so this one needs a name of its own" not in page
    assert "Send with a suffix" not in page


def test_preview_of_a_customer_whose_name_was_refused_offers_the_choices(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    configure(cast.owner)
    # The second is foreseen to meet the first, too; what was found there is what is to be chosen from.
    _, customer = (make_customer(cast.owner, "Twin Ltd") for _ in range(2))
    block("customer", customer.uuid, CauseCode.NAME_TAKEN, f"name_taken:{customer.uuid}")
    found = [Namesake("customer", "9", "3", "Twin Ltd", email="twin@there.example")]
    cause = {"code": "name_taken", "params": {"namesakes": namesakes_to_json(found)}}
    settings_revision = Connection.objects.get().settings_revision
    OutboxRow.objects.filter(record_uuid=customer.uuid).update(cause=cause, blocked_settings_revision=settings_revision)

    page = unescape(owner.get(reverse("preview")).text)

    assert "The name Twin Ltd is already used in Fake Ledger" in page
    assert "twin@there.example" in page
    assert "It's this one: link" in page
    assert "Send with a suffix" in page


def test_search_that_found_nobody_says_what_to_type_and_nothing_leads_to_where_one_is(
    cast: Cast, owner: Client, client_of: ClientOf, connected: FakeLedger
) -> None:
    customer = make_customer(cast.owner)
    invoice = make_invoice(cast.owner, customer=customer, is_issued=True)
    company_id = Connection.objects.get(workspace=cast.workspace).company_id
    lose_customer(company_id, customer, invoice, looked_for="<Hatsch", search="none")
    address = reverse("customer", args=[customer.uuid])

    for page in (address, reverse("invoice", args=[invoice.uuid]), reverse("integrations")):
        shown = owner.get(page).text
        assert "begins with “&lt;Hatsch”" in shown
        assert "Type the beginning of its name as it is there." in shown
        # The choices stand there.
        assert "Choose the customer" not in shown
        assert links_in_note(shown) == []
    told = client_of(cast.bookkeeper).get(address).text
    assert "Choose the customer: your role doesn't allow that; ask an owner." in told
    assert f'href="{address}">Choose the customer</a>' in owner.get(reverse("dashboard")).text


def test_lost_customer_is_looked_for_linked_or_made_anew_from_its_card(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    customer = make_customer(cast.owner)
    invoice = make_invoice(cast.owner, customer=customer, is_issued=True)
    company_id = Connection.objects.get(workspace=cast.workspace).company_id

    def lose() -> None:
        lose_customer(company_id, customer, invoice)

    def post(act: str, **typed: str) -> str:
        return owner.post(reverse(act, args=[customer.uuid]), typed, follow=True).text

    lose()
    for page in (
        reverse("integrations"),
        reverse("customer", args=[customer.uuid]),
        reverse("invoice", args=[invoice.uuid]),
    ):
        shown = owner.get(page).text
        for name in ("customer_link", "customer_look_for", "customer_make_anew"):
            assert shown.count(reverse(name, args=[customer.uuid])) == 1, (page, name)
    assert "Type how its name begins there" in post("customer_look_for", name=" ")
    assert "Looking for it there" in post("customer_look_for", name="Hatch Group")
    link = Link.objects.get(kind="customer", record_uuid=customer.uuid)
    assert (link.answer["looked_for"], link.standing) == ("Hatch Group", "unsure")
    # It's being looked for now: nothing is to be decided, and whoever is second is told so.
    assert "That was decided meanwhile" in post("customer_make_anew")
    assert "That was decided meanwhile" in post("customer_link", remote_id="9")
    assert Link.objects.filter(kind="customer", record_uuid=customer.uuid).exists()

    lose()
    post("customer_link", remote_id="8")
    assert Link.objects.get(kind="customer", record_uuid=customer.uuid).remote_id == "7"
    assert "Linked." in post("customer_link", remote_id="9")
    link = Link.objects.get(kind="customer", record_uuid=customer.uuid)
    assert (link.remote_id, link.standing, link.synced_revision) == ("9", "live", 0)

    lose()
    assert "made there again" in post("customer_make_anew")
    assert not Link.objects.filter(kind="customer", record_uuid=customer.uuid).exists()


def test_invoices_refused_for_an_address_before_the_upgrade_are_tried_again_once(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    earlier, now, other = (make_invoice(cast.owner, is_issued=True) for _ in range(3))
    block("invoice", earlier.uuid, CauseCode.EMAIL_INVALID, f"email_invalid:{earlier.uuid}")
    block("invoice", now.uuid, CauseCode.EMAIL_INVALID, f"email_invalid:{now.customer.uuid}")
    block("invoice", other.uuid, CauseCode.REFUSED, f"refused:{other.uuid}")

    [upgrade] = import_module("cone.books.migrations.0020_email_causes").Migration.operations
    with connection.cursor() as cursor:
        cursor.execute(upgrade.sql)

    rows = dict(OutboxRow.objects.filter(kind="invoice").values_list("record_uuid", "state"))
    assert rows == {earlier.uuid: "due", now.uuid: "blocked", other.uuid: "blocked"}
    released = OutboxRow.objects.get(record_uuid=earlier.uuid)
    assert (released.cause_key, released.cause) == (None, None)
    page = owner.get(reverse("integrations")).text
    assert f"/customers/{earlier.uuid}/edit" not in page
    assert f"/customers/{now.customer.uuid}/edit" in page


def test_lost_customer_holds_back_changes_too_and_says_so(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    customer = make_customer(cast.owner)
    block("customer", customer.uuid, CauseCode.CUSTOMER_LOST, f"customer_lost:{customer.uuid}")

    assert "What is new or changed for it waits." in owner.get(reverse("integrations")).text
