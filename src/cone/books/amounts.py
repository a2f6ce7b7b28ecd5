"""Amounts in the firm's own conventions, wherever a sentence names one. The firm is whose page is being made."""

from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency
from django.utils import translation

from cone.kit.money import Money, minor_units

_FALLBACK = Locale("en", "GB")


def language_of(country: str) -> str:
    """The language tag to activate for a firm of that country: English words, the country's figures."""
    return f"en-{country.lower()}"


@lru_cache(maxsize=64)
def _locale_of(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return _FALLBACK


def current_locale() -> Locale:
    """The locale of the firm whose page is being made."""
    return _locale_of(translation.get_language() or "en-gb")


def show_money(money: Money) -> str:
    """ "£1,234.50": always with the currency's own number of decimals."""
    return _with_sign(money.amount, money.currency, "0" * minor_units(money.currency))


def show_price(price: Decimal, currency: str) -> str:
    """A price per unit, which may have more decimals than the currency: "£0.0125"."""
    digits = minor_units(currency)
    return _with_sign(price, currency, "0" * digits + "#" * (6 - digits))


def _with_sign(amount: Decimal, currency: str, decimals: str) -> str:
    pattern = f"#,##0.{decimals}" if decimals else "#,##0"
    text: str = format_currency(
        amount, currency, format=f"¤{pattern};-¤{pattern}", locale=current_locale(), currency_digits=False
    )
    return text
