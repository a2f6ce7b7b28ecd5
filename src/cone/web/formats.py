"""Figures and dates as people read them, in the firm's own conventions."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal
from django.utils import translation

from cone.kit.money import Money, minor_units

_FALLBACK = Locale("en", "GB")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


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


def show_number(number: Decimal | int) -> str:
    """A bare number without trailing zeros, grouped: 1,250.5."""
    text: str = format_decimal(number, format="#,##0.######", locale=current_locale())
    return text


def show_rate(rate: Decimal) -> str:
    """An exchange rate with all its decimals."""
    text: str = format_decimal(rate, format="#,##0.##########", locale=current_locale())
    return text


def show_percent(percent: Decimal) -> str:
    """20 → "20%"."""
    return f"{show_number(percent)}%"


def typed_number(number: Decimal) -> str:
    """A decimal as a person would type it into a field: no grouping, no trailing zeros."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def show_day(day: date) -> str:
    """ "23 Nov 2026", in the order the firm's country uses."""
    return format_date(day, format="medium", locale=current_locale())


def show_ahead(moment: datetime, *, now: datetime) -> str:
    """How soon something is to be: "now" once it's past, seconds up to a minute and a half, then minutes."""
    seconds = int((moment - now).total_seconds())
    if seconds <= 0:
        return "now"
    return f"in {seconds} s" if seconds <= _MINUTE + _MINUTE // 2 else f"in {-(-seconds // _MINUTE)} min"


def show_moment(moment: datetime) -> str:
    """Date and time to the minute, UTC."""
    return f"{format_datetime(moment, format='medium', locale=current_locale(), tzinfo=UTC)} UTC"


def show_ago(moment: datetime, *, now: datetime) -> str:
    """How long ago, roughly: "just now", "4 min ago", "3 h ago", then the day."""
    seconds = int((now - moment).total_seconds())
    if seconds < 5:
        return "just now"
    if seconds < _MINUTE:
        return f"{seconds} s ago"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min ago"
    if seconds < _DAY:
        return f"{seconds // _HOUR} h ago"
    return show_day(moment.date())


def show_lasting(duration: timedelta) -> str:
    """How long, rounded up to minutes: "less than a minute", "about 7 min", "about 2 h 5 min"."""
    minutes = -(-int(duration.total_seconds()) // _MINUTE)
    if minutes <= 1:
        return "less than a minute"
    hours, rest = divmod(minutes, _MINUTE)
    return f"about {hours} h {rest} min" if hours else f"about {minutes} min"


def show_month(day: date) -> str:
    """ "Nov"."""
    return format_date(day, format="LLL", locale=current_locale())
