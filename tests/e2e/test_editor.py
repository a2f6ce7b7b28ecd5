"""The invoice editor under fast hands: what was typed stays, however late an answer comes."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.pages import Desk


@pytest.fixture
def editor(owner: Desk) -> Desk:
    """A new invoice of a firm with a service: 180.50 under VAT 5 %."""
    owner.make_customer("Hasty Ltd")
    owner.go("/services/new")
    owner.page.get_by_label("Name").fill("Advice")
    owner.page.get_by_label("Description").fill("A partner's time.")
    owner.page.get_by_label("Price").fill("180.50")
    rates = owner.page.get_by_label("Tax rate")
    rates.select_option(label=owner.option(rates, "VAT 5"))
    owner.press("Add service")
    expect(owner.page.get_by_role("heading", name="Services")).to_be_visible()
    owner.go("/invoices/new")
    customers = owner.page.get_by_label("Customer", exact=True)
    with owner.page.expect_response(re.compile("/invoices/new")):
        customers.select_option(label=owner.option(customers, "Hasty Ltd"))
    return owner


def of_line(page: Page, name: str, line: int = 0) -> Locator:
    return page.locator(f"[name=line-{line}-{name}]")


def pick(desk: Desk) -> None:
    of_line(desk.page, "service").select_option(label="Advice")


@contextmanager
def late_answer(page: Page, action: str) -> Iterator[None]:
    """The answer to a request of this action comes only after what is done meanwhile."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if re.search(rf"(^|&)action={action}", route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/invoices/new", hold)
    yield
    until = time.monotonic() + 10
    while not held and time.monotonic() < until:
        # Playwright hands the route over while it waits itself.
        page.wait_for_timeout(20)
    assert held, f"nothing asked for {action}"
    with page.expect_response(lambda answer: answer.request == held[0].request):
        held[0].continue_()
    page.unroute("**/invoices/new", hold)


def test_what_is_typed_while_a_service_is_on_its_way_stays(editor: Desk) -> None:
    page = editor.page
    with late_answer(page, "pick"):
        pick(editor)
        rates = of_line(page, "tax_rate")
        rates.select_option(label=editor.option(rates, "VAT 20"))
        of_line(page, "description").fill("As agreed")
        of_line(page, "unit_price").fill("99")
        of_line(page, "unit_price").press("Home")

    expect(page.locator("#totals")).to_contain_text("118.80")
    expect(of_line(page, "unit_price")).to_have_value("99")
    expect(of_line(page, "description")).to_have_value("As agreed")
    assert of_line(page, "service").locator("option:checked").inner_text() == "Advice"
    # One can go on typing where one was.
    page.keyboard.type("1")
    expect(of_line(page, "unit_price")).to_have_value("199")
    editor.issue()
    editor.sees("£238.80")


def test_what_is_typed_into_a_field_that_was_filled_meanwhile_takes_its_place(editor: Desk) -> None:
    page = editor.page
    with late_answer(page, "pick"):
        pick(editor)
        of_line(page, "unit_price").focus()

    expect(of_line(page, "unit_price")).to_have_value("180.5")
    expect(page.locator("#totals")).to_contain_text("189.53")
    page.wait_for_timeout(100)
    page.keyboard.type("88")
    expect(of_line(page, "unit_price")).to_have_value("88")


def test_letter_typed_into_an_empty_memo_while_the_lines_are_put_in_place_stays(editor: Desk) -> None:
    page = editor.page
    # After the swap, and before it has settled.
    page.evaluate("""() => document.addEventListener("htmx:afterSwap", function () {
        document.execCommand("insertText", false, "T");
    }, {once: true})""")
    with late_answer(page, "pick"):
        pick(editor)
        page.locator("[name=memo]").focus()

    expect(page.locator("#totals")).to_contain_text("189.53")
    page.wait_for_timeout(100)
    page.keyboard.type("hanks")
    expect(page.locator("[name=memo]")).to_have_value("Thanks")


def test_what_was_typed_before_a_service_is_chosen_stays(editor: Desk) -> None:
    page = editor.page
    of_line(page, "unit_price").fill("99")
    pick(editor)

    expect(of_line(page, "description")).to_have_value("A partner's time.")
    expect(of_line(page, "unit_price")).to_have_value("99")
    expect(page.locator("#totals")).to_contain_text("103.95")


def test_what_is_typed_while_another_line_is_removed_stays_with_its_line(editor: Desk) -> None:
    page = editor.page
    of_line(page, "description").fill("First")
    editor.press("Add line")
    of_line(page, "description", 1).fill("Second")
    with late_answer(page, "remove"):
        editor.press("Remove line 1")
        of_line(page, "unit_price", 1).fill("50")

    expect(of_line(page, "description")).to_have_value("Second")
    expect(of_line(page, "unit_price")).to_have_value("50")
    expect(of_line(page, "unit_price", 1)).to_have_count(0)
    expect(page.locator("#totals")).to_contain_text("60.00")
