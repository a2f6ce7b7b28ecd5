"""An invoice abroad at the firm's own rate: asked for when the customer is chosen, and it stands in QuickBooks."""

from decimal import Decimal

from playwright.sync_api import expect

from tests.e2e.pages import Desk

COMPANY = "Channel Crossing Ltd"


def test_own_rate_of_an_invoice_and_its_payment_stand_there(owner: Desk) -> None:
    owner.product.reset_emulator("multicurrency")
    owner.connect(COMPANY)
    owner.configure()
    owner.make_customer("Söhne GmbH", currency="EUR")
    owner.make_customer("Home Ltd")
    rate = owner.page.get_by_label("Exchange rate")

    owner.write_invoice("Söhne GmbH")
    owner.sees("GBP for 1 EUR")
    rate.press_sequentially("0.8512345678", delay=60)
    expect(rate).to_be_focused()
    customers = owner.page.get_by_label("Customer", exact=True)
    customers.select_option(label=owner.option(customers, "Home Ltd"))
    expect(rate).to_have_count(0)
    customers.select_option(label=owner.option(customers, "Söhne GmbH"))
    rate.fill("0.8512345678")
    number = owner.issue()
    owner.sees("1 EUR = 0.8512345678 GBP")
    owner.sync_state_is("Synced")
    there = owner.product.find_invoice(number, COMPANY)
    assert there is not None
    assert (there["ExchangeRate"], there["TotalAmt"]) == (Decimal("0.8512345678"), 120)

    owner.follow("Record payment")
    owner.page.get_by_role("dialog").get_by_label("Exchange rate").fill("0.87")
    owner.page.get_by_role("dialog").get_by_role("button", name="Record payment").click()
    owner.sees("Payment recorded.")
    owner.sync_state_is("Synced")
