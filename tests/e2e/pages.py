"""What a person does at the pages, by the words that are on them."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import msgspec
from playwright.sync_api import Locator, Page, expect

_serial = count(1)
PASSWORD = "a long enough secret"
UK_CODES = {"No tax": "No VAT", "VAT 20": "20.0% S", "VAT 5": "5.0% R", "VAT 0": "0.0% Z"}


@dataclass(frozen=True)
class Product:
    """The running product, and the emulator's control plane for a look at the other side."""

    url: str
    emulator_url: str
    data_dir: Path

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the emulator's control plane; decimals stay exact."""
        answer = httpx.request(method, f"{self.emulator_url}/_emulator/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return msgspec.json.Decoder(float_hook=Decimal).decode(answer.content)

    def reset_emulator(self, scenario: str = "uk-vat") -> None:
        """New companies with new ids, no faults."""
        self.control("DELETE", "faults")
        self.control("POST", "reset", {"scenario": scenario})

    def entities(self, kind: str, company: str = "Harbour & Vale Ltd") -> list[dict[str, Any]]:
        """What stands in QuickBooks."""
        (books,) = [entry for entry in self.control("GET", "dump")["companies"] if entry["name"] == company]
        rows: list[dict[str, Any]] = books["entities"][kind]
        return rows

    def find_invoice(self, number: str, company: str = "Harbour & Vale Ltd") -> dict[str, Any] | None:
        """The invoice of that number there; fails when there are two."""
        found = [row for row in self.entities("Invoice", company) if row.get("DocNumber") == number]
        assert len(found) <= 1, f"{number} stands there {len(found)} times"
        return found[0] if found else None

    def find_total(self, number: str) -> Decimal | None:
        """The total of the invoice of that number there."""
        found = self.find_invoice(number)
        return None if found is None else Decimal(found["TotalAmt"])

    def count_writes(self, entity: str) -> int:
        """How many writes of an entity reached the API since the last reset."""
        requests = self.control("GET", "requests")["requests"]
        return sum(
            entry["method"] == "POST" and re.search(rf"/{entity}(\?|$)", entry["path"]) is not None
            for entry in requests
        )


def wait_for(claim: Callable[[], Any], *, seconds: int = 15, what: str = "it") -> Any:
    """The claim's first true value; fail when none comes in time."""
    until = time.monotonic() + seconds
    while not (value := claim()):
        assert time.monotonic() < until, f"{what} didn't come true within {seconds} s"
        time.sleep(0.05)
    return value


@dataclass
class Desk:
    """A person at a browser."""

    page: Page
    product: Product
    email: str = field(default_factory=lambda: f"owner{next(_serial)}-{time.time_ns()}@example.com")

    # --- moving about ----------------------------------------------------------------------------------------

    def go(self, path: str) -> None:
        """Open a page of the product by its path."""
        self.page.goto(self.product.url + path)

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """A button by its words."""
        return self.page.get_by_role("button", name=name, exact=isinstance(name, str))

    def press(self, name: str) -> None:
        """Press the one button of that name."""
        self.button(name).click()

    def follow(self, name: str) -> None:
        """Follow the first link of that name."""
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def sees(self, text: str | re.Pattern[str]) -> None:
        """Fail unless the text is on the page, or comes soon."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    # --- getting there ---------------------------------------------------------------------------------------

    def sign_up(self) -> None:
        """Create an account."""
        self.go("/accounts/signup/")
        self.page.get_by_label("Email").fill(self.email)
        self.page.get_by_label("Password").first.fill(PASSWORD)
        self.press("Create account")

    def sign_in(self, email: str, password: str) -> None:
        """Sign in with an existing account."""
        self.go("/accounts/login/")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").first.fill(password)
        self.press("Sign in")

    def create_firm(self, name: str = "Plumb & Line", *, country: str = "GB") -> None:
        """Create a firm with its country's currency and suggested rates."""
        expect(self.page).to_have_url(re.compile("/firm/new"))
        self.page.get_by_label("Name").fill(name)
        with self.page.expect_response(re.compile("/firm/new/choices")):
            self.page.get_by_label("Country").select_option(country)
        expect(self.page.locator("input[name=rates_of]")).to_have_value(country)
        self.press("Create firm")
        expect(self.page.get_by_role("heading", name="Dashboard")).to_be_visible()

    def open_settings(self) -> None:
        """Settings, from the avatar at the bottom left."""
        self.page.locator("summary .avatar").click()
        self.follow("Settings")

    # --- connecting ------------------------------------------------------------------------------------------

    def start_connecting(self) -> None:
        """Press Connect and arrive at QuickBooks' own sign-in."""
        self.go("/settings/integrations")
        self.page.get_by_role("article", name="QuickBooks Online").get_by_role("button", name="Connect").click()
        expect(self.page).to_have_url(re.compile(re.escape(self.product.emulator_url)))

    def sign_in_there(self, company: str = "Harbour & Vale Ltd") -> None:
        """QuickBooks' sign-in (asked once per browser) and company choice, up to the consent page."""
        if self.button("Sign in").count():
            self.press("Sign in")
        self.page.get_by_label(company).check()
        self.press("Next")

    def connect(self, company: str = "Harbour & Vale Ltd") -> None:
        """The whole way there and back."""
        self.start_connecting()
        self.sign_in_there(company)
        self.press("Authorize")
        self.sees(f"Connected to {company}")

    # --- configuring -----------------------------------------------------------------------------------------

    def choose_account(self, label: str = "") -> None:
        """Choose the default account on Manage: the one of that name, or the first on offer."""
        self.go("/settings/integrations/manage")
        options = self.page.get_by_label("Default account")
        if label:
            options.select_option(label=self.option(options, label))
        else:
            options.select_option(index=1)
        self.press("Save accounts")
        self.sees("saved")

    @staticmethod
    def option(select: Locator, containing: str) -> str:
        """The full text of the one option that contains the words."""
        texts = [text.strip() for text in select.locator("option").all_text_contents()]
        (found,) = [text for text in texts if containing in text]
        return found

    def map_rates(self, codes: dict[str, str] | None = None) -> None:
        """Map rates (by the start of their names) to codes (by words in theirs)."""
        self.go("/settings/integrations/manage")
        for rate, code in (UK_CODES if codes is None else codes).items():
            select = self.page.get_by_label(f"Tax code for {rate}").first
            select.select_option(label=self.option(select, code))
        self.press("Save tax codes")
        self.sees("saved")

    def configure(self) -> None:
        """Accounts and rates."""
        self.choose_account()
        self.map_rates()

    # --- the books -------------------------------------------------------------------------------------------

    def make_customer(self, name: str, *, currency: str = "") -> None:
        """Create a customer; without a currency of its own in the firm's."""
        self.go("/customers/new")
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_label("E-mail").fill("accounts@example.com")
        if currency:
            self.page.get_by_label("Currency").select_option(currency)
        self.button(re.compile("^(Save|Create|Add)")).first.click()
        expect(self.page.get_by_role("heading", name=name)).to_be_visible()

    def write_invoice(self, customer: str, *, price: str = "100.00", rate: str = "VAT 20", quantity: str = "1") -> None:
        """Fill in a new invoice of one line, without saving it."""
        self.go("/invoices/new")
        customers = self.page.get_by_label("Customer", exact=True)
        customers.select_option(label=self.option(customers, customer))
        self.fill_line(price=price, rate=rate, quantity=quantity)

    def fill_line(self, *, price: str, rate: str = "VAT 20", quantity: str = "1", description: str = "Advice") -> None:
        """Fill in the first line of the invoice form."""
        row = self.page.locator("#editor tbody tr").first
        row.locator("textarea, input").filter(visible=True).first.fill(description)
        row.locator("input[name$=quantity]").fill(quantity)
        row.locator("input[name$=unit_price]").fill(price)
        rates = row.locator("select[name$=tax_rate]")
        rates.select_option(label=self.option(rates, rate))

    def issue(self) -> str:
        """Save and issue the invoice in the form; its number."""
        self.press("Save and issue")
        heading = self.page.get_by_role("heading", name=re.compile(r"INV-\d+")).first
        expect(heading).to_be_visible()
        found = re.search(r"INV-\d+", heading.inner_text())
        assert found
        return found.group()

    def make_invoice(self, customer: str, *, price: str = "100.00", rate: str = "VAT 20") -> str:
        """Issue an invoice of one line; its number."""
        self.write_invoice(customer, price=price, rate=rate)
        return self.issue()

    def edit_price(self, price: str) -> None:
        """Change the price of the invoice on the page and save it."""
        self.follow("Edit")
        self.page.locator("#editor tbody tr").first.locator("input[name$=unit_price]").fill(price)
        self.press("Save changes")
        expect(self.page.get_by_role("link", name="Edit", exact=True)).to_be_visible()

    def sync_state_is(self, words: str) -> None:
        """Fail unless the sync panel comes to say so."""
        expect(self.page.locator("#sync-panel .panel-head .state")).to_have_text(re.compile(words))
