"""What a scenario says about a company, as plain values; the builder makes the records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from qbo_emulator.jsonio import Json

if TYPE_CHECKING:
    from qbo_emulator.books import Books


@dataclass(frozen=True, slots=True)
class AccountPlan:
    name: str
    type: str
    subtype: str
    id: int | None = None
    number: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class RatePlan:
    """A tax rate; a code names its rates by their names."""

    id: int
    name: str
    percent: Decimal
    kind: str = "NONE"
    description: str = ""
    # ReadOnly rates refuse an override of their amount.
    display: str = "ReadOnly"


@dataclass(frozen=True, slots=True)
class CodePlan:
    id: str
    name: str
    sales: tuple[str, ...] = ()
    purchases: tuple[str, ...] = ()
    description: str = ""
    taxable: bool = True


@dataclass(frozen=True, slots=True)
class ItemPlan:
    name: str
    account: str
    price: Decimal = Decimal(0)
    id: int | None = None
    taxable: bool = False
    description: str = ""
    # Inventory: how many are on hand, and what one cost.
    on_hand: int | None = None
    cost: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class CompanyPlan:
    """One company; accounts are referred to by name."""

    name: str
    legal_name: str
    country: str
    address: Json
    accounts: tuple[AccountPlan, ...]
    agency: str
    rates: tuple[RatePlan, ...]
    codes: tuple[CodePlan, ...]
    items: tuple[ItemPlan, ...]
    customers: tuple[Json, ...] = ()
    vendors: tuple[Json, ...] = ()
    employees: tuple[Json, ...] = ()
    phone: str = ""
    email: str = "books@example.com"
    terms: tuple[tuple[str, int], ...] = (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60))
    payment_methods: tuple[tuple[str, str], ...] = (
        ("Cash", "NON_CREDIT_CARD"),
        ("Cheque", "NON_CREDIT_CARD"),
        ("Bank transfer", "NON_CREDIT_CARD"),
        ("Visa", "CREDIT_CARD"),
    )
    preferences: dict[str, Json] = field(default_factory=dict)
    default_tax_code: str = ""
    # What is written into the finished books.
    documents: Callable[[Books], None] | None = None
    # Currency, home units for one of it, and from which day.
    exchange_rates: tuple[tuple[str, str, str], ...] = ()
