"""The emulator's own pages in a browser: what arrives appears by itself, one click away, on any screen."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from qbo_emulator.pytest_fixture import RunningEmulator, run_emulator

PAGES = ("homepage", "invoices", "customers", "payments", "items", "chartofaccounts", "taxes", "activity", "webhooks")


class Sender:
    """An app that is connected to the emulator's first company."""

    def __init__(self, emulator: RunningEmulator) -> None:
        self.emulator = emulator
        issued = httpx.post(f"{emulator.control}/tokens", json={}).json()
        self.realm: str = issued["realm_id"]
        self._headers = {"Authorization": f"Bearer {issued['access_token']}", "Accept": "application/json"}

    def page(self, name: str) -> str:
        return f"{self.emulator.url}/app/{name}?realmId={self.realm}"

    def send_invoice(self, number: str) -> str:
        line = {
            "Amount": 80,
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": {"value": "10"}, "TaxCodeRef": {"value": "NON"}},
        }
        body = {"CustomerRef": {"value": "1"}, "DocNumber": number, "Line": [line]}
        answer = httpx.post(f"{self.emulator.api}/{self.realm}/invoice", json=body, headers=self._headers)
        found: str = answer.json()["Invoice"]["Id"]
        return found

    def pay(self, invoice: str) -> None:
        order = {"realm_id": self.realm, "action": "pay", "id": invoice}
        assert httpx.post(f"{self.emulator.control}/act", json=order).status_code == 200


@pytest.fixture(scope="module")
def sender() -> Iterator[Sender]:
    with run_emulator("--country", "US", "--no-limits") as running:
        yield Sender(running)


def test_invoice_that_just_arrived_is_one_click_away_and_shows_its_payment(browser: Browser, sender: Sender) -> None:
    page = browser.new_page()
    page.goto(sender.page("homepage"))
    invoice = sender.send_invoice("LIVE-1")
    expect(page.locator("#latest tbody tr").first).to_contain_text("LIVE-1")
    page.goto(sender.page("chartofaccounts"))
    sender.send_invoice("LIVE-2")
    arrival = page.get_by_role("status")
    expect(arrival).to_have_text("Invoice LIVE-2 for Amy's Bird Sanctuary has just arrived.")
    arrival.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Invoice LIVE-2")
    page.goto(f"{sender.page('invoice')}&txnId={invoice}")
    expect(page.locator(".state")).to_have_text("Open")
    sender.pay(invoice)
    expect(page.locator(".state")).to_have_text("Paid")


def test_request_appears_and_shows_what_was_sent_and_answered(browser: Browser, sender: Sender) -> None:
    page = browser.new_page()
    page.goto(sender.page("activity"))
    newest = page.locator("#requests tbody a").filter(has_text="POST invoice").first
    former = newest.get_attribute("href") if newest.count() else ""
    sender.send_invoice("SEEN-1")
    expect(newest).not_to_have_attribute("href", former or "")
    newest.click()
    expect(page.locator("pre").first).to_contain_text('"DocNumber": "SEEN-1"')
    expect(page.locator("pre").last).to_contain_text('"Balance": 80')


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_the_screen(browser: Browser, sender: Sender, scheme: str, width: int) -> None:
    invoice = sender.send_invoice(f"W-{scheme}-{width}")
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    seen: list[str] = []
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("console", lambda said: seen.append(said.text) if said.type == "error" else None)
    addresses = [f"{sender.emulator.url}/", *map(sender.page, PAGES), f"{sender.page('invoice')}&txnId={invoice}"]
    wide = []
    for address in addresses:
        page.goto(address)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(address)
    assert (wide, seen) == ([], [])
