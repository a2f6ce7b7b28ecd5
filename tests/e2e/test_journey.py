"""The main job, once through, as a firm's owner does it."""

import re
from decimal import Decimal

from playwright.sync_api import expect

from tests.e2e.pages import Desk, wait_for


def test_journey_from_sign_in_to_reconnecting(owner: Desk) -> None:
    desk, product, page = owner, owner.product, owner.page
    invoices_before = len(product.entities("Invoice"))

    # sign in → avatar → Settings → Integrations → Connect → sign-in, company, consent → back
    desk.open_settings()
    desk.follow("Integrations")
    desk.connect()

    # an issued invoice waits for the default account; its customer goes
    desk.make_customer("O'Brien & Søn")
    waiting = desk.make_invoice("O'Brien & Søn", price="100.00")
    desk.sync_state_is("Waiting")
    desk.sees("Choose the default account")
    wait_for(lambda: [c for c in product.entities("Customer") if c["DisplayName"] == "O'Brien & Søn"])
    assert product.find_invoice(waiting) is None

    # Manage: rates and "No tax"; only Bank accounts are offered; the waiting invoice goes by itself
    desk.map_rates()
    offered = page.get_by_label("Default account").locator("option").all_text_contents()
    banks = {row["Name"] for row in product.entities("Account") if row["AccountType"] == "Bank" and row["Active"]}
    assert {text.strip() for text in offered if text.strip() and not text.startswith("Choose")} == banks
    bank = min(banks)
    desk.choose_account(bank)
    first = wait_for(lambda: product.find_invoice(waiting), what="the waiting invoice")
    codes = {row["Id"]: row["Name"] for row in product.entities("TaxCode")}
    assert (first["TotalAmt"], first["TxnTaxDetail"]["TotalTax"]) == (Decimal(120), Decimal(20))
    assert codes[first["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"]["value"]] == "20.0% S"
    assert first["DepositToAccountRef"]["name"] == bank

    # a new customer and a new invoice stand there with the same total and tax
    desk.make_customer("Tidewater Ltd")
    number = desk.make_invoice("Tidewater Ltd", price="333.33")
    desk.sync_state_is("Synced")
    there = product.find_invoice(number)
    assert there is not None
    assert (there["TotalAmt"], there["TxnTaxDetail"]["TotalTax"]) == (Decimal("400.00"), Decimal("66.67"))
    expect(page.get_by_text("£400.00").first).to_be_visible()

    # edit: the same record changes
    desk.edit_price("10.00")
    changed = wait_for(lambda: (found := product.find_invoice(number)) and found["TotalAmt"] == 12 and found)
    assert changed["Id"] == there["Id"]
    assert len(product.entities("Invoice")) == len({waiting, number}) + invoices_before

    # an unmapped rate fails with a reason that names it; saving the mapping sends it
    desk.go("/settings/tax-rates")
    page.get_by_label("Name").last.fill("Island levy")
    page.get_by_label(re.compile("Percent")).last.fill("5")
    desk.button(re.compile("^(Add|Save)")).last.click()
    desk.sees("Island levy")
    levied = desk.make_invoice("Tidewater Ltd", price="50.00", rate="Island levy")
    desk.sync_state_is("Needs attention")
    desk.sees("Island levy is not mapped")
    desk.follow("Map Island levy")
    expect(page).to_have_url(re.compile("/settings/integrations/manage"))
    desk.map_rates({"Island levy": "5.0% R"})
    wait_for(lambda: product.find_invoice(levied), what="the levied invoice")

    # pause, three edits, "1 waiting", resume: one write
    desk.go("/settings/integrations")
    desk.press("Pause sync")
    desk.go("/invoices")
    desk.follow(number)
    before = product.count_writes("invoice")
    for price in ("11.00", "12.00", "13.00"):
        desk.edit_price(price)
    desk.sync_state_is("Held")
    desk.go("/settings/integrations")
    desk.sees("1 waiting")
    assert product.count_writes("invoice") == before
    desk.press("Resume sync")
    wait_for(lambda: product.find_total(number) == Decimal("15.60"))
    assert product.count_writes("invoice") == before + 1

    # disconnect: dialog, settings gone, tokens dead
    desk.go("/settings/integrations")
    desk.follow("Disconnect")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Removed for good")
    dialog.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("article", name="QuickBooks Online").get_by_role("button", name="Connect")).to_be_visible()

    assert product.control("POST", "tokens/revoke", {}) == {"disconnected": 0}

    # reconnect the same company: settings empty, no duplicate when the invoice is edited again
    desk.connect()
    desk.go("/settings/integrations/manage")
    assert page.get_by_label("Default account").input_value() == ""
    desk.configure()
    desk.go("/invoices")
    desk.follow(number)
    desk.edit_price("99.00")
    again = wait_for(
        lambda: (found := product.find_invoice(number)) and found["TotalAmt"] == Decimal("118.80") and found
    )
    assert again["Id"] == there["Id"]
    assert len(product.entities("Invoice")) == len({waiting, number, levied}) + invoices_before
