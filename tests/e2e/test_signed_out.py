"""A page left open over the end of its session keeps what was typed, and sends it only for the person whose it is."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.pages import PASSWORD, Desk


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
    owner.page.context.clear_cookies(name="cone_session")

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
    owner.page.context.clear_cookies(name="cone_session")
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
    owner.page.context.clear_cookies(name="cone_session")

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
    owner.page.context.clear_cookies(name="cone_session")
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


def test_page_on_which_nothing_is_typed_leads_to_the_sign_in(owner: Desk) -> None:
    owner.go("/customers")
    owner.page.context.clear_cookies(name="cone_session")
    owner.follow("Invoices")
    expect(owner.page.get_by_role("heading", name="Sign in")).to_be_visible()
