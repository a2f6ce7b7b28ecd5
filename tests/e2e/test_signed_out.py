"""A page left open over the end of its session keeps what was typed, and sends it only for the person whose it is."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages import PASSWORD, Desk

A_WHILE_MS = 61_000
HIDDEN = """
Object.defineProperty(document, "visibilityState", {value: "hidden", configurable: true});
document.dispatchEvent(new Event("visibilitychange"));
delete document.visibilityState;
"""


def end_session(owner: Desk) -> None:
    """The session ends while the page is open for longer than it takes itself for its person's."""
    owner.page.context.clear_cookies(name="cone_session")
    owner.page.clock.install()
    owner.page.clock.fast_forward(A_WHILE_MS)


def watch_asking(owner: Desk) -> list[str]:
    """Whether it's still the same person: each time that the page asks."""
    asked: list[str] = []
    owner.page.on("request", lambda sent: asked.append(sent.url) if "/accounts/signed-in" in sent.url else None)
    return asked


def sign_in_in_a_new_tab(owner: Desk, email: str) -> None:
    """Follow the note's link; the page with what was typed stays open beside it."""
    with owner.page.context.expect_page() as opened:
        owner.page.get_by_role("link", name="Sign in in a new tab").click()
    tab: Page = opened.value
    tab.get_by_label("Email").fill(email)
    tab.get_by_label("Password").first.fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("heading", name="Dashboard")).to_be_visible()
    tab.close()


def test_typed_invoice_outlives_its_session_and_goes_once(owner: Desk) -> None:
    owner.make_customer("Patient & Co")
    owner.write_invoice("Patient & Co", price="123.00")
    end_session(owner)

    # Totals ask the server while it's typed, too.
    owner.fill_line(price="124.00", description="Two hours of advice")
    expect(owner.page.locator("#signed-out")).to_be_visible()
    owner.press("Save and issue")
    expect(owner.page.get_by_text("You're signed out.")).to_be_in_viewport()
    expect(owner.page.locator("input[name$=unit_price]").first).to_have_value("124.00")

    sign_in_in_a_new_tab(owner, owner.email)
    assert owner.issue() == "INV-0001"
    owner.sees("£148.80")
    owner.sees("Two hours of advice")
    owner.go("/invoices")
    expect(owner.page.get_by_text("1–1 of 1")).to_be_visible()


def test_typed_customer_isnt_saved_for_whoever_signs_in_next(owner: Desk) -> None:
    first = owner.email
    owner.page.context.clear_cookies()
    other = Desk(page=owner.page.context.new_page(), product=owner.product)
    other.sign_up()
    other.create_firm("Somebody Else")
    other.page.context.clear_cookies()
    owner.sign_in(first, PASSWORD)
    owner.go("/customers/new")
    owner.page.get_by_label("Name", exact=True).fill("Private & Co")
    end_session(owner)
    # At the foot of a long form on a phone, where it was pressed, too.
    owner.page.set_viewport_size({"width": 390, "height": 600})
    owner.press("Add customer")
    expect(owner.page.get_by_text("You're signed out.")).to_be_in_viewport()

    owner.page.set_viewport_size({"width": 1280, "height": 800})
    sign_in_in_a_new_tab(owner, other.email)
    owner.press("Add customer")

    expect(owner.page.get_by_text("Somebody else is signed in in this browser now")).to_be_in_viewport()
    expect(owner.page.get_by_label("Name", exact=True)).to_have_value("Private & Co")
    other.go("/customers")
    expect(other.page.get_by_text("Private & Co")).to_have_count(0)
    stored = other.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "Private" not in stored


def test_typed_payment_outlives_its_session_too(owner: Desk) -> None:
    owner.make_customer("Prompt & Co")
    owner.make_invoice("Prompt & Co")
    owner.go("/payments/new")
    owner.page.get_by_label("Customer").select_option(label="Prompt & Co")
    owner.page.get_by_label("Amount received").fill("120")
    owner.page.get_by_label("Reference").fill("BACS 7")
    end_session(owner)

    owner.press("Record payment")
    expect(owner.page.get_by_text("You're signed out.")).to_be_in_viewport()
    expect(owner.page.get_by_label("Reference")).to_have_value("BACS 7")

    sign_in_in_a_new_tab(owner, owner.email)
    owner.press("Record payment")
    expect(owner.page).to_have_url(re.compile(r"/payments/[0-9a-f-]{36}"))
    owner.sees("BACS 7")


def test_typed_customer_goes_to_its_own_firm_though_a_new_session_opens_another(owner: Desk) -> None:
    owner.go("/firm/new")
    owner.create_firm("Second & Sons")
    owner.go("/customers/new")
    owner.page.get_by_label("Name", exact=True).fill("Of the second & Co")
    end_session(owner)
    owner.press("Add customer")
    sign_in_in_a_new_tab(owner, owner.email)
    owner.press("Add customer")

    expect(owner.page.get_by_text("Another firm is open in this browser now.")).to_be_in_viewport()
    expect(owner.page.get_by_text("Somebody else is signed in")).to_be_hidden()
    with owner.page.context.expect_page() as opened:
        owner.page.get_by_role("link", name="another tab").click()
    tab = opened.value
    tab.locator("summary .avatar").click()
    tab.get_by_role("button", name="Second & Sons").click()
    expect(tab.locator(".brand-firm")).to_have_text("Second & Sons")
    tab.close()
    owner.press("Add customer")

    expect(owner.page.get_by_role("heading", name="Of the second & Co")).to_be_visible()
    expect(owner.page.locator(".brand-firm")).to_have_text("Second & Sons")


def test_page_asks_who_is_in_only_after_a_while_or_once_it_was_left(owner: Desk) -> None:
    asked = watch_asking(owner)
    owner.make_customer("At once & Co")
    assert asked == []

    owner.go("/customers/new")
    owner.page.get_by_label("Name", exact=True).fill("Later & Co")
    owner.page.clock.install()
    owner.page.clock.fast_forward(A_WHILE_MS)
    owner.press("Add customer")
    expect(owner.page.get_by_role("heading", name="Later & Co")).to_be_visible()
    assert len(asked) == 1


@pytest.mark.parametrize("leaving", ["window.dispatchEvent(new Event('blur'))", HIDDEN])
def test_page_that_was_left_keeps_what_was_typed_when_its_session_ended_meanwhile(owner: Desk, leaving: str) -> None:
    owner.go("/customers/new")
    owner.page.get_by_label("Name", exact=True).fill("Elsewhere & Co")
    owner.page.evaluate(leaving)
    owner.page.context.clear_cookies(name="cone_session")
    owner.press("Add customer")
    expect(owner.page.get_by_text("You're signed out.")).to_be_in_viewport()
    expect(owner.page.get_by_label("Name", exact=True)).to_have_value("Elsewhere & Co")

    sign_in_in_a_new_tab(owner, owner.email)
    owner.press("Add customer")
    expect(owner.page.get_by_role("heading", name="Elsewhere & Co")).to_be_visible()


def test_page_on_which_nothing_is_typed_leads_to_the_sign_in(owner: Desk) -> None:
    owner.go("/customers")
    owner.page.context.clear_cookies(name="cone_session")
    owner.follow("Invoices")
    expect(owner.page.get_by_role("heading", name="Sign in")).to_be_visible()
