"""Invoice numbers: a prefix and a gap-free value. A number once given never changes."""

from enum import StrEnum

from cone.domain.errors import InvalidFieldError, RefusalError
from cone.domain.text import TextRule

INVOICE_COUNTER = "invoice"
_PADDING = 4
_PREFIX = TextRule("the prefix", 10)


def check_prefix(field: str, prefix: str) -> str:
    """Return a prefix of at most 10 characters that doesn't end in a digit.

    "INV-1" + "0001" and "INV-" + "10001" would be one number. With ten characters of prefix a number stays within
    the 21 characters of QuickBooks' DocNumber up to the hundred-billionth invoice.
    Raises: InvalidFieldError.
    """
    kept = _PREFIX.check(field, prefix)
    if kept and kept[-1].isnumeric():
        raise InvalidFieldError(field, "End the prefix with a letter or a sign such as -, not with a digit.")
    return kept


class NumberMode(StrEnum):
    """Who numbers invoices. CUSTOM: the accounting software continues the numbers that the company types there."""

    CONE = "cone"
    SEQUENCE = "sequence"
    CUSTOM = "custom"


class NumberPendingError(RefusalError):
    """This invoice has no number yet; wait until the accounting software gives one, or give it one of Cone's."""

    code = "number_pending"


class NumberSettledError(RefusalError):
    """This invoice has its number already, and a number never changes."""

    code = "number_settled"


def offered_modes(*, uses_own_numbers: bool) -> tuple[NumberMode, ...]:
    """Cone's own numbers always; besides them what the company's preference makes possible."""
    return NumberMode.CONE, NumberMode.CUSTOM if uses_own_numbers else NumberMode.SEQUENCE


def shown_number(number: str | None, *, status: str) -> str:
    """What people read where an invoice's number stands."""
    if number:
        return number
    return {"draft": "Draft", "void": "No number"}.get(status, "Number pending")


def invoice_number(prefix: str, value: int) -> str:
    """Write the `value`-th number: INV-0001."""
    return f"{prefix}{value:0{_PADDING}d}"
