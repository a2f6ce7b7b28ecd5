"""M1–M3, M14, M16: sign in, find the integrations, read what they do and don't."""

import json
import re

from playwright.sync_api import Browser, expect

from tests.e2e.pages import Desk, Product


def test_m01_demo_sign_in_lands_on_dashboard_and_avatar_opens_settings(desk: Desk) -> None:
    sign_in = json.loads((desk.product.data_dir / "demo_sign_in.json").read_text())
    desk.sign_in(sign_in["email"], sign_in["password"])
    expect(desk.page.get_by_role("heading", name="Dashboard")).to_be_visible()
    avatar = desk.page.locator("summary .avatar").bounding_box()
    assert avatar is not None
    assert avatar["x"] < 100
    assert avatar["y"] > 700
    desk.open_settings()
    expect(desk.page.get_by_role("link", name="Integrations")).to_be_visible()


def test_m01_wrong_password_is_refused_in_words(desk: Desk) -> None:
    desk.sign_in("demo@cone.example", "not the password")
    desk.sees(re.compile("not correct", re.IGNORECASE))
    desk.go("/invoices")
    expect(desk.page).to_have_url(re.compile("/accounts/login/"))


def test_m02_integrations_offers_quickbooks_and_names_xero(owner: Desk) -> None:
    owner.open_settings()
    owner.follow("Integrations")
    quickbooks = owner.page.get_by_role("article", name="QuickBooks Online")
    xero = owner.page.get_by_role("article", name="Xero")
    expect(quickbooks.get_by_role("button", name="Connect")).to_be_visible()
    expect(xero).to_contain_text("Not available in this version")
    expect(xero.get_by_role("button")).to_have_count(0)


def test_m03_while_one_is_connected_the_other_says_so(owner: Desk) -> None:
    owner.connect()
    xero = owner.page.get_by_role("article", name="Xero")
    expect(xero).to_contain_text("only one can be at a time")
    expect(xero.get_by_role("button")).to_have_count(0)


def test_m05_page_shows_that_it_is_the_emulator(owner: Desk) -> None:
    owner.go("/settings/integrations")
    expect(owner.page.get_by_role("article", name="QuickBooks Online").locator(".badge")).to_have_text("Emulator")
    owner.connect()
    expect(owner.page.get_by_role("article", name="QuickBooks Online").locator(".badge")).to_have_text("Emulator")
    owner.go("/settings/integrations/manage")
    expect(owner.page.locator(".badge")).to_have_text("Emulator")


def test_m05_production_without_keys_says_what_to_configure(browser: Browser, product_without_keys: Product) -> None:
    desk = Desk(page=browser.new_context().new_page(), product=product_without_keys)
    desk.sign_up()
    desk.create_firm()
    desk.go("/settings/integrations")
    quickbooks = desk.page.get_by_role("article", name="QuickBooks Online")
    expect(quickbooks).to_contain_text("QUICKBOOKS_CLIENT_ID")
    expect(quickbooks.get_by_role("button", name="Connect")).to_have_count(0)


def test_m14_page_says_what_is_not_synced(owner: Desk) -> None:
    owner.go("/settings/integrations")
    for text in ("Inventory items", "Employee records", "Custom fields without a counterpart"):
        owner.sees(re.compile(text))


def test_m16_diagram_counts_what_synced_waits_and_failed(owner: Desk) -> None:
    owner.connect()
    owner.choose_account()
    owner.make_customer("Harbour Light")
    owner.make_invoice("Harbour Light")
    owner.sync_state_is("Needs attention")
    owner.go("/settings/integrations")
    flow = owner.page.locator("#flow")
    expect(flow).to_contain_text("1 synced · 0 waiting · 0 need attention")
    expect(flow).to_contain_text("0 synced · 0 waiting · 1 needs attention")
    owner.map_rates()
    owner.go("/settings/integrations")
    # The diagram refreshes itself.
    expect(flow).to_contain_text("1 synced · 0 waiting · 0 need attention", timeout=15_000)
    expect(flow).not_to_contain_text("1 needs attention", timeout=15_000)
    expect(owner.page.locator("#connection-counts")).to_have_text(re.compile(r"Synced\s*2"), timeout=15_000)
