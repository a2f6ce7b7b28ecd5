"""Invoice numbers: a prefix and a gap-free value. A number once given never changes."""

from cone.domain.errors import InvalidFieldError
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


def invoice_number(prefix: str, value: int) -> str:
    """Write the `value`-th number: INV-0001."""
    return f"{prefix}{value:0{_PADDING}d}"
