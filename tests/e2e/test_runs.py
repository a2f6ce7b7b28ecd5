"""Existing invoices in a browser: foreseen, sent as foreseen, and taken back."""

import re

from playwright.sync_api import expect

from tests.e2e.pages import Desk, wait_for


def test_existing_invoices_are_previewed_sent_and_taken_back(owner: Desk) -> None:
    owner.make_customer("Old Friend Ltd")
    numbers = [owner.make_invoice("Old Friend Ltd") for _ in range(2)]
    owner.connect()
    owner.choose_account()
    owner.go("/settings/integrations/manage")
    owner.page.get_by_label("Start date").fill("2020-01-01")
    owner.press("Preview")
    expect(owner.page.locator("article.cause")).to_have_count(1)
    owner.sees(re.compile("is not mapped"))

    # The cause leads to its act; once it's mended the preview has figures.
    owner.map_rates()
    owner.go("/settings/integrations/preview?from_date=2020-01-01")
    expect(owner.page.locator("article.cause")).to_have_count(0)
    owner.sees("£240.00")
    owner.sees(re.compile("One of that name may exist there"))
    assert not any(owner.product.find_invoice(each) for each in numbers)
    owner.press("Send 2 invoices")

    owner.sees("2 of 2 sent")
    # Compared by the worker's sweep, every 15 seconds.
    expect(owner.page.get_by_text("2 of 2 as predicted")).to_be_visible(timeout=30_000)
    assert all(owner.product.find_invoice(each) for each in numbers)

    # One of them is edited after it was sent: undoing leaves that one alone.
    owner.go("/invoices")
    owner.follow(numbers[0])
    owner.edit_price("90.00")
    owner.sync_state_is("Synced")
    owner.go("/settings/integrations/runs")
    owner.page.locator("table a").first.click()
    owner.follow("Undo this run")
    dialog = owner.page.get_by_role("dialog")
    expect(dialog.get_by_text("1 record", exact=True)).to_be_visible()
    expect(dialog.get_by_text(re.compile("was edited here"))).to_be_visible()
    dialog.get_by_role("button", name="Undo the run").click()

    owner.sees(re.compile("1 of 2 deleted there"))
    owner.sees("Not taken back")
    wait_for(lambda: owner.product.find_invoice(numbers[1]) is None)
    assert owner.product.find_invoice(numbers[0]) is not None
    owner.go("/invoices")
    owner.follow(numbers[1])
    owner.sync_state_is("Not sent")
