"""What a provider tells of the connected company: facts, accounts, tax codes."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from cone.kit.values import Value

TaxModel: TypeAlias = Literal["us", "global", "none"]
EnvironmentName: TypeAlias = Literal["emulator", "sandbox", "production"]


class CompanyFacts(Value):
    """Facts and preferences that decide how documents are written; `country` ISO 3166-1, currencies ISO 4217."""

    name: str
    country: str
    home_currency: str
    tax_model: TaxModel
    allows_invoice_deposit: bool
    uses_own_numbers: bool
    is_multicurrency: bool
    books_closed_through_date: date | None
    email: str = ""
    # The company works out sales tax by address, whatever code an invoice names.
    computes_tax_itself: bool = False


class Account(Value):
    """An account of the chart of accounts; `type` and `subtype` are the provider's own words, for people to read."""

    remote_id: str
    name: str
    full_name: str
    type: str
    subtype: str
    is_active: bool
    currency: str
    can_receive_deposits: bool
    is_income: bool


class TaxComponent(Value):
    """One rate of a tax code: its tax is rounded apart from the others'. `takes_amounts`: we may state its tax."""

    remote_id: str
    percent: Decimal
    takes_amounts: bool


class TaxCode(Value):
    """A tax code that a sales line may name. `percent` is the sum of its sales rates; None when it isn't fixed.

    `components` are those rates; empty when `percent` is None.
    """

    remote_id: str
    name: str
    description: str
    percent: Decimal | None
    is_active: bool
    components: tuple[TaxComponent, ...] = ()


class PaymentMethod(Value):
    """A way of paying that the company's payments may name."""

    remote_id: str
    name: str
    is_active: bool


class InactiveItem(Value):
    """An item that sales can't name any more."""

    remote_id: str
    name: str


class Reference(Value):
    """The lists that settings choose from. `suggested_income_account_id` comes from the company's own chart.

    Of the items only the inactive ones: what they were linked to can't be sent, and nothing is chosen from the others.
    `missing_items` are those of the names asked for that no active item had.
    """

    accounts: tuple[Account, ...]
    tax_codes: tuple[TaxCode, ...]
    suggested_income_account_id: str | None
    payment_methods: tuple[PaymentMethod, ...] = ()
    inactive_items: tuple[InactiveItem, ...] = ()
    missing_items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """Tokens as granted; never in a repr, a log or an error.

    Lifetimes count from the moment of the answer: the database's clock turns them into times, never a host's.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_lifetime: timedelta
    refresh_lifetime: timedelta
