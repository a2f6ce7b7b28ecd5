"""Pages on a phone: nothing is wider than the screen."""

import pytest

from tests.e2e.pages import Desk

_TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll(".table-scroll, .flow-scroll")]
    .filter(each => each.scrollWidth > each.clientWidth).map(each => each.className || each.tagName)"""


@pytest.mark.parametrize("width", [390, 360])
def test_team_with_long_addresses_fits_a_phone(owner: Desk, width: int) -> None:
    owner.page.set_viewport_size({"width": width, "height": 844})
    owner.go("/settings/team")
    address = "a.person.with.a.rather.long.name@accounting.a-rather-long-company-name.example.com"
    owner.page.get_by_label("E-mail").fill(address)
    owner.press("Make the link")
    owner.sees(address)

    assert owner.page.evaluate(_TOO_WIDE) == []


@pytest.mark.parametrize("width", [390, 360])
def test_drawing_of_how_data_travels_fits_a_phone(owner: Desk, width: int) -> None:
    owner.page.set_viewport_size({"width": width, "height": 844})
    owner.go("/settings/integrations")

    assert owner.page.locator("#flow").count() == 1
    assert owner.page.evaluate(_TOO_WIDE) == []
