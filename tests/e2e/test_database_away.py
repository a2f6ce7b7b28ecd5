"""The database starts again under open pages: they come back by themselves, and nothing that was typed is lost."""

import os
import signal
import subprocess

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.pages import Desk, Product

HEADING = "The database can't be reached just now"


def crash(product: Product) -> None:
    """Kill one of the database's processes, which makes it start again; one that's held up makes that take seconds."""
    [record] = product.data_dir.rglob("postmaster.pid")
    parent = record.read_text().split()[0]
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    entries = [line.split(maxsplit=2) for line in listed.splitlines()]
    mine = {args: int(pid) for pid, its_parent, args in entries if its_parent == parent}
    held, killed = (
        next(pid for args, pid in mine.items() if part in args) for part in ("background writer", "walwriter")
    )
    os.kill(held, signal.SIGSTOP)
    os.kill(killed, signal.SIGKILL)


@pytest.fixture
def page(owner: Desk, browser: Browser) -> Page:
    """Another tab of the owner's, in which errors of the server are expected."""
    context = browser.new_context(storage_state=owner.page.context.storage_state())
    owner.page.goto("about:blank")
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page


def test_page_comes_back_by_itself(page: Page, product: Product) -> None:
    page.goto(f"{product.url}/invoices")
    crash(product)

    page.reload()

    expect(page.get_by_role("heading", name=HEADING)).to_be_visible()
    expect(page.get_by_role("heading", name="Invoices", exact=True)).to_be_visible(timeout=20_000)


def test_form_is_kept_and_sent_again(page: Page, product: Product) -> None:
    page.goto(f"{product.url}/customers/new")
    page.get_by_label("Name", exact=True).fill("Crash & Co")
    crash(product)

    page.get_by_role("button", name="Add customer").click()

    expect(page.get_by_role("heading", name=HEADING)).to_be_visible()
    # As often as it takes.
    for _ in range(60):
        page.get_by_role("button", name="Send it again").click()
        page.wait_for_load_state()
        if page.get_by_text("Crash & Co is added.").count():
            break
        page.wait_for_timeout(250)
    page.goto(f"{product.url}/customers")
    expect(page.get_by_role("link", name="Crash & Co")).to_have_count(1)


def test_page_that_refreshes_itself_stands_still_and_goes_on(page: Page, product: Product, owner: Desk) -> None:
    owner.connect()
    owner.page.goto("about:blank")
    page.goto(f"{product.url}/settings/integrations")
    note = page.get_by_text("Cone can't be reached just now.")

    # It looks every five seconds, and the database is away for about as long: it may look before and after.
    for _ in range(5):
        crash(product)
        try:
            expect(note).to_be_visible(timeout=10_000)
        except AssertionError:
            continue
        break
    else:
        pytest.fail("the page never said that Cone can't be reached")
    expect(page.get_by_role("heading", name="How data travels")).to_be_visible()
    expect(note).to_be_hidden(timeout=20_000)
