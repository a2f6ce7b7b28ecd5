"""M6–M9: Manage."""

import re
from decimal import Decimal

from playwright.sync_api import expect

from tests.e2e.pages import Desk, wait_for


def test_m06_suggestions_are_preselected_and_never_saved_by_themselves(owner: Desk) -> None:
    owner.connect()
    owner.choose_account()
    selects = owner.page.locator("select[name^=code-]")
    chosen = [select.locator("option:checked").inner_text() for select in selects.all()]
    assert any("20.0% S" in text for text in chosen)
    assert any("No VAT" in text for text in chosen)
    owner.sees("Suggested, not saved")
    # Suggested isn't saved: an invoice with the rate can't go yet.
    owner.make_customer("Patient Ltd")
    number = owner.make_invoice("Patient Ltd")
    owner.sync_state_is("Needs attention")
    assert owner.product.find_invoice(number) is None


def test_m06_other_percentage_is_warned_about_and_synced_invoices_keep_their_code(owner: Desk) -> None:
    owner.connect()
    owner.configure()
    owner.make_customer("Careful Ltd")
    owner.make_invoice("Careful Ltd")
    owner.sync_state_is("Synced")
    owner.map_rates({"VAT 20": "5.0% R"})
    owner.go("/settings/integrations/manage")
    owner.sees(re.compile(r"5\.0% R charges 5 %, this rate 20 %"))
    owner.sees(re.compile("1 synced invoice keeps the code it was sent with"))


def test_m06_code_of_another_percentage_is_told_and_nothing_sent_until_the_rate_is_mapped_again(owner: Desk) -> None:
    owner.connect()
    owner.configure()
    owner.map_rates({"VAT 20": "5.0% R"})
    owner.make_customer("Differing Ltd")
    number, page = owner.make_invoice("Differing Ltd"), owner.page.url
    owner.sync_state_is("Needs attention")
    owner.sees("VAT 20% is 20% here, and its tax code 5.0% R charges another percentage in QuickBooks Online.")
    assert owner.product.count_writes("invoice") == 0
    owner.follow("Map VAT 20% again")
    owner.map_rates({"VAT 20": "20.0% S"})
    owner.page.goto(page)
    owner.sync_state_is("Synced")
    assert owner.product.find_total(number) == Decimal("120.00")


def test_m07_account_appears_when_its_category_becomes_bank(owner: Desk) -> None:
    owner.connect()
    owner.go("/settings/integrations/manage")
    options = owner.page.get_by_label("Default account").locator("option")
    before = set(options.all_text_contents())
    (undeposited,) = [row for row in owner.product.entities("Account") if row["AccountSubType"] == "UndepositedFunds"]
    assert not any(undeposited["Name"] in text for text in before)
    with owner.page.context.expect_page() as opened:
        owner.follow("Open the chart of accounts")
    chart = opened.value
    chart.get_by_label(f"Type of {undeposited['Name']}", exact=True).select_option("Bank")
    chart.get_by_role("button", name=f"Change the type of {undeposited['Name']}").click()
    chart.close()
    owner.press("Refresh")
    expect(options).to_have_count(len(before) + 1)
    after = set(options.all_text_contents())
    assert {text.strip() for text in after - before} == {undeposited["Name"]}
    owner.choose_account(undeposited["Name"])


def test_m08_one_card_for_all_that_wait_and_one_save_sends_them(owner: Desk) -> None:
    owner.connect()
    owner.choose_account()
    owner.make_customer("Two Bills Ltd")
    numbers = [owner.make_invoice("Two Bills Ltd", price=price) for price in ("10.00", "20.00")]
    owner.sync_state_is("Needs attention")
    owner.go("/settings/integrations")
    card = owner.page.locator("article.cause")
    expect(card).to_have_count(1)
    expect(card).to_contain_text("2 records")
    for number in numbers:
        expect(card).to_contain_text(number)
    owner.map_rates()
    wait_for(lambda: [owner.product.find_total(number) for number in numbers] == [Decimal(12), Decimal(24)])
    owner.go("/settings/integrations")
    expect(owner.page.locator("article.cause")).to_have_count(0)


def test_m09_settings_survive_disconnecting_inside_quickbooks_and_reconnecting(owner: Desk) -> None:
    owner.connect()
    owner.configure()
    owner.make_customer("Patience & Sons")
    owner.sync_state_is("Synced")
    owner.product.control("POST", "tokens/revoke", {})
    number = owner.make_invoice("Patience & Sons")
    owner.page.reload()
    owner.go("/settings/integrations")
    wait_for(lambda: owner.page.reload() and owner.button("Reconnect").count(), what="the Reconnect button")
    owner.page.get_by_role("article", name="QuickBooks Online").get_by_role("button", name="Reconnect").click()
    owner.sign_in_there()
    owner.press("Authorize")
    owner.sees("Connected to Harbour & Vale Ltd")
    # Nothing to choose again: the invoice that waited goes by itself.
    wait_for(lambda: owner.product.find_invoice(number), what="the invoice")


def test_m09_expired_access_token_is_refreshed_unnoticed(owner: Desk) -> None:
    owner.connect()
    owner.configure()
    owner.product.control("POST", "tokens/expire", {})
    owner.make_customer("Timeless Ltd")
    owner.sync_state_is("Synced")
