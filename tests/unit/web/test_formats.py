"""Numbers and dates as people read them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from cone.books.amounts import language_of
from cone.web import formats
from cone.web.forms.fields import NumberField
from cone.web.templatetags.cone import initials

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(("country", "shown"), [("GB", "3 Nov 2026"), ("US", "Nov 3, 2026")])
def test_day_is_in_the_order_of_the_country(country: str, shown: str) -> None:
    with translation.override(language_of(country)):
        assert formats.show_day(date(2026, 11, 3)) == shown


@pytest.mark.parametrize(("number", "shown"), [("20.0000", "20%"), ("17.5", "17.5%"), ("0", "0%")])
def test_percent_has_no_trailing_zeros(number: str, shown: str) -> None:
    assert formats.show_percent(Decimal(number)) == shown


@pytest.mark.parametrize(("number", "typed"), [("180.500000", "180.5"), ("1000", "1000"), ("0.000", "0"), ("10", "10")])
def test_number_for_a_field_is_as_a_person_would_type_it(number: str, typed: str) -> None:
    assert formats.typed_number(Decimal(number)) == typed


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=2), "21 Nov 2026"),
    ],
)
def test_age_is_rough(age: timedelta, shown: str) -> None:
    with translation.override("en-gb"):
        assert formats.show_ago(NOW - age, now=NOW) == shown


@pytest.mark.parametrize(
    ("ahead", "shown"), [(-3, "now"), (0, "now"), (25, "in 25 s"), (90, "in 90 s"), (91, "in 2 min"), (121, "in 3 min")]
)
def test_what_comes_is_counted_in_seconds_then_minutes(ahead: int, shown: str) -> None:
    assert formats.show_ahead(NOW + timedelta(seconds=ahead), now=NOW) == shown


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("1,234.50", "1234.50"),
        (" 1 234.5 ", "1234.5"),
        ("1234567", "1234567"),
        ("1,234,567", "1234567"),
        ("0.335", "0.335"),
    ],
)
def test_number_is_read_as_people_type_it(typed: str, number: str) -> None:
    assert NumberField("Price").clean(typed) == Decimal(number)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Eleanor Hartley", "EH"),
        ("anna.berg@example.com", "AB"),
        ("Li", "LI"),
        ("Ana Sofía Ruiz", "AR"),
        ("", "?"),
        ("@", "?"),
    ],
)
def test_initials_come_from_the_name(name: str, letters: str) -> None:
    assert initials(name) == letters
