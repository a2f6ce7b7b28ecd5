"""The books were restored from an older copy: the pages say what that means, until somebody has compared them."""

import pytest
from django.test import Client
from django.urls import reverse

from cone.operations.note_restored import note_restored
from tests.builders import Cast, make_invoice
from tests.fakes.ledger import FakeLedger
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


def test_another_restore_is_told_anew_where_an_owner_had_ended_it(owner: Client) -> None:
    note_restored()
    owner.post(reverse("compared"))
    note_restored()
    assert NOTE in owner.get(INTEGRATIONS).text


def test_history_of_what_is_only_looked_for_claims_no_sending(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    note_restored()
    page = owner.get(reverse("sync_panel", args=["invoice", invoice.uuid])).text
    assert "it is looked for before it is sent" in page
    assert "The same was sent as before" not in page
