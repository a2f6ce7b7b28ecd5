"""The American way: line codes TAX and NON, and the real code on the invoice as a whole."""

import re
from decimal import Decimal

from playwright.sync_api import expect

from tests.e2e.pages import Desk, wait_for

COMPANY = "Bluebird Advisory LLC"


def test_us_firm_sends_taxable_and_untaxed_lines(desk: Desk) -> None:
    desk.sign_up()
    desk.create_firm("Prairie Advisors", country="US")
    desk.go("/settings/tax-rates")
    desk.page.get_by_label("Name").last.fill("California")
    desk.page.get_by_label(re.compile("Percent")).last.fill("8")
    desk.button(re.compile("^(Add|Save)")).last.click()
    desk.sees("California")
    desk.connect(COMPANY)
    desk.choose_account()
    chosen = [
        select.locator("option:checked").inner_text() for select in desk.page.locator("select[name^=code-]").all()
    ]
    assert any(text.startswith("California") for text in chosen)
    desk.press("Save tax codes")
    desk.sees("saved")

    desk.make_customer("Amy's Bird Sanctuary & Spa")
    taxed = desk.make_invoice("Amy's Bird Sanctuary & Spa", price="362.07", rate="California")
    desk.sync_state_is("Synced")
    untaxed = desk.make_invoice("Amy's Bird Sanctuary & Spa", price="50.00", rate="No tax")
    desk.sync_state_is("Synced")
    expect(desk.page.get_by_text("$50.00").first).to_be_visible()

    there = wait_for(lambda: desk.product.find_invoice(taxed, COMPANY))
    assert (there["TotalAmt"], there["TxnTaxDetail"]["TotalTax"]) == (Decimal("391.04"), Decimal("28.97"))
    assert there["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"]["value"] == "TAX"
    plain = wait_for(lambda: desk.product.find_invoice(untaxed, COMPANY))
    assert (plain["TotalAmt"], plain["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"]["value"]) == (Decimal(50), "NON")
