"""M3, M4: connecting, and every way in which it's refused; nothing half-connected stays behind."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.e2e.pages import Desk, Product


def nothing_is_connected(desk: Desk) -> None:
    """Fail unless the page offers Connect, and no tokens are alive there."""
    desk.go("/settings/integrations")
    card = desk.page.get_by_role("article", name="QuickBooks Online")
    expect(card.get_by_role("button", name="Connect")).to_be_visible()
    expect(card.get_by_role("link", name="Manage")).to_have_count(0)


def catch_return(desk: Desk) -> str:
    """Authorize there, and catch the address the browser is sent back to instead of following it."""
    caught: list[str] = []

    def hold(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        caught.append(answer.headers["location"])
        route.fulfill(status=200, body="held", content_type="text/plain")

    consent = f"{desk.product.emulator_url}/connect/oauth2"
    desk.page.route(consent, hold)
    desk.press("Authorize")
    expect(desk.page.get_by_text("held")).to_be_visible()
    desk.page.unroute(consent)
    return caught[0].removeprefix(desk.product.url)


def test_m04_returns_with_the_company_that_is_connected(owner: Desk) -> None:
    owner.start_connecting()
    expect(owner.page.get_by_text("bookkeeper@example.com")).to_be_visible()
    owner.sign_in_there("Saltmarsh Studios Ltd")
    owner.press("Authorize")
    owner.sees("Connected to Saltmarsh Studios Ltd")
    expect(owner.page).to_have_url(re.compile("/settings/integrations$"))


def test_m04_refusal_there_leaves_nothing_connected(owner: Desk) -> None:
    owner.start_connecting()
    owner.sign_in_there()
    owner.press("Cancel")
    owner.sees(re.compile("cancelled"))
    nothing_is_connected(owner)


def test_m04_state_reused_is_refused(owner: Desk) -> None:
    owner.start_connecting()
    owner.sign_in_there()
    back = catch_return(owner)
    owner.go(back)
    owner.sees("Connected to Harbour & Vale Ltd")
    owner.go(back)
    owner.sees(re.compile("was used already"))
    owner.go("/settings/integrations")
    expect(owner.page.get_by_role("link", name="Manage", exact=True)).to_be_visible()


def test_m04_wrong_state_is_refused(owner: Desk) -> None:
    owner.start_connecting()
    owner.sign_in_there()
    back = catch_return(owner)
    state = parse_qs(urlsplit(back).query)["state"][0]
    owner.go(back.replace(state, "x" * 43))
    owner.sees(re.compile("belongs to no sign-in started in this browser"))
    nothing_is_connected(owner)


def test_m04_return_in_another_browser_is_refused(owner: Desk, browser: Browser, product: Product) -> None:
    owner.start_connecting()
    owner.sign_in_there()
    back = catch_return(owner)
    other = Desk(page=browser.new_context().new_page(), product=product)
    other.sign_up()
    other.create_firm("Somebody Else")
    other.go(back)
    other.sees(re.compile("belongs to no sign-in started in this browser"))
    nothing_is_connected(other)


def test_m04_expired_code_is_refused(owner: Desk) -> None:
    owner.start_connecting()
    owner.sign_in_there()
    back = catch_return(owner)
    owner.product.control("POST", "clock", {"jump_seconds": 3600})
    owner.go(back)
    owner.sees(re.compile("expired"))
    nothing_is_connected(owner)


def test_m04_company_of_another_workspace_is_refused(owner: Desk, browser: Browser, product: Product) -> None:
    owner.connect()
    other = Desk(page=browser.new_context().new_page(), product=product)
    other.page.set_default_timeout(8_000)
    other.sign_up()
    other.create_firm("Somebody Else")
    other.start_connecting()
    other.sign_in_there()
    other.press("Authorize")
    other.sees(re.compile("already connected to another workspace"))
    nothing_is_connected(other)
    # The first one's connection is none the worse for it.
    owner.configure()
    owner.make_customer("Still Here Ltd")
    owner.sync_state_is("Synced")


@pytest.mark.parametrize("query", ["", "?state=&code=&realmId=", "?code=1&state=%3Cscript%3E&realmId=../../etc"])
def test_m04_hostile_return_is_refused_in_words(owner: Desk, query: str) -> None:
    owner.go(f"/settings/integrations/quickbooks/callback{query}")
    owner.sees(re.compile("belongs to no sign-in"))
    nothing_is_connected(owner)
