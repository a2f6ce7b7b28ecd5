"""Amounts as people of the firm's country write them."""

from decimal import Decimal

import pytest
from django.utils import translation

from cone.books.amounts import language_of, show_money, show_price
from cone.kit.money import Money


@pytest.mark.parametrize(
    ("country", "amount", "currency", "shown"),
    [
        ("GB", "1234.5", "GBP", "£1,234.50"),
        ("GB", "-0.01", "GBP", "-£0.01"),
        ("GB", "0", "USD", "US$0.00"),
        ("US", "1234567.8", "USD", "$1,234,567.80"),
        ("GB", "1200", "JPY", "JP¥1,200"),
        ("GB", "1.234", "KWD", "KWD1.234"),
        ("IN", "1234567", "INR", "₹1,234,567.00"),
        ("DE", "1234.5", "EUR", "€1.234,50"),
        ("XX", "1", "GBP", "£1.00"),
        ("GB", "9999999999999.99", "GBP", "£9,999,999,999,999.99"),
    ],
)
def test_money_is_written_as_the_firms_country_does(country: str, amount: str, currency: str, shown: str) -> None:
    with translation.override(language_of(country)):
        assert show_money(Money(Decimal(amount), currency)) == shown


@pytest.mark.parametrize(("price", "shown"), [("180", "£180.00"), ("0.0125", "£0.0125"), ("6.750000", "£6.75")])
def test_price_keeps_the_decimals_it_has(price: str, shown: str) -> None:
    with translation.override("en-gb"):
        assert show_price(Decimal(price), "GBP") == shown
