"""A company that can't be written to: what its card and every page say, and what a person can do."""

from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from cone.accounting.registry import explain_mismatch
from cone.books.models import Connection
from tests.builders import Cast, make_customer
from tests.fakes.ledger import FakeLedger
from tests.integration.web.test_integrations import INTEGRATIONS, card


def test_company_that_cant_be_written_to_says_how_it_goes_on_and_can_be_tried_now(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    make_customer(cast.owner)
    Connection.objects.update(state="read_only", state_reason="The subscription has ended.")

    shown = card(owner.get(INTEGRATIONS).text, connected.key)
    assert "The subscription has ended." in shown
    assert "it's tried again every hour." in shown
    assert "It's solved: try now" in shown

    owner.post(reverse("try_writing"))
    assert Connection.objects.get().state == "connected"
    assert "try now" not in card(owner.get(INTEGRATIONS).text, connected.key)


def test_connection_of_another_environment_offers_no_try_that_is_always_refused(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    make_customer(cast.owner)
    connected.environment = "production"
    reason = explain_mismatch(connected.key, "emulator")
    Connection.objects.update(state="read_only", state_reason=reason)

    shown = unescape(card(owner.get(INTEGRATIONS).text, connected.key))
    assert "Restore that configuration and refresh" in shown
    assert "every hour" not in shown
    assert "try now" not in shown
    told = owner.post(reverse("try_writing"), follow=True)
    assert "Restore that configuration and refresh" in unescape(told.text)
    assert Connection.objects.get().state == "read_only"

    # Restored it goes by itself.
    connected.environment = "emulator"
    assert "every hour" in card(owner.get(INTEGRATIONS).text, connected.key)


@pytest.mark.parametrize("reason", ["Feature: not included", "Feature: not included."])
def test_banner_ends_what_the_provider_says_before_it_goes_on(
    reason: str, cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    make_customer(cast.owner)
    Connection.objects.update(state="read_only", state_reason=reason)

    assert "Feature: not included. 1 waiting; nothing is lost." in owner.get(reverse("dashboard")).text
