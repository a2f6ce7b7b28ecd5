"""What a service may look like."""

from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from cone.domain.figures import DecimalRule
from cone.domain.text import TextRule

NAME = TextRule("the name", 100, is_required=True)
DESCRIPTION = TextRule("the description", 4000, is_multiline=True)
UNIT_PRICE = DecimalRule("the price", Decimal(9999999999), 6)


@dataclass(frozen=True, slots=True)
class ServiceInput:
    """A service as typed; its price is in the workspace's currency."""

    name: str
    description: str = ""
    unit_price: Decimal = Decimal(0)
    tax_rate: UUID | None = None


def check_service(typed: ServiceInput) -> ServiceInput:
    """Return the service as it's kept.

    Raises: InvalidFieldError.
    """
    return replace(
        typed,
        name=NAME.check("name", typed.name),
        description=DESCRIPTION.check("description", typed.description),
        unit_price=UNIT_PRICE.check("unit_price", typed.unit_price),
    )
