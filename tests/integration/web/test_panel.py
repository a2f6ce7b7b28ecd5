"""What the sync panel says of a record that waits: one sentence, and only what comes true."""

import re
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from cone.books.models import Connection, Customer, Link, OutboxRow
from cone.operations.disconnect_provider import disconnect_provider
from cone.operations.pause_sync import pause_sync
from cone.operations.send_existing_invoices import send_existing_invoices
from cone.operations.void_invoice import void_invoice
from tests.builders import Cast, make_customer, make_invoice
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import connect

BY_ITSELF = "Goes by itself as soon as Fake Ledger can take it."
RECONNECTED = "Goes once Fake Ledger is connected again."
RESUMED = "Sync is paused. The latest state is sent when you resume."
CONNECTED = "Nothing is connected. Goes once the same company in Fake Ledger is connected again, under Integrations."


def read_panel(owner: Client, customer: Customer) -> str:
    return owner.get(reverse("sync_panel", args=["customer", customer.uuid])).text


def sentences_in(panel: str) -> list[str]:
    return [re.sub("<[^>]*>", "", each) for each in re.findall(r'<p class="muted">(.*?)</p>', panel)]


@pytest.mark.parametrize(
    ("state", "said", "again"),
    [
        ("connected", [BY_ITSELF], "every 2s"),
        ("needs_reconnect", [RECONNECTED], "every 10s"),
        # The banner says what its settings refuse.
        ("read_only", [], "every 10s"),
    ],
)
def test_record_that_waits_says_when_it_goes(
    state: str, said: list[str], again: str, cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    customer = make_customer(cast.owner)
    Connection.objects.update(state=state, state_reason="because")

    panel = read_panel(owner, customer)

    assert sentences_in(panel) == said
    assert again in panel


@pytest.mark.parametrize(
    ("state", "said", "word"),
    [
        ("connected", RESUMED, "Held while paused"),
        ("needs_reconnect", "Goes once Fake Ledger is connected again and the sync is resumed.", "Waiting"),
        ("read_only", "Goes once Fake Ledger can be written to again and the sync is resumed.", "Waiting"),
        ("disconnecting", CONNECTED, "Waiting"),
    ],
)
def test_record_that_waits_while_paused_says_what_has_to_happen_first(
    state: str, said: str, word: str, cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    customer = make_customer(cast.owner)
    pause_sync(cast.owner)
    Connection.objects.update(state=state, state_reason="because")

    panel = read_panel(owner, customer)

    assert sentences_in(panel) == [said]
    for page in (panel, owner.get(reverse("customers")).text):
        assert word in page
        assert ("Held while paused" in page) is (state == "connected")


def test_record_that_waits_for_another_says_so_only_while_it_can_go(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    customer = make_customer(cast.owner, "Anna")
    invoice = make_invoice(cast.owner, customer, is_issued=True)
    OutboxRow.objects.filter(kind="invoice").update(waits_for_kind="customer", waits_for_uuid=customer.uuid)
    url = reverse("sync_panel", args=["invoice", invoice.uuid])

    assert sentences_in(owner.get(url).text) == ["Goes as soon as the customer Anna is there."]
    Connection.objects.update(state="needs_reconnect")
    assert sentences_in(owner.get(url).text) == [RECONNECTED]


def test_record_that_waits_while_nothing_is_connected_says_what_to_do(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    customer = make_customer(cast.owner)
    company = Connection.objects.get().company
    Link.objects.create(
        company=company,
        kind="customer",
        record_uuid=customer.uuid,
        remote_id="7",
        remote_version="0",
        synced_revision=1,
        answer={},
    )
    disconnect_provider(cast.owner)
    assert OutboxRow.objects.filter(kind="customer").count() == 1

    panel = read_panel(owner, customer)

    assert sentences_in(panel) == [CONNECTED]
    assert "hx-trigger" not in panel


def test_invoice_of_a_run_says_after_a_disconnect_that_it_goes_on(
    cast: Cast, owner: Client, ledger: FakeLedger
) -> None:
    """As its run's page says; what belongs to none stays here."""
    of_run = make_invoice(cast.owner, is_issued=True)
    connect(cast.owner, ledger)
    run = send_existing_invoices(cast.owner, date(2020, 1, 1))
    disconnect_provider(cast.owner)
    beside = make_invoice(cast.owner, is_issued=True)
    assert "Goes on once the same company is connected again." in owner.get(reverse("run", args=[run.uuid])).text

    panel = owner.get(reverse("sync_panel", args=["invoice", of_run.uuid])).text

    assert sentences_in(panel) == [CONNECTED]
    assert "Sync now" not in panel
    stays = "No accounting software is connected, so this stays in Cone."
    assert sentences_in(owner.get(reverse("sync_panel", args=["invoice", beside.uuid])).text) == [stays]


def test_refused_record_says_after_a_disconnect_when_it_is_tried_again(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    customer = make_customer(cast.owner, "Anna")
    cause = {"code": "name_taken", "params": {}}
    OutboxRow.objects.update(state="blocked", cause_key=f"name_taken:{customer.uuid}", cause=cause)
    disconnect_provider(cast.owner)

    panel = read_panel(owner, customer)

    assert "The name Anna is already used in Fake Ledger" in panel
    # Nothing can be linked or sent now.
    assert ("Send with a suffix" in panel, "Change the name</a>" in panel) == (False, False)
    again = "Nothing is connected. It's tried again once the same company in Fake Ledger is connected again, "
    assert sentences_in(panel) == [f"{again}under Integrations."]


def test_voided_invoice_that_stands_there_asks_to_remove_it(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    issued = make_invoice(cast.owner, is_issued=True)
    Link.objects.create(
        company=Connection.objects.get().company,
        kind="invoice",
        record_uuid=issued.uuid,
        remote_id="77",
        remote_version="0",
        synced_revision=issued.revision,
    )
    void_invoice(cast.owner, issued.uuid)
    url = reverse("invoice", args=[issued.uuid])

    at_once = owner.get(url).text
    key, cause = f"voided_here:{issued.uuid}", {"code": "voided_here", "params": {"number": issued.number}}
    OutboxRow.objects.filter(record_uuid=issued.uuid).update(state="blocked", cause_key=key, cause=cause)
    page = owner.get(url).text
    refreshed = owner.get(reverse("sync_panel", args=["invoice", issued.uuid])).text
    owner.post(reverse("invoice_removed", args=[issued.uuid]))

    asked = f"Void here: remove it in {connected.name}."
    assert asked not in at_once
    # A page that was opened before the worker came to it shows the note with its panel's next refresh.
    assert '<div id="removal-due" hidden>' in at_once
    assert 'hx-get="' in at_once
    assert '<div id="removal-due" hx-swap-oob="true">' in refreshed
    assert asked in refreshed
    assert asked in page
    assert "I removed it there" in page
    assert "remove it in" not in owner.get(url).text
