"""E2 and M15 in the browser: a payment over two invoices stands there, applied; what is voided here follows there."""

import re
from decimal import Decimal

from playwright.sync_api import expect

from tests.e2e.pages import Desk, wait_for


def find_payment(owner: Desk) -> dict[str, object]:
    (found,) = owner.product.entities("Payment")
    return found


def balance_of(owner: Desk, number: str) -> Decimal | None:
    found = owner.product.find_invoice(number)
    return None if found is None else Decimal(found["Balance"])


def test_e2_payment_over_two_invoices_is_applied_there_then_edited_then_voided(owner: Desk) -> None:
    owner.connect()
    owner.configure()
    owner.make_customer("Prompt Payer Ltd")
    first, second = owner.make_invoice("Prompt Payer Ltd"), owner.make_invoice("Prompt Payer Ltd")
    owner.sync_state_is("Synced")

    owner.go("/payments/new")
    owner.page.get_by_label("Customer").select_option(label="Prompt Payer Ltd")
    owner.page.get_by_label("Amount received").fill("200")
    owner.page.get_by_label("Method").select_option("Bank transfer")
    owner.page.get_by_label("Reference").fill("BACS 7")
    owner.page.get_by_label(f"Part for {first}").fill("120")
    owner.page.get_by_label(f"Part for {second}").fill("50")
    owner.press("Record payment")
    owner.sees("Payment of £200.00")
    owner.sync_state_is("Synced")
    assert (balance_of(owner, first), balance_of(owner, second)) == (Decimal(0), Decimal(70))
    there = find_payment(owner)
    assert (there["TotalAmt"], there["UnappliedAmt"], there["PaymentRefNum"]) == (200, 30, "BACS 7")
    owner.sees("The rest, £30.00, is the customer's credit.")

    owner.follow("Edit")
    owner.page.get_by_label(f"Part for {second}").fill("80")
    owner.press("Save changes")
    owner.sees("Changes saved.")
    wait_for(lambda: balance_of(owner, second) == 40)
    owner.sync_state_is("Synced")

    owner.go("/settings/integrations/manage")
    owner.page.get_by_label(re.compile("^Void it in QuickBooks")).check()
    owner.page.locator("#removals").get_by_role("button", name="Save", exact=True).first.click()
    dialog = owner.page.get_by_role("dialog")
    expect(dialog).to_contain_text("keeps number and date")
    dialog.get_by_role("button", name="Save").click()
    owner.sees("Saved.")
    owner.go("/payments")
    owner.page.locator("tbody a").first.click()
    owner.follow("Void")
    dialog.get_by_role("button", name="Void payment").click()
    wait_for(lambda: find_payment(owner)["TotalAmt"] == 0)
    owner.sees("Void in QuickBooks Online, too.")
    assert (balance_of(owner, first), balance_of(owner, second)) == (Decimal(120), Decimal(120))

    owner.go("/invoices")
    owner.follow(first)
    owner.follow("Void")
    dialog.get_by_role("button", name=re.compile("^Void")).click()
    wait_for(lambda: owner.product.find_total(first) == 0)
    owner.go("/settings/integrations")
    expect(owner.page.locator("article.cause")).to_have_count(0)
