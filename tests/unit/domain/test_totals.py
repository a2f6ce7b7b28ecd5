"""An invoice's figures: worked examples, and what must hold for all of them."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cone.domain.totals import (
    AmountsAre,
    Discount,
    InvoiceTotals,
    LineAmounts,
    PricedLine,
    TaxAmount,
    line_amount,
    spread_discount,
    total_up,
)
from cone.kit.money import minor_units

STANDARD, REDUCED, NONE = UUID(int=20), UUID(int=5), UUID(int=0)
PERCENTS = {STANDARD: Decimal(20), REDUCED: Decimal("5.5"), NONE: Decimal(0)}

LINES = st.builds(
    lambda quantity, price, discount, rate: PricedLine(quantity, price, discount, rate, PERCENTS[rate]),
    st.decimals(min_value=Decimal("0.000001"), max_value=10**5, places=6),
    st.decimals(min_value=0, max_value=10**6, places=6),
    st.decimals(min_value=0, max_value=100, places=4),
    st.sampled_from([STANDARD, REDUCED, NONE]),
)
INVOICES = st.lists(LINES, min_size=1, max_size=12)
CURRENCIES = st.sampled_from(["GBP", "JPY", "KWD"])
BASES = st.sampled_from(list(AmountsAre))


def line(
    quantity: str, price: str, *, discount: str = "0", rate: UUID = STANDARD, percent: str | None = None
) -> PricedLine:
    known = PERCENTS[rate] if percent is None else Decimal(percent)
    return PricedLine(Decimal(quantity), Decimal(price), Decimal(discount), rate, known)


def half_up(exact: Fraction, currency: str) -> Decimal:
    """An independent half up: on whole minor units, with integers."""
    units = 10 ** minor_units(currency)
    doubled = exact * units * 2
    whole = (doubled.numerator + doubled.denominator) // (2 * doubled.denominator)
    return Decimal(whole).scaleb(-minor_units(currency))


def total(lines: Sequence[PricedLine], amounts_are: AmountsAre = AmountsAre.EXCLUSIVE) -> InvoiceTotals:
    return total_up(lines, amounts_are=amounts_are, currency="GBP")


def test_total_up_exclusive_taxes_each_rate_on_its_own_base() -> None:
    lines = [line("3", "33.335"), line("1.5", "10", discount="10", rate=REDUCED), line("1", "0.01")]

    assert total(lines) == InvoiceTotals(
        lines=(
            LineAmounts(Decimal("100.01"), Decimal("100.01")),
            LineAmounts(Decimal("13.50"), Decimal("13.50")),
            LineAmounts(Decimal("0.01"), Decimal("0.01")),
        ),
        taxes=(
            TaxAmount(STANDARD, Decimal(20), Decimal("100.02"), Decimal("20.00")),
            TaxAmount(REDUCED, Decimal("5.5"), Decimal("13.50"), Decimal("0.74")),
        ),
        net=Decimal("113.52"),
        tax=Decimal("20.74"),
        total=Decimal("134.26"),
    )


def test_total_up_inclusive_rounds_each_line() -> None:
    once = total([line("1", "20.00")], AmountsAre.INCLUSIVE)
    five_times = total([line("1", "4.00")] * 5, AmountsAre.INCLUSIVE)

    assert (once.net, once.tax, once.total) == (Decimal("16.67"), Decimal("3.33"), Decimal("20.00"))
    assert (five_times.net, five_times.tax, five_times.total) == (Decimal("16.65"), Decimal("3.35"), Decimal("20.00"))


def test_total_up_yen_has_no_decimals() -> None:
    made = total_up([line("3", "33.5", percent="10")], amounts_are=AmountsAre.EXCLUSIVE, currency="JPY")

    assert (str(made.net), str(made.tax), str(made.total)) == ("101", "10", "111")


def test_total_up_exact_tie_goes_up_where_banker_rounding_would_not() -> None:
    assert total([line("1", "0.125", rate=NONE)]).net == Decimal("0.13")
    assert total([line("1", "0.10", percent="25")]).tax == Decimal("0.03")


def test_line_amount_largest_factors_is_rounded_once() -> None:
    huge = line("999999999.999999", "9999999999.999999", discount="0.0001")
    exact = Fraction(huge.quantity) * Fraction(huge.unit_price) * (100 - Fraction(huge.discount_percent)) / 100

    made = total([huge]).lines[0].amount

    assert made == half_up(exact, "GBP")


@given(INVOICES, BASES, CURRENCIES)
def test_total_up_parts_come_to_the_whole(lines: list[PricedLine], basis: AmountsAre, currency: str) -> None:
    made = total_up(lines, amounts_are=basis, currency=currency)

    assert made.net == sum(amount.net for amount in made.lines) == sum(entry.net for entry in made.taxes)
    assert made.tax == sum(entry.tax for entry in made.taxes)
    assert made.total == made.net + made.tax
    assert [entry.tax_rate for entry in made.taxes] == list(dict.fromkeys(entry.tax_rate for entry in lines))
    places = Decimal(1).scaleb(-minor_units(currency))
    for amount in (made.net, made.tax, made.total):
        assert amount == amount.quantize(places, rounding=ROUND_HALF_UP)
        assert amount >= 0


@given(INVOICES, CURRENCIES)
def test_total_up_exclusive_is_half_up_per_line_and_per_rate(lines: list[PricedLine], currency: str) -> None:
    made = total_up(lines, amounts_are=AmountsAre.EXCLUSIVE, currency=currency)

    for typed, amount in zip(lines, made.lines, strict=True):
        exact = Fraction(typed.quantity) * Fraction(typed.unit_price) * (100 - Fraction(typed.discount_percent)) / 100
        assert amount.amount == amount.net == half_up(exact, currency)
    for entry in made.taxes:
        assert entry.tax == half_up(Fraction(entry.net) * Fraction(entry.percent) / 100, currency)


@given(INVOICES, CURRENCIES)
def test_total_up_inclusive_total_is_what_was_typed(lines: list[PricedLine], currency: str) -> None:
    made = total_up(lines, amounts_are=AmountsAre.INCLUSIVE, currency=currency)

    assert made.total == sum(line_amount(typed, currency=currency) for typed in lines)
    for typed, amount in zip(lines, made.lines, strict=True):
        assert amount.net == half_up(Fraction(amount.amount) * 100 / (100 + Fraction(typed.tax_percent)), currency)


@given(INVOICES, CURRENCIES)
def test_total_up_without_tax_is_the_same_either_way(lines: list[PricedLine], currency: str) -> None:
    untaxed = [
        PricedLine(entry.quantity, entry.unit_price, entry.discount_percent, NONE, Decimal(0)) for entry in lines
    ]

    assert total_up(untaxed, amounts_are=AmountsAre.EXCLUSIVE, currency=currency) == total_up(
        untaxed, amounts_are=AmountsAre.INCLUSIVE, currency=currency
    )


@given(INVOICES, BASES)
def test_total_up_order_of_lines_does_not_matter(lines: list[PricedLine], basis: AmountsAre) -> None:
    forward, backward = (total_up(order, amounts_are=basis, currency="GBP") for order in (lines, list(reversed(lines))))
    assert (forward.net, forward.tax, forward.total) == (backward.net, backward.tax, backward.total)


@pytest.mark.parametrize("basis", list(AmountsAre))
def test_total_up_full_discount_is_nothing(basis: AmountsAre) -> None:
    made = total([line("7", "19.99", discount="100")], basis)
    assert (made.net, made.tax, made.total) == (Decimal("0.00"),) * 3


DISCOUNTS = st.one_of(
    st.builds(lambda percent: Discount(percent=percent), st.decimals(min_value=0, max_value=100, places=4)),
    st.builds(lambda amount: Discount(amount=amount), st.decimals(min_value=0, max_value=10**6, places=0)),
)


@given(INVOICES, DISCOUNTS, CURRENCIES, BASES)
def test_discount_is_spread_to_the_cent_and_lowers_every_line_in_proportion(
    lines: list[PricedLine], discount: Discount, currency: str, amounts_are: AmountsAre
) -> None:
    full = [line_amount(each, currency=currency) for each in lines]
    shares = spread_discount(full, discount, currency=currency)
    totals = total_up(lines, amounts_are=amounts_are, currency=currency, discount=discount)
    assert totals.discount == sum(shares) <= sum(full)
    assert [each.amount for each in totals.lines] == [
        amount - share for amount, share in zip(full, shares, strict=True)
    ]
    smallest = Decimal(1).scaleb(-minor_units(currency))
    for amount, share in zip(full, shares, strict=True):
        assert 0 <= share <= amount
        assert (
            abs(Fraction(share) - Fraction(amount) * Fraction(totals.discount) / (Fraction(sum(full)) or 1)) < smallest
        )


def test_discount_of_two_rates_lowers_each_base_before_tax() -> None:
    lines = [
        PricedLine(Decimal(1), Decimal("100.00"), Decimal(0), STANDARD, Decimal(20)),
        PricedLine(Decimal(1), Decimal("50.00"), Decimal(0), REDUCED, Decimal("5.5")),
    ]
    totals = total_up(
        lines, amounts_are=AmountsAre.EXCLUSIVE, currency="GBP", discount=Discount(amount=Decimal("10.00"))
    )
    assert [each.net for each in totals.lines] == [Decimal("93.33"), Decimal("46.67")]
    assert (totals.net, totals.tax, totals.total) == (Decimal("140.00"), Decimal("21.24"), Decimal("161.24"))
