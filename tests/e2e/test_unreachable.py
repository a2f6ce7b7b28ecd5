"""While Cone can't be reached, nothing that was typed is lost, and once it can nothing is done twice."""

from playwright.sync_api import expect

from tests.e2e.pages import PASSWORD, Desk

UNREACHABLE = "Cone can't be reached just now."


def test_typed_customer_stays_on_the_page_and_is_made_once(owner: Desk) -> None:
    owner.go("/customers/new")
    owner.page.get_by_label("Name", exact=True).fill("Offline & Co")
    owner.page.context.set_offline(True)

    owner.press("Add customer")

    # At the foot of a long form, where it was pressed, too.
    expect(owner.page.get_by_text(UNREACHABLE)).to_be_in_viewport()
    expect(owner.page.get_by_label("Name", exact=True)).to_have_value("Offline & Co")
    owner.page.context.set_offline(False)
    owner.button("Add customer").dblclick()
    owner.sees("Offline & Co is added.")
    owner.go("/customers")
    expect(owner.page.get_by_role("link", name="Offline & Co")).to_have_count(1)


def test_sign_in_says_that_it_cannot_be_reached_too(desk: Desk) -> None:
    desk.go("/accounts/login/")
    desk.page.get_by_label("Email").fill("ana@firm.example")
    desk.page.get_by_label("Password").first.fill(PASSWORD)
    desk.page.context.set_offline(True)

    desk.press("Sign in")

    expect(desk.page.get_by_text(UNREACHABLE)).to_be_in_viewport()
    expect(desk.page.get_by_label("Email")).to_have_value("ana@firm.example")


def test_network_that_swallows_requests_is_told_of_and_the_next_press_asks_again(owner: Desk) -> None:
    owner.go("/customers/new")
    owner.page.evaluate("Object.defineProperty(navigator, 'onLine', { get: () => false })")
    owner.page.get_by_label("Name", exact=True).fill("Silent & Co")
    owner.page.route("**/healthz", lambda _route: None)

    owner.press("Add customer")

    expect(owner.page.get_by_text(UNREACHABLE)).to_be_visible(timeout=8_000)
    owner.page.unroute("**/healthz")
    owner.press("Add customer")
    owner.sees("Silent & Co is added.")


def test_browser_that_takes_itself_for_offline_still_reaches_a_cone_on_its_machine(owner: Desk) -> None:
    owner.go("/customers/new")
    owner.page.evaluate("Object.defineProperty(navigator, 'onLine', { get: () => false })")
    owner.page.get_by_label("Name", exact=True).fill("Local & Co")

    owner.press("Add customer")

    owner.sees("Local & Co is added.")


def test_invoice_in_the_making_says_that_its_figures_are_not_current(owner: Desk) -> None:
    owner.make_customer("Offline & Co")
    owner.write_invoice("Offline & Co", price="100")
    expect(owner.page.locator("#totals")).to_contain_text("£120.00")
    owner.page.context.set_offline(True)

    owner.fill_line(price="200")
    owner.sees(UNREACHABLE)
    owner.press("Save and issue")

    owner.page.context.set_offline(False)
    expect(owner.page.locator("input[name$=unit_price]").first).to_have_value("200")
    assert owner.issue() == "INV-0001"
    owner.sees("£240.00")
    expect(owner.page.get_by_text(UNREACHABLE)).to_be_hidden()
