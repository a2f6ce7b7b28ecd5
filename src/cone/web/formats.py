"""Numbers and dates as people read them, in the firm's own conventions."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from cone.books.amounts import current_locale

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


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
