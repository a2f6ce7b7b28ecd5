"""The firm's own exchange rate on a document in a foreign currency."""

from decimal import Decimal

from cone.domain.errors import InvalidFieldError
from cone.domain.figures import DecimalRule

EXCHANGE_RATE = DecimalRule("the exchange rate", Decimal(9999999), 10, is_zero_allowed=False)


def check_exchange_rate(rate: Decimal | None, *, currency: str, home_currency: str) -> Decimal | None:
    """Return the rate as it's kept: units of the firm's currency for one of the document's. None: it has none.

    Raises: InvalidFieldError.
    """
    if rate is None:
        return None
    if currency == home_currency:
        raise InvalidFieldError("exchange_rate", f"It's in {home_currency}, your own currency: leave the rate empty.")
    return EXCHANGE_RATE.check("exchange_rate", rate)
