"""What pages say of a paused sync where resuming alone doesn't let it go."""

from django.test import Client
from django.urls import reverse

from cone.books.models import Connection, Invoice
from cone.operations.pause_sync import pause_sync
from tests.builders import Cast, make_invoice
from tests.fakes.ledger import FakeLedger
from tests.integration.web.test_integrations import INTEGRATIONS, card, come_back, go_to_sign_in


def test_paused_connection_that_needs_a_sign_in_says_that_first(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    pause_sync(cast.owner)
    invoice = make_invoice(cast.owner, is_issued=True)
    Invoice.objects.update(number=None)
    Connection.objects.update(state="needs_reconnect")

    page = owner.get(INTEGRATIONS).text
    assert "Your settings are kept. The sync is paused, too: resume it afterwards. 2 waiting" in page
    assert "<dt>Waiting</dt>" in card(page, connected.key)
    page = owner.get(reverse("invoice", args=[invoice.uuid])).text
    assert "It gets one once Fake Ledger is connected again and the sync is resumed" in page
    answer = owner.post(reverse("sync_now", args=["invoice", invoice.uuid]), follow=True)
    assert "sign in again" in answer.text


def test_resuming_says_whether_what_waited_goes_now(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    def resume() -> str:
        pause_sync(cast.owner)
        return owner.post(reverse("resume"), follow=True).text

    assert "Sync is on again. What waited is being sent" in resume()
    Connection.objects.update(state="needs_reconnect")
    assert "Sync is on again. What waits goes once Fake Ledger is connected again." in resume()
    Connection.objects.update(state="read_only", state_reason="It's a trial.")
    assert "Sync is on again. What waits goes once Fake Ledger can be written to again." in resume()


def test_signing_in_again_says_that_the_sync_is_paused(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    for is_paused in (False, True):
        if is_paused:
            pause_sync(cast.owner)
        Connection.objects.update(state="needs_reconnect")
        page = come_back(owner, connected, state=go_to_sign_in(owner, connected)["state"], **connected.sign_in())
        assert ("The sync is still paused." in page) is is_paused


def test_sync_now_while_paused_says_so(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    issued = make_invoice(cast.owner, is_issued=True)
    pause_sync(cast.owner)

    answer = owner.post(reverse("sync_now", args=["invoice", issued.uuid]), follow=True)

    assert "The sync is paused: nothing is sent until you resume it" in answer.text
    assert "Held while paused" in answer.text
