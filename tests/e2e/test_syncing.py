"""M10–M13, and what M15 leaves to do by hand in this version."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from playwright.sync_api import expect

from tests.e2e.pages import Desk, wait_for


def test_m10_customer_edit_changes_the_same_record_and_drafts_stay(owner: Desk) -> None:
    owner.connect()
    owner.configure()
    owner.make_customer("Early Name Ltd")
    owner.sync_state_is("Synced")
    (there,) = [row for row in owner.product.entities("Customer") if row["DisplayName"] == "Early Name Ltd"]
    owner.follow("Edit")
    owner.page.get_by_label("Name", exact=True).fill("Later <b>Name</b> & Co")
    owner.press("Save changes")
    wait_for(
        lambda: [
            row
            for row in owner.product.entities("Customer")
            if row["Id"] == there["Id"] and row["DisplayName"] == "Later <b>Name</b> & Co"
        ]
    )
    owner.write_invoice("Later <b>Name</b> & Co")
    owner.press("Save draft")
    owner.sees("Draft saved. It stays in Cone until you issue it.")
    assert owner.product.count_writes("invoice") == 0


def test_m10_lost_answer_makes_no_second_invoice(owner: Desk) -> None:
    owner.connect()
    owner.configure()
    owner.make_customer("Lossy Line Ltd")
    owner.sync_state_is("Synced")
    owner.product.control("POST", "faults", {"match": {"entity": "invoice"}, "action": "drop_after", "count": 1})
    number = owner.make_invoice("Lossy Line Ltd")
    # It's there at once; Cone learns of it by looking, and sends nothing again.
    wait_for(lambda: owner.product.find_invoice(number))
    expect(owner.page.locator("#sync-panel .panel-head .state")).to_have_text(re.compile("Synced"), timeout=60_000)
    assert owner.product.count_writes("invoice") == 1


def test_m11_sync_now_says_that_sync_is_paused(owner: Desk) -> None:
    owner.connect()
    owner.configure()
    owner.go("/settings/integrations")
    owner.press("Pause sync")
    owner.make_customer("Held Back Ltd")
    owner.sync_state_is("Held")
    owner.press("Sync now")
    owner.sees(re.compile("paused"))
    assert [row for row in owner.product.entities("Customer") if row["DisplayName"] == "Held Back Ltd"] == []


def test_m12_record_shows_state_history_and_link(owner: Desk) -> None:
    owner.connect()
    owner.configure()
    owner.make_customer("Well Known Ltd")
    number = owner.make_invoice("Well Known Ltd", price="250.00")
    owner.sync_state_is("Synced")
    owner.page.get_by_text("History").click()
    owner.sees("Create")
    with owner.page.context.expect_page() as opened:
        owner.page.get_by_role("link", name=re.compile("View in QuickBooks")).click()
    there = opened.value
    expect(there.get_by_role("heading", name=f"Invoice {number}")).to_be_visible()
    expect(there.get_by_text("300.00").first).to_be_visible()
    owner.go("/invoices")
    expect(owner.page.get_by_role("row", name=re.compile(number))).to_contain_text("Synced")


def test_m13_disconnect_asks_first_and_revokes(owner: Desk) -> None:
    owner.connect()
    owner.configure()
    owner.go("/settings/integrations")
    owner.follow("Disconnect")
    dialog = owner.page.get_by_role("dialog")
    dialog.get_by_role("link", name="Keep connected").click()
    expect(dialog).to_be_hidden()
    expect(owner.page.get_by_role("link", name="Manage", exact=True)).to_be_visible()
    owner.follow("Disconnect")
    dialog.get_by_role("button", name="Disconnect").click()
    owner.sees(re.compile("is disconnected and its settings are removed"))
    # Nothing is left to disconnect there: the grant is dead.
    assert owner.product.control("POST", "tokens/revoke", {}) == {"disconnected": 0}


def test_m15_voided_after_sending_says_remove_it_there(owner: Desk) -> None:
    owner.connect()
    owner.configure()
    owner.make_customer("Second Thoughts Ltd")
    number = owner.make_invoice("Second Thoughts Ltd")
    owner.sync_state_is("Synced")
    owner.follow("Void")
    owner.page.get_by_role("dialog").get_by_role("button", name=re.compile("^Void")).click()
    owner.sees(re.compile("remove it in QuickBooks"))
    expect(owner.page.get_by_role("link", name=re.compile("View in QuickBooks"))).to_be_visible()
    there = owner.product.find_invoice(number)
    assert there is not None
    assert there["TotalAmt"] == Decimal(120)
    owner.press("I removed it there")
    owner.sees("Noted: it's removed there.")
    owner.go("/settings/integrations")
    expect(owner.page.locator("article.cause")).to_have_count(0)


def test_existing_invoices_are_sent_only_from_the_chosen_date(owner: Desk) -> None:
    owner.make_customer("Old Friend Ltd")
    number = owner.make_invoice("Old Friend Ltd")
    owner.connect()
    owner.configure()
    owner.go("/invoices")
    owner.follow(number)
    owner.sync_state_is("Not sent")
    owner.go("/settings/integrations/manage")
    tomorrow = datetime.now(tz=UTC).date() + timedelta(days=1)
    owner.page.get_by_label(re.compile("date", re.IGNORECASE)).last.fill(tomorrow.isoformat())
    owner.press("Preview")
    owner.sees(re.compile("Nothing to send"))
    owner.go("/settings/integrations/manage")
    owner.page.get_by_label(re.compile("date", re.IGNORECASE)).last.fill("2020-01-01")
    owner.press("Preview")
    owner.sees("£120.00")
    owner.press("Send 1 invoice")
    wait_for(lambda: owner.product.find_invoice(number))
    # Compared by the worker's sweep, every 15 seconds.
    expect(owner.page.get_by_text("1 of 1 as predicted")).to_be_visible(timeout=30_000)
    owner.go("/settings/integrations/manage")
    owner.sees("1 of 1 sent")
