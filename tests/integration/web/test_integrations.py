"""Settings › Integrations: cards, the way there and back, Manage, pause, causes, the sync panel, disconnecting."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cone.accounting.port.company import EnvironmentName
from cone.accounting.registry import register, unregister
from cone.books.models import Attempt, Connection, Invoice, Link, OutboxRow, TaxMapping
from cone.operations.pause_sync import pause_sync
from cone.operations.send_existing_invoices import send_existing_invoices
from cone.web.formats import show_day
from tests.builders import Cast, get_no_tax, get_tax_rate, make_customer, make_invoice
from tests.fakes.ledger import BANK, CLOSED_BANK, INCOME, REDUCED, STANDARD, ZERO, FakeLedger
from tests.integration.accounting.conftest import configure, connect
from tests.integration.web.conftest import ClientOf

INTEGRATIONS, MANAGE = "/settings/integrations", "/settings/integrations/manage"


def card(page: str, key: str) -> str:
    """The part of the page that is one provider's card."""
    found = re.search(rf'<article class="panel" aria-labelledby="{key}-name">.*?</article>', page, re.DOTALL)
    assert found, f"no card {key}"
    return found.group()


def go_to_sign_in(client: Client, ledger: FakeLedger) -> dict[str, str]:
    """Press Connect; what the provider's sign-in is told."""
    answer = client.post(reverse("connect", args=[ledger.key]))
    assert answer.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def come_back(client: Client, ledger: FakeLedger, **query: str) -> str:
    """Follow the provider's redirect; the page it ends at, as text."""
    answer = client.get(reverse("callback", args=[ledger.key]), query, follow=True)
    assert answer.redirect_chain[-1][0] == INTEGRATIONS
    return unescape(answer.text)


def block(invoice: Invoice, key: str, code: str, **params: str) -> None:
    """As the lane would: the invoice can't be sent, for this cause."""
    OutboxRow.objects.filter(record_uuid=invoice.uuid).update(
        state="blocked", cause_key=key, cause={"code": code, "params": params}
    )


def test_unconnected_cards_offer_what_can_be_connected(owner: Client, ledger: FakeLedger) -> None:
    page = owner.get(INTEGRATIONS).text

    assert reverse("connect", args=[ledger.key]) in card(page, ledger.key)
    assert "Not available in this version" in card(page, "xero")
    assert "<button" not in card(page, "xero")


def test_connecting_returns_with_the_company_and_its_environment(owner: Client, ledger: FakeLedger) -> None:
    started = go_to_sign_in(owner, ledger)

    page = come_back(owner, ledger, state=started["state"], **ledger.sign_in())

    company = Connection.objects.get().company_name
    assert f"Connected to {company}." in page
    assert company in card(page, ledger.key)
    assert "Emulator" in card(page, ledger.key)
    assert "Manage" in card(page, ledger.key)


def test_connect_returns_to_the_address_that_was_registered(owner: Client, ledger: FakeLedger) -> None:
    started = go_to_sign_in(owner, ledger)

    assert started["redirect_uri"].endswith(f"/settings/integrations/{ledger.key}/callback")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"error": "access_denied"}, "The sign-in was cancelled there, so nothing was connected."),
        ({"state": "made up"}, "This return belongs to no sign-in started in this browser."),
        ({}, "This return belongs to no sign-in started in this browser."),
    ],
)
def test_refused_return_says_why_and_connects_nothing(
    query: dict[str, str], message: str, owner: Client, ledger: FakeLedger
) -> None:
    started = go_to_sign_in(owner, ledger)
    state = {"state": started["state"]} if "error" in query else {}

    page = come_back(owner, ledger, **{**ledger.sign_in(), **state, **query})

    assert message in page
    assert not Connection.objects.exists()


def test_return_that_comes_twice_is_refused(owner: Client, ledger: FakeLedger) -> None:
    started = go_to_sign_in(owner, ledger)
    query = {**ledger.sign_in(), "state": started["state"]}
    come_back(owner, ledger, **query)

    assert "This sign-in was used already." in come_back(owner, ledger, **query)
    assert Connection.objects.count() == 1


def test_return_in_another_browser_is_refused(
    cast: Cast, client_of: ClientOf, owner: Client, ledger: FakeLedger
) -> None:
    started = go_to_sign_in(owner, ledger)

    page = come_back(client_of(cast.owner), ledger, state=started["state"], **ledger.sign_in())

    assert "This return belongs to no sign-in started in this browser." in page
    assert not Connection.objects.exists()


@pytest.fixture
def second() -> Iterator[FakeLedger]:
    """A third provider on offer: connectable, were it not for the one that's connected."""
    fake = FakeLedger(key="second", name="Second Ledger")
    register(fake)
    yield fake
    unregister(fake.key)


def test_while_one_is_connected_the_other_says_what_to_do(
    owner: Client, connected: FakeLedger, second: FakeLedger
) -> None:
    blocked = card(owner.get(INTEGRATIONS).text, second.key)

    assert "Only one can be connected at a time. To use Second Ledger, disconnect Fake Ledger first." in blocked
    assert "<button" not in blocked


def test_second_connection_is_refused_though_asked_for_directly(
    owner: Client, connected: FakeLedger, second: FakeLedger
) -> None:
    answer = owner.post(reverse("connect", args=[second.key]), follow=True)

    assert answer.redirect_chain == [(INTEGRATIONS, 302)]
    assert "Fake Ledger is connected. Only one accounting software can be connected at a time" in answer.text
    assert Connection.objects.values_list("provider").get() == (connected.key,)


def test_manage_without_a_connection_leads_back(owner: Client) -> None:
    answer = owner.get(MANAGE, follow=True)

    assert answer.redirect_chain == [(INTEGRATIONS, 302)]
    assert "No accounting software is connected" in answer.text


def test_manage_suggests_and_saves_nothing_by_itself(owner: Client, connected: FakeLedger) -> None:
    page = owner.get(MANAGE).text

    assert page.count("Suggested, not saved") >= 2
    assert f'<option value="{STANDARD}" selected>' in page
    assert not TaxMapping.objects.exists()


def test_manage_offers_active_bank_accounts_only(owner: Client, connected: FakeLedger) -> None:
    page = owner.get(MANAGE).text
    offered = re.search(r'<select name="deposit_account".*?</select>', page, re.DOTALL)

    assert offered
    assert re.findall(r'value="([^"]*)"', offered.group()) == ["", BANK, "36"]
    assert "Change its category in" in page


def test_saved_codes_are_kept_and_shown(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    rate, none = get_tax_rate(cast.workspace), get_no_tax(cast.workspace)

    page = owner.post(
        reverse("manage_tax"), {f"code-{rate.uuid}": REDUCED, f"code-{none.uuid}": ZERO}, follow=True
    ).text

    saved = dict(TaxMapping.objects.values_list("tax_rate__name", "remote_id"))
    assert saved == {rate.name: REDUCED, none.name: ZERO}
    assert "Tax codes saved" in page
    assert "5" in re.findall(r'<p class="tag">.*?</p>', page[page.index(f"rate-{rate.uuid}") :], re.DOTALL)[0]


@pytest.mark.parametrize("code", ["17S", "nonsense", "9" * 500])
def test_code_that_the_company_does_not_offer_is_refused(
    code: str, cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    page = owner.post(reverse("manage_tax"), {f"code-{get_tax_rate(cast.workspace).uuid}": code}, follow=True).text

    assert "The company doesn&#x27;t have that tax code" in page
    assert not TaxMapping.objects.exists()


def test_rate_of_another_firm_is_not_found(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    theirs = get_tax_rate(cast.outsider.workspace)

    assert owner.post(reverse("manage_tax"), {f"code-{theirs.uuid}": STANDARD}).status_code == 404
    assert not TaxMapping.objects.exists()


def test_accounts_are_saved(owner: Client, connected: FakeLedger) -> None:
    page = owner.post(reverse("manage_accounts"), {"deposit_account": BANK, "income_account": INCOME}, follow=True).text

    assert "Accounts saved" in page
    assert Connection.objects.values_list("deposit_account_id", "income_account_id").get() == (BANK, INCOME)


@pytest.mark.parametrize("account", ["", CLOSED_BANK, INCOME, "nonsense"])
def test_account_that_is_not_on_offer_is_refused_beside_its_field(
    account: str, owner: Client, connected: FakeLedger
) -> None:
    answer = owner.post(reverse("manage_accounts"), {"deposit_account": account, "income_account": INCOME})

    assert answer.status_code == 422
    assert 'id="id_deposit_account_error"' in answer.text
    assert Connection.objects.get().deposit_account_id == ""


def test_page_of_a_run_is_the_firms_own_and_its_acts_are_the_owners(
    cast: Cast, owner: Client, ledger: FakeLedger, client_of: ClientOf
) -> None:
    make_invoice(cast.owner, is_issued=True)
    connect(cast.owner, ledger)
    run = send_existing_invoices(cast.owner, date(2020, 1, 1))
    pages = [reverse(name, args=[run.uuid]) for name in ("run", "run_progress")]
    acts = [reverse(name, args=[run.uuid]) for name in ("run_cancel", "run_undo")]

    assert [client_of(cast.bookkeeper).get(page).status_code for page in pages] == [200, 200]
    assert [client_of(cast.outsider).get(page).status_code for page in pages] == [404, 404]
    assert [client_of(cast.biller).post(act).status_code for act in acts] == [403, 403]
    assert "0 of 1 sent, 1 to go" in owner.get(pages[0]).text
    # It can't be undone while it's sending; stopped, there's nothing to take back.
    assert "Stop it first" in owner.post(acts[1], {"by": "delete"}, follow=True).text
    assert "Stopped." in owner.post(acts[0], follow=True).text
    assert "Nothing of it can be taken back" in owner.get(acts[1]).text
    assert not OutboxRow.objects.filter(kind="invoice").exists()


def test_existing_invoices_are_previewed_before_they_are_sent(cast: Cast, owner: Client, ledger: FakeLedger) -> None:
    make_invoice(cast.owner, is_issued=True)
    make_invoice(cast.owner, make_customer(cast.owner, "Second"), is_issued=True)
    come_back(owner, ledger, state=go_to_sign_in(owner, ledger)["state"], **ledger.sign_in())

    foreseen = owner.get(reverse("preview"), {"from_date": "2020-01-01"}).text
    before = OutboxRow.objects.filter(kind="invoice").count()
    sent = owner.post(reverse("run_start"), {"from_date": "2020-01-01"}, follow=True).text

    assert "Send 2 invoices" in foreseen
    assert "Choose the default account" in foreseen
    assert before == 0
    assert "Existing invoices are on their way." in sent
    assert OutboxRow.objects.filter(kind="invoice").count() == 2
    assert '<progress max="2" value="0"' in sent
    again = owner.post(reverse("run_start"), {"from_date": "2020-01-01"}, follow=True).text
    assert "is sending existing invoices since" in again


@pytest.mark.parametrize("day", ["", "soon", "2026-02-30"])
def test_start_date_that_is_none_is_refused_beside_its_field(day: str, owner: Client, connected: FakeLedger) -> None:
    answer = owner.post(reverse("run_start"), {"from_date": day})

    assert answer.status_code == 422
    assert 'id="id_from_date_error"' in answer.text
    assert not OutboxRow.objects.exists()


def test_paused_sync_says_so_on_every_page_and_counts(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    owner.post(reverse("pause"))
    make_customer(cast.owner)

    assert "is paused. 1 waiting; nothing is lost." in owner.get(reverse("dashboard")).text
    assert "<dt>Held while paused</dt><dd>1</dd>" in card(owner.get(INTEGRATIONS).text, connected.key)
    owner.post(reverse("resume"))
    assert "is paused" not in owner.get(reverse("dashboard")).text


@pytest.mark.parametrize(
    ("state", "words"),
    [("needs_reconnect", "needs you to connect again"), ("read_only", "Nothing can be sent to Fake Ledger")],
)
def test_connection_that_needs_a_person_says_so_on_every_page(
    state: str, words: str, owner: Client, connected: FakeLedger
) -> None:
    Connection.objects.update(state=state, state_reason="because")

    assert words in owner.get(reverse("customers")).text
    assert ("Reconnect" in card(owner.get(INTEGRATIONS).text, connected.key)) is (state == "needs_reconnect")


def test_cause_is_one_card_with_the_act_that_mends_it(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    rate = get_tax_rate(cast.workspace)
    issued = [make_invoice(cast.owner, is_issued=True) for _ in range(2)]
    for entry in issued:
        block(entry, f"tax_unmapped:{rate.uuid}", "tax_unmapped", rate=rate.name, percent="20")

    page = owner.get(INTEGRATIONS).text

    assert page.count('<article class="cause">') == 1
    assert "VAT 20% is not mapped" in page
    assert "2 records" in page
    assert f'href="{MANAGE}#rate-{rate.uuid}"' in page
    assert issued[0].number
    assert issued[0].number in page


def test_invoice_that_failed_names_the_cause_and_leads_to_the_mapping(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    rate = get_tax_rate(cast.workspace)
    issued = make_invoice(cast.owner, is_issued=True)
    block(issued, f"tax_unmapped:{rate.uuid}", "tax_unmapped", rate=rate.name, percent="20")

    page = owner.get(reverse("invoice", args=[issued.uuid])).text

    assert "Needs attention" in page
    assert "VAT 20% is not mapped" in page
    assert f'href="{MANAGE}#rate-{rate.uuid}"' in page
    assert 'hx-trigger="every' not in page


def test_panel_looks_again_while_the_invoice_is_on_its_way(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    configure(cast.owner)
    issued = make_invoice(cast.owner, is_issued=True)
    url = reverse("sync_panel", args=["invoice", issued.uuid])

    waiting = owner.get(url, headers={"HX-Request": "true"}).text
    company = Connection.objects.get().company
    OutboxRow.objects.all().delete()
    Link.objects.create(
        company=company,
        kind="invoice",
        record_uuid=issued.uuid,
        remote_id="77",
        remote_version="0",
        synced_revision=issued.revision,
    )
    synced = owner.get(url, headers={"HX-Request": "true"}).text

    assert ("Waiting" in waiting, 'hx-trigger="every 2s"' in waiting) == (True, True)
    assert ("Synced" in synced, "hx-trigger" in synced) == (True, False)
    assert f"View in {connected.name}" in synced


@pytest.mark.parametrize(
    ("used_up", "is_sent", "words"),
    [
        ("reads", True, "Fake Ledger didn't answer, and the month's allowance of reads is used up. Cone looks on "),
        ("reads", False, "This begins with a look at what stands in Fake Ledger, and the month's allowance of reads"),
        ("everything", False, "The month's allowance of requests to Fake Ledger is used up, so this goes on "),
    ],
)
def test_panel_says_until_when_a_used_up_allowance_holds_it(
    cast: Cast, owner: Client, connected: FakeLedger, used_up: str, is_sent: bool, words: str
) -> None:
    issued = make_invoice(cast.owner, is_issued=True)
    until = timezone.now() + timedelta(days=9)
    held = {"not_before": until, "is_allowance_used": True} if used_up == "everything" else {"reads_not_before": until}
    Connection.objects.update(**held)
    row = OutboxRow.objects.filter(record_uuid=issued.uuid)
    row.update(not_before=timezone.now() if is_sent else until)
    if is_sent:
        Attempt.objects.create(
            company=row.get().company,
            connection=Connection.objects.get(),
            kind="invoice",
            record_uuid=issued.uuid,
            revision=issued.revision,
            operation="create",
            generation=1,
            request_id="1",
            request_line="create invoice",
            body=b"{}",
            lane_epoch=0,
        )

    page = unescape(owner.get(reverse("sync_panel", args=["invoice", issued.uuid])).text)

    assert f"{words}{'' if words.endswith('reads') else show_day(until.date())}" in page
    assert ("Waiting for allowance" in page, 'hx-trigger="every 10s"' in page) == (True, True)
    assert "Once the allowance is raised, press Sync now." in page
    assert "Waiting for allowance" in owner.get(reverse("invoices")).text
    Connection.objects.update(not_before=timezone.now(), is_allowance_used=False, reads_not_before=None)
    assert "allowance" not in owner.get(reverse("sync_panel", args=["invoice", issued.uuid])).text


def test_refused_fragment_sends_the_browser_to_the_page_with_the_message(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    issued = make_invoice(cast.owner, is_issued=True)
    pause_sync(cast.owner)

    answer = owner.post(reverse("sync_now", args=["invoice", issued.uuid]), headers={"HX-Request": "true"})

    page = reverse("invoice", args=[issued.uuid])
    assert (answer.status_code, answer.headers["HX-Redirect"], answer.text) == (200, page, "")
    assert "The sync is paused" in owner.get(page).text


def test_diagram_counts_what_travels(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    make_customer(cast.owner)
    make_invoice(cast.owner, make_customer(cast.owner, "Second"), is_issued=True)

    drawing = owner.get(reverse("integrations_flow")).text

    assert "Customers: 0 synced, 2 waiting, 0 need attention." in drawing
    assert "Issued invoices: 0 synced, 1 waiting, 0 need attention." in drawing
    assert "Payments: 0 synced, 0 waiting, 0 need attention." in drawing
    assert "<html" not in drawing


def test_disconnecting_asks_first_and_then_removes_the_settings(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    configure(cast.owner)

    asked = owner.get(reverse("disconnect")).text
    dialog = owner.get(INTEGRATIONS).text
    still = TaxMapping.objects.exists()
    done = owner.post(reverse("disconnect"), follow=True).text

    for page in (asked, dialog):
        assert "the tax code chosen for each tax rate" in page
        assert "the default account and the income account" in page
    assert still
    assert "is disconnected and its settings are removed." in done
    assert not TaxMapping.objects.exists()
    assert not Connection.objects.exclude(state="disconnected").exists()


def test_what_is_not_synced_is_said(owner: Client) -> None:
    page = owner.get(INTEGRATIONS).text

    for words in ("Inventory items", "Employee records", "Custom fields without a counterpart"):
        assert words in page


@pytest.mark.parametrize("environment", ["emulator", "sandbox", "production"])
def test_m05_card_and_manage_show_which_of_the_three_it_is(
    environment: EnvironmentName, cast: Cast, owner: Client, ledger: FakeLedger
) -> None:
    ledger.environment = environment
    come_back(owner, ledger, state=go_to_sign_in(owner, ledger)["state"], **ledger.sign_in())
    shown = owner.get("/settings/integrations").text
    assert f'badge {environment}"' in card(shown, ledger.key)
    assert f'badge {environment}"' in owner.get("/settings/integrations/manage").text


def test_unknown_kinds_and_hostile_causes_are_no_errors_of_ours(owner: Client, connected: FakeLedger) -> None:
    assert owner.post(f"/sync/x/{uuid4()}/now").status_code == 404
    assert owner.post(f"/sync/payment/{uuid4()}/now").status_code == 404
    for key in ("\0", "tax_unmapped:\0", "x" * 10_000):
        assert owner.post("/settings/integrations/sync", {"cause": key}).status_code == 302


def test_sync_now_says_that_a_sign_in_is_needed(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    Connection.objects.update(state="needs_reconnect")
    answer = owner.post(f"/sync/invoice/{invoice.uuid}/now", follow=True)
    assert "sign in again" in answer.text
