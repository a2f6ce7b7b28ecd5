"""Payments: the parts come to no more than the whole, and pay no more than is owed."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from cone.domain.errors import InvalidFieldError
from cone.domain.payments import AllocationInput, PaymentInput, check_allocation, check_payment

ONE, TWO = (AllocationInput(UUID(int=number), Decimal(amount)) for number, amount in ((1, "10.50"), (2, "4.50")))
PAYMENT = PaymentInput(
    customer=UUID(int=9),
    received_date=date(2026, 11, 23),
    amount=Decimal(15),
    allocations=(ONE, TWO),
    method=" Cheque ",
)


def test_check_payment_returns_the_payment_as_kept() -> None:
    kept = check_payment(PAYMENT, currency="GBP", home_currency="GBP")
    assert (str(kept.amount), kept.method) == ("15.00", "Cheque")


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        (replace(PAYMENT, allocations=(ONE, ONE)), "allocations", "Name each invoice once."),
        (
            replace(PAYMENT, amount=Decimal(14)),
            "amount",
            "The invoices' parts come to GBP 15.00, the payment is only GBP 14.00.",
        ),
        (replace(PAYMENT, amount=Decimal("15.001")), "amount", "Give the amount with at most 2 decimals."),
        (replace(PAYMENT, amount=Decimal("NaN")), "amount", "Enter the amount as a number."),
        (
            replace(PAYMENT, allocations=(ONE, replace(TWO, amount=Decimal(-1)))),
            "allocations.1.amount",
            "Make the amount more than zero.",
        ),
        (
            replace(PAYMENT, received_date=date(1900, 1, 1)),
            "received_date",
            "Choose a date between 1 January 1990 and 31 December 2100.",
        ),
        (
            replace(PAYMENT, reference="x" * 22),
            "reference",
            "Shorten the reference to 21 characters; it has 22.",
        ),
    ],
)
def test_check_payment_refused_names_the_field(typed: PaymentInput, field: str, message: str) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        check_payment(typed, currency="GBP", home_currency="GBP")
    assert (refusal.value.field, str(refusal.value)) == (field, message)


def test_check_payment_of_more_than_its_parts_or_of_none_is_the_customers_credit() -> None:
    assert check_payment(replace(PAYMENT, amount=Decimal(16)), currency="GBP", home_currency="GBP").amount == Decimal(
        16
    )
    assert check_payment(replace(PAYMENT, allocations=()), currency="GBP", home_currency="GBP").allocations == ()


def test_check_payment_in_yen_has_no_decimals() -> None:
    with pytest.raises(InvalidFieldError, match="Give the amount with no decimals"):
        check_payment(replace(PAYMENT, amount=Decimal("1.5"), allocations=(ONE,)), currency="JPY", home_currency="GBP")


def test_check_allocation_pays_what_is_owed_at_most() -> None:
    check_allocation("allocations.0.amount", Decimal(5), balance=Decimal(5), currency="GBP")
    with pytest.raises(InvalidFieldError, match=r"Only GBP 4\.99 is owed") as refusal:
        check_allocation("allocations.0.amount", Decimal(5), balance=Decimal("4.99"), currency="GBP")
    assert refusal.value.field == "allocations.0.amount"
