"""JSON with exact numbers: everything with a fraction is a Decimal on the way in and a plain number on the way out."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import msgspec

Json = dict[str, Any]

_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")

CENT = Decimal("0.01")
ZERO = Decimal(0)
# Far beyond any amount or quantity the API takes; keeps quantize() inside the default precision.
LARGEST = Decimal(10) ** 15


class MalformedJsonError(ValueError):
    """The text is not JSON."""


def decode(text: bytes | str) -> Any:
    """Parse JSON; raises MalformedJsonError."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidOperation, RecursionError) as error:
        raise MalformedJsonError(str(error)) from error


def encode(value: Any) -> bytes:
    return _encoder.encode(value)


def money(value: Decimal | int) -> Decimal:
    """Round half up to cents; zero is written 0, as recorded answers do."""
    cents = Decimal(value).quantize(CENT, rounding=ROUND_HALF_UP)
    return cents or ZERO


def plain(value: Decimal | int) -> Decimal:
    """The same number without exponent and without trailing zeros."""
    number = Decimal(value)
    if not number:
        return ZERO
    return Decimal(format(number.normalize(), "f"))


def dec(value: Any) -> Decimal:
    """A stored number (an int after a round trip through JSON) as Decimal; None is zero."""
    if value is None:
        return ZERO
    return value if isinstance(value, Decimal) else Decimal(value)


def to_decimal(value: Any) -> Decimal | None:
    """A number a client sent, as number or as text; None when it is neither or out of any range."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = Decimal(value.strip())
        except InvalidOperation:
            return None
    if isinstance(value, int):
        value = Decimal(value) if -LARGEST < value < LARGEST else None
    if not isinstance(value, Decimal) or not value.is_finite() or not abs(value) < LARGEST:
        return None
    exponent = value.as_tuple().exponent
    return value if isinstance(exponent, int) and exponent > -28 else None
