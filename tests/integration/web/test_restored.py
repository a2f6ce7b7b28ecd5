"""The books were restored from an older copy: the pages say what that means, until somebody has compared them."""

import pytest
from django.test import Client
from django.urls import reverse

from cone.books.models import RemoteCompany
from cone.operations.disconnect_provider import disconnect_provider
from cone.operations.note_restored import note_restored
from tests.builders import Cast, make_invoice
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import connect
from tests.integration.web.conftest import ClientOf

INTEGRATIONS = "/settings/integrations"
NOTE = "These books were restored from an older copy"

pytestmark = pytest.mark.usefixtures("connected")


def test_restored_books_say_so_until_somebody_has_compared_them(owner: Client) -> None:
    assert NOTE not in owner.get(INTEGRATIONS).text
    note_restored()
    page = owner.get(INTEGRATIONS).text
    assert NOTE in page
    assert "a payment entered twice counts twice there" in page

    answer = owner.post(reverse("compared"), follow=True)
    assert "Noted: the restored books are compared." in answer.text
    assert NOTE not in answer.text
    assert NOTE not in owner.get(INTEGRATIONS).text


def test_bookkeeper_reads_it_and_an_owner_ends_it(cast: Cast, client_of: ClientOf) -> None:
    note_restored()
    page = client_of(cast.bookkeeper).get(INTEGRATIONS).text
    assert NOTE in page
    assert reverse("compared") not in page


def test_note_outlives_disconnecting_and_ends_for_good(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    note_restored()
    disconnect_provider(cast.owner)
    assert NOTE not in owner.get(INTEGRATIONS).text
    connect(cast.owner, connected)
    assert NOTE in owner.get(INTEGRATIONS).text

    owner.post(reverse("compared"))
    disconnect_provider(cast.owner)
    connect(cast.owner, connected)
    assert NOTE not in owner.get(INTEGRATIONS).text


def test_company_that_was_not_connected_at_the_restore_says_so_once_it_is(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    disconnect_provider(cast.owner)
    note_restored()
    connected.add_company("second")
    connect(cast.owner, connected, "second")
    assert NOTE not in owner.get(INTEGRATIONS).text
    disconnect_provider(cast.owner)
    connect(cast.owner, connected)
    assert NOTE in owner.get(INTEGRATIONS).text


def test_restore_noted_twice_is_told_once(cast: Cast, owner: Client) -> None:
    assert note_restored().compared == ()
    told_at = RemoteCompany.objects.get().restored_at
    assert note_restored().compared == ()
    assert RemoteCompany.objects.get().restored_at == told_at
    owner.post(reverse("compared"))

    assert note_restored().compared == (cast.owner.workspace.name,)
    assert NOTE not in owner.get(INTEGRATIONS).text


def test_another_restore_of_the_same_files_is_told_anew_as_the_operator_says(owner: Client) -> None:
    note_restored()
    owner.post(reverse("compared"))
    assert note_restored(is_another=True).compared == ()
    assert NOTE in owner.get(INTEGRATIONS).text


def test_history_of_what_is_only_looked_for_claims_no_sending(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    note_restored()
    page = owner.get(reverse("sync_panel", args=["invoice", invoice.uuid])).text
    assert "it is looked for before it is sent" in page
    assert "The same was sent as before" not in page
