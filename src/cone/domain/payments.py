"""What a payment may look like, and how it's divided among invoices of one customer."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from cone.domain.errors import InvalidFieldError, RefusalError
from cone.domain.exchange import check_exchange_rate
from cone.domain.figures import DecimalRule, check_date
from cone.domain.invoices import LARGEST_TOTAL
from cone.domain.text import TextRule
from cone.kit.money import minor_units

METHOD = TextRule("the method", 31)
REFERENCE = TextRule("the reference", 21)
MOST_ALLOCATIONS = 200


class PaymentAlreadyVoidError(RefusalError):
    """This payment is void already."""

    code = "payment_already_void"


class PaymentChangedMeanwhileError(RefusalError):
    """Someone else changed this payment meanwhile; reload the page and make your change again."""

    code = "payment_changed_meanwhile"


@dataclass(frozen=True, slots=True)
class AllocationInput:
    """The part of a payment that pays one invoice."""

    invoice: UUID
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PaymentInput:
    """A payment as typed, in the customer's currency; what the parts leave of it is the customer's credit.

    `exchange_rate` is the firm's own, where the currency is foreign.
    """

    customer: UUID
    received_date: date
    amount: Decimal
    allocations: tuple[AllocationInput, ...]
    method: str = ""
    reference: str = ""
    exchange_rate: Decimal | None = None


def check_payment(typed: PaymentInput, *, currency: str, home_currency: str) -> PaymentInput:
    """Return the payment as it's kept; a refusal names the field, parts as `allocations.0.amount`.

    Raises: InvalidFieldError.
    """
    rule = DecimalRule("the amount", LARGEST_TOTAL - 1, minor_units(currency), is_zero_allowed=False)
    if len(typed.allocations) > MOST_ALLOCATIONS:
        raise InvalidFieldError("allocations", f"Choose at most {MOST_ALLOCATIONS} invoices; record several payments.")
    if len({part.invoice for part in typed.allocations}) < len(typed.allocations):
        raise InvalidFieldError("allocations", "Name each invoice once.")
    checked = replace(
        typed,
        received_date=check_date("received_date", typed.received_date),
        amount=rule.check("amount", typed.amount),
        method=METHOD.check("method", typed.method),
        reference=REFERENCE.check("reference", typed.reference),
        exchange_rate=check_exchange_rate(typed.exchange_rate, currency=currency, home_currency=home_currency),
        allocations=tuple(
            replace(part, amount=rule.check(f"allocations.{position}.amount", part.amount))
            for position, part in enumerate(typed.allocations)
        ),
    )
    parts = add_parts(checked.allocations)
    if parts > checked.amount:
        raise InvalidFieldError(
            "amount",
            f"The invoices' parts come to {currency} {parts:,f}, the payment is only {currency} {checked.amount:,f}.",
        )
    return checked


def add_parts(parts: Iterable[AllocationInput]) -> Decimal:
    """What the parts of a payment come to."""
    return sum((part.amount for part in parts), start=Decimal(0))


def check_allocation(field: str, amount: Decimal, *, balance: Decimal, currency: str) -> None:
    """Refuse to pay more than is owed.

    Raises: InvalidFieldError.
    """
    if amount > balance:
        raise InvalidFieldError(field, f"Only {currency} {balance:,f} is owed on this invoice; pay that or less.")
