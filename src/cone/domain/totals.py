"""What an invoice comes to: line → net → tax → total, made once and never recomputed elsewhere.

The arithmetic is the one QuickBooks publishes for its global tax model, so that both sides agree to the cent:
tax is rounded half up per rate on the document's taxable base; with tax-inclusive prices each line's net is
gross / (1 + rate) rounded to the minor unit, and the document's tax is the sum of gross minus the sum of net.
Source: developer.intuit.com, "Global tax model"; published figures of Australian and Canadian documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, localcontext
from enum import StrEnum
from uuid import UUID

from cone.kit.money import round_amount, smallest_amount

HUNDRED = Decimal(100)
# Quantity, price and discount have at most 15 + 17 + 7 digits: products are exact, quotients off by far less than a
# half of the smallest unit. With the default 28 digits a large product would be rounded twice.
_DIGITS = 60


class AmountsAre(StrEnum):
    """Whether unit prices already contain tax."""

    EXCLUSIVE = "exclusive"
    INCLUSIVE = "inclusive"


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One line's factors: price per unit in the invoice's currency, percentages as percent (20 is 20 %)."""

    quantity: Decimal
    unit_price: Decimal
    discount_percent: Decimal
    tax_rate: UUID
    tax_percent: Decimal


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """One line's money, less its part of the invoice's discount.

    `amount` is on the typed basis (gross when inclusive); `net` never contains tax.
    """

    amount: Decimal
    net: Decimal


@dataclass(frozen=True, slots=True)
class TaxAmount:
    """The document's tax under one rate, and the net amount it was charged on."""

    tax_rate: UUID
    percent: Decimal
    net: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class InvoiceTotals:
    """The frozen result; every figure is in whole minor units of the invoice's currency."""

    lines: tuple[LineAmounts, ...]
    taxes: tuple[TaxAmount, ...]
    net: Decimal
    tax: Decimal
    total: Decimal
    discount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount on the whole invoice, on the basis of its prices: a percentage, or else an amount."""

    percent: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)


NO_DISCOUNT = Discount()


def line_amount(line: PricedLine, *, currency: str) -> Decimal:
    """quantity × unit price less the discount, rounded half up once."""
    kept = (HUNDRED - line.discount_percent) / HUNDRED
    return round_amount(line.quantity * line.unit_price * kept, currency)


def total_up(
    lines: Sequence[PricedLine], *, amounts_are: AmountsAre, currency: str, discount: Discount = NO_DISCOUNT
) -> InvoiceTotals:
    """Compute an invoice's figures; `taxes` has one entry per rate, in order of first use.

    A discount on the whole invoice comes before tax: it's spread over the lines in proportion to their amounts, so
    that the base of each rate is lowered by its part. Cents that are left go to the lines that lost most by rounding.
    """
    with localcontext(prec=_DIGITS):
        full = [line_amount(line, currency=currency) for line in lines]
        shares = spread_discount(full, discount, currency=currency)
        amounts = tuple(
            _line_amounts(line, amount - share, amounts_are, currency)
            for line, amount, share in zip(lines, full, shares, strict=True)
        )
        rates = dict.fromkeys(line.tax_rate for line in lines)
        taxes = tuple(_tax_of(rate, lines, amounts, amounts_are, currency) for rate in rates)
        net = sum((amount.net for amount in amounts), start=round_amount(Decimal(0), currency))
        tax = sum((entry.tax for entry in taxes), start=round_amount(Decimal(0), currency))
        taken = sum(shares, start=round_amount(Decimal(0), currency))
        return InvoiceTotals(lines=amounts, taxes=taxes, net=net, tax=tax, total=net + tax, discount=taken)


def spread_discount(amounts: Sequence[Decimal], discount: Discount, *, currency: str) -> tuple[Decimal, ...]:
    """Each line's part of a discount, in whole minor units that add up to it exactly (largest remainder).

    Never more than the lines come to.
    """
    subtotal = sum(amounts, start=round_amount(Decimal(0), currency))
    wanted = round_amount(subtotal * discount.percent / HUNDRED, currency) if discount.percent else discount.amount
    wanted = round_amount(min(wanted, subtotal), currency)
    if not wanted:
        return tuple(round_amount(Decimal(0), currency) for _ in amounts)
    smallest = smallest_amount(currency)
    exact = [amount * wanted / subtotal for amount in amounts]
    shares = [part.quantize(smallest, rounding=ROUND_DOWN) for part in exact]
    left = int((wanted - sum(shares)) / smallest)
    # On a tie the earlier line: the same lines always give the same parts.
    losers = sorted(range(len(exact)), key=lambda at: (shares[at] - exact[at], at))
    for at in losers[:left]:
        shares[at] += smallest
    return tuple(shares)


def _line_amounts(line: PricedLine, amount: Decimal, amounts_are: AmountsAre, currency: str) -> LineAmounts:
    if amounts_are is AmountsAre.EXCLUSIVE:
        return LineAmounts(amount=amount, net=amount)
    return LineAmounts(amount=amount, net=round_amount(amount * HUNDRED / (HUNDRED + line.tax_percent), currency))


def _tax_of(
    rate: UUID,
    lines: Sequence[PricedLine],
    amounts: Sequence[LineAmounts],
    amounts_are: AmountsAre,
    currency: str,
) -> TaxAmount:
    mine = [(line, amount) for line, amount in zip(lines, amounts, strict=True) if line.tax_rate == rate]
    percent = mine[0][0].tax_percent
    net = sum((amount.net for _, amount in mine), start=round_amount(Decimal(0), currency))
    if amounts_are is AmountsAre.INCLUSIVE:
        gross = sum((amount.amount for _, amount in mine), start=round_amount(Decimal(0), currency))
        return TaxAmount(tax_rate=rate, percent=percent, net=net, tax=gross - net)
    return TaxAmount(tax_rate=rate, percent=percent, net=net, tax=round_amount(net * percent / HUNDRED, currency))
