"""How records are written: QuickBooks numbers the invoices, and a taken name is settled on the customer's page."""

import os
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.pages import Desk, wait_for

COMPANY = "Harbour & Vale Ltd"


def take_pictures(desk: Desk, name: str) -> None:
    """Keep the page in both colors and on a phone, when somebody wants to look."""
    folder = os.environ.get("CONE_E2E_SCREENSHOTS")
    if not folder:
        return
    for scheme in ("light", "dark"):
        desk.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        desk.page.screenshot(path=Path(folder) / f"{name}-{scheme}.png", full_page=True)
    desk.page.emulate_media(color_scheme="light")
    desk.page.set_viewport_size({"width": 390, "height": 844})
    desk.page.screenshot(path=Path(folder) / f"{name}-390.png", full_page=True)
    desk.page.set_viewport_size({"width": 1280, "height": 900})


def test_quickbooks_numbers_the_invoice_and_both_sides_agree(owner: Desk) -> None:
    owner.connect()
    owner.configure()
    owner.page.get_by_text("Custom numbers of QuickBooks Online").click()
    take_pictures(owner, "manage")
    owner.press("Save how records are written")
    owner.sees("Saved. It counts from the next record on.")

    owner.make_customer("Ottoline Quay")
    owner.product.control(
        "POST", "faults", {"match": {"entity": "invoice"}, "count": 1, "action": {"latency_ms": 3000}}
    )
    owner.write_invoice("Ottoline Quay")
    owner.page.get_by_label("Discount on the whole").fill("10")
    owner.sees("£108.00")
    take_pictures(owner, "editor")
    owner.press("Save and issue")
    owner.sees("Number pending")
    take_pictures(owner, "pending")
    [there] = wait_for(lambda: owner.product.entities("Invoice", COMPANY))
    expect(owner.page.get_by_role("heading", name=there["DocNumber"])).to_be_visible(timeout=15_000)
    owner.sync_state_is("Synced")
    assert there["TotalAmt"] == 108


def test_name_that_a_vendor_has_is_settled_on_the_customers_page(owner: Desk) -> None:
    owner.connect()
    owner.configure()
    owner.product.control(
        "POST",
        "act",
        {"realm_id": _realm(owner), "action": "create", "entity": "Vendor", "fields": {"DisplayName": "Ottoline Quay"}},
    )
    owner.make_customer("Ottoline Quay")
    owner.sees(re.compile("is already used in QuickBooks"))
    owner.page.reload()
    take_pictures(owner, "name")
    owner.press("Send with a suffix")
    owner.sees("It's being sent as Ottoline Quay (2)")
    wait_for(lambda: "Ottoline Quay (2)" in [row["DisplayName"] for row in owner.product.entities("Customer", COMPANY)])


def _realm(owner: Desk) -> str:
    companies = owner.product.control("GET", "dump")["companies"]
    return str(next(entry["realm_id"] for entry in companies if entry["name"] == COMPANY))
