"""What may stand in a number or a date: finite, within range, no more decimals than are kept."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from cone.domain.errors import InvalidFieldError

EARLIEST_DATE = date(1990, 1, 1)
LATEST_DATE = date(2100, 12, 31)


@dataclass(frozen=True, slots=True)
class DecimalRule:
    """What one number field accepts. `label` is how a message calls it: "the quantity"."""

    label: str
    maximum: Decimal
    places: int
    is_zero_allowed: bool = True

    def check(self, field: str, number: Decimal) -> Decimal:
        """Return the number with exactly `places` decimals; negative and non-finite ones are refused.

        Raises: InvalidFieldError.
        """
        if not number.is_finite():
            raise InvalidFieldError(field, f"Enter {self.label} as a number.")
        if number < 0 or (not number and not self.is_zero_allowed):
            lowest = "zero or more" if self.is_zero_allowed else "more than zero"
            raise InvalidFieldError(field, f"Make {self.label} {lowest}.")
        if number > self.maximum:
            raise InvalidFieldError(field, f"Make {self.label} {self.maximum:,f} or less.")
        kept = number.quantize(Decimal(1).scaleb(-self.places))
        if kept != number:
            raise InvalidFieldError(field, f"Give {self.label} with {_decimals(self.places)}.")
        return kept.copy_abs()


def check_date(field: str, day: date) -> date:
    """Return a date that books can hold (1990 to 2100).

    Raises: InvalidFieldError.
    """
    if not EARLIEST_DATE <= day <= LATEST_DATE:
        raise InvalidFieldError(
            field, f"Choose a date between {EARLIEST_DATE:%d %B %Y} and {LATEST_DATE:%d %B %Y}.".replace(" 0", " ")
        )
    return day


def _decimals(places: int) -> str:
    return f"at most {places} decimals" if places else "no decimals"
