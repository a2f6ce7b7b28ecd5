"""What a tax rate may look like, and when its percentage is settled."""

from dataclasses import dataclass, replace
from decimal import Decimal

from cone.domain.errors import RefusalError
from cone.domain.figures import DecimalRule
from cone.domain.text import TextRule

NO_TAX_NAME = "No tax"
NAME = TextRule("the name", 100, is_required=True)
PERCENT = DecimalRule("the percentage", Decimal(100), 4)


class TaxPercentSettledError(RefusalError):
    """Issued invoices use this rate, so its percentage can't change; add a new rate and archive this one."""

    code = "tax_percent_settled"


class NoTaxIsFixedError(RefusalError):
    """ "No tax" stays at 0 % and can't be archived; it can be renamed."""

    code = "no_tax_is_fixed"


@dataclass(frozen=True, slots=True)
class TaxRateInput:
    """A tax rate as typed; 20 is 20 %."""

    name: str
    percent: Decimal


def check_tax_rate(typed: TaxRateInput) -> TaxRateInput:
    """Return the rate as it's kept.

    Raises: InvalidFieldError.
    """
    return replace(typed, name=NAME.check("name", typed.name), percent=PERCENT.check("percent", typed.percent))
