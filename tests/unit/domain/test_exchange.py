"""Rates of the firm's own: for foreign currencies only, positive, with as many decimals as are kept."""

from decimal import Decimal

import pytest

from cone.domain.errors import InvalidFieldError
from cone.domain.exchange import check_exchange_rate


def test_rate_is_kept_with_ten_decimals_and_none_stays_none() -> None:
    kept = check_exchange_rate(Decimal("0.8512345678"), currency="EUR", home_currency="GBP")
    assert str(kept) == "0.8512345678"
    assert check_exchange_rate(None, currency="EUR", home_currency="GBP") is None
    assert check_exchange_rate(None, currency="GBP", home_currency="GBP") is None


@pytest.mark.parametrize(
    ("rate", "currency", "message"),
    [
        ("1", "GBP", "It's in GBP, your own currency: leave the rate empty."),
        ("0", "EUR", "Make the exchange rate more than zero."),
        ("-0.85", "EUR", "Make the exchange rate more than zero."),
        ("NaN", "EUR", "Enter the exchange rate as a number."),
        ("10000000", "EUR", "Make the exchange rate 9,999,999 or less."),
        ("0.85123456789", "EUR", "Give the exchange rate with at most 10 decimals."),
    ],
)
def test_refused_rate_says_why(rate: str, currency: str, message: str) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        check_exchange_rate(Decimal(rate), currency=currency, home_currency="GBP")
    assert (refusal.value.field, str(refusal.value)) == ("exchange_rate", message)
