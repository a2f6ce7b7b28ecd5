"""Money: exact, one currency at a time, half up."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cone.kit.money import CurrencyMismatchError, Money, minor_units, round_amount

AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=6)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("2.345", "GBP", "2.35"),
        ("2.344999", "GBP", "2.34"),
        ("-2.345", "GBP", "-2.35"),
        ("0.005", "EUR", "0.01"),
        ("1.5", "JPY", "2"),
        ("2.5", "JPY", "3"),
        ("1.0005", "KWD", "1.001"),
        ("7", "USD", "7.00"),
    ],
)
def test_round_amount_goes_half_up_to_the_minor_unit(amount: str, currency: str, rounded: str) -> None:
    assert str(round_amount(Decimal(amount), currency)) == rounded


def test_minor_units_are_two_unless_the_standard_says_otherwise() -> None:
    assert [minor_units(code) for code in ("GBP", "JPY", "KWD", "XAF", "CHF")] == [2, 0, 3, 0, 2]


@given(AMOUNTS, AMOUNTS)
def test_money_adds_and_subtracts_exactly(left: Decimal, right: Decimal) -> None:
    assert Money(left, "GBP") + Money(right, "GBP") - Money(right, "GBP") == Money(left, "GBP")
    assert Money(left, "GBP") - Money(right, "GBP") == -(Money(right, "GBP") - Money(left, "GBP"))


@given(AMOUNTS)
def test_money_rounded_twice_is_rounded_once_and_off_by_half_a_unit_at_most(amount: Decimal) -> None:
    rounded = Money(amount, "GBP").rounded()
    assert rounded.rounded() == rounded
    assert abs(rounded.amount - amount) <= Decimal("0.005")


def test_money_of_two_currencies_is_refused() -> None:
    pounds, yen = Money(Decimal(1), "GBP"), Money(Decimal(1), "JPY")
    for combine in (lambda: pounds + yen, lambda: pounds - yen, lambda: pounds < yen, lambda: pounds <= yen):
        with pytest.raises(CurrencyMismatchError, match="GBP and JPY can't be combined"):
            combine()


def test_money_zero_is_false_and_in_whole_units() -> None:
    assert not Money.zero("GBP")
    assert str(Money.zero("GBP").amount) == "0.00"
    assert str(Money.zero("JPY").amount) == "0"
    assert Money(Decimal("0.01"), "GBP")
