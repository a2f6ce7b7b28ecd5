"""Exact money: a decimal amount with its currency, rounded half up and only when asked.

Knows ISO 4217 minor units; knows nothing of tax, invoices or formatting.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

# ISO 4217 minor units where they are not two; QuickBooks stores two for every currency it offers but JPY.
NO_MINOR_UNIT = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THOUSANDTHS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


class CurrencyMismatchError(ValueError):
    """Amounts of two currencies can't be added or compared."""


def minor_units(currency: str) -> int:
    """Digits after the decimal point that `currency` has (ISO 4217); 2 unless listed."""
    if currency in NO_MINOR_UNIT:
        return 0
    return 3 if currency in THOUSANDTHS else 2


@cache
def smallest_amount(currency: str) -> Decimal:
    """One of the currency's minor unit: 0.01 unless listed."""
    return Decimal(1).scaleb(-minor_units(currency))


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """Round half up (away from zero on a tie) to the currency's minor unit."""
    return amount.quantize(smallest_amount(currency), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency. Arithmetic is exact; `rounded` is the only place that rounds."""

    amount: Decimal
    currency: str

    @classmethod
    def zero(cls, currency: str) -> "Money":
        return cls(round_amount(Decimal(0), currency), currency)

    def rounded(self) -> "Money":
        """The same money in whole minor units, half up."""
        return Money(round_amount(self.amount, self.currency), self.currency)

    def __add__(self, other: "Money") -> "Money":
        self._check(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._check(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __lt__(self, other: "Money") -> bool:
        self._check(other)
        return self.amount < other.amount

    def __le__(self, other: "Money") -> bool:
        self._check(other)
        return self.amount <= other.amount

    def _check(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatchError(f"{self.currency} and {other.currency} can't be combined")
