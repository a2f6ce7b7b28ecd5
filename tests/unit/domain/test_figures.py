"""What may stand in a number or a date."""

from datetime import date
from decimal import Decimal

import pytest

from cone.domain.errors import InvalidFieldError
from cone.domain.figures import DecimalRule, check_date

QUANTITY = DecimalRule("the quantity", Decimal("999999999.999999"), 6, is_zero_allowed=False)
PRICE = DecimalRule("the price", Decimal(9_999_999_999), 6)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("1", "1.000000"), ("0.000001", "0.000001"), ("1E+3", "1000.000000"), ("999999999.999999", "999999999.999999")],
)
def test_decimal_is_kept_with_all_its_places(typed: str, kept: str) -> None:
    assert str(QUANTITY.check("quantity", Decimal(typed))) == kept


def test_decimal_negative_zero_is_zero() -> None:
    assert str(PRICE.check("unit_price", Decimal("-0"))) == "0.000000"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("NaN", "Enter the quantity as a number."),
        ("sNaN", "Enter the quantity as a number."),
        ("Infinity", "Enter the quantity as a number."),
        ("-Infinity", "Enter the quantity as a number."),
        ("0", "Make the quantity more than zero."),
        ("-0.000001", "Make the quantity more than zero."),
        ("12345678901234567890", "Make the quantity 999,999,999.999999 or less."),
        ("1E+999999", "Make the quantity 999,999,999.999999 or less."),
        ("0.0000001", "Give the quantity with at most 6 decimals."),
        ("1E-999999", "Give the quantity with at most 6 decimals."),
    ],
)
def test_decimal_refused_names_the_field_and_what_to_do(typed: str, message: str) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        QUANTITY.check("lines.0.quantity", Decimal(typed))
    assert (refusal.value.field, str(refusal.value)) == ("lines.0.quantity", message)


def test_decimal_without_places_says_so() -> None:
    with pytest.raises(InvalidFieldError, match="Give the amount with no decimals"):
        DecimalRule("the amount", Decimal(100), 0).check("amount", Decimal("1.5"))


def test_decimal_negative_where_zero_is_allowed_says_zero_or_more() -> None:
    with pytest.raises(InvalidFieldError, match="Make the price zero or more"):
        PRICE.check("unit_price", Decimal(-1))


def test_date_is_within_what_books_hold() -> None:
    for day in (date(1990, 1, 1), date(2100, 12, 31)):
        assert check_date("issue_date", day) == day
    for day in (date(1900, 1, 1), date(1989, 12, 31), date(2101, 1, 1), date.max):
        with pytest.raises(InvalidFieldError) as refusal:
            check_date("issue_date", day)
        assert refusal.value.field == "issue_date"
        assert str(refusal.value) == "Choose a date between 1 January 1990 and 31 December 2100."
