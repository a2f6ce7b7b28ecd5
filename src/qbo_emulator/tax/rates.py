"""From a tax code to its sales rates, and the tax lines an answer shows."""

from __future__ import annotations

from decimal import Decimal

from qbo_emulator.jsonio import Json, dec, money, plain
from qbo_emulator.ledger import Txn

HUNDRED = Decimal(100)


def sales_rates(txn: Txn, code: Json) -> list[Json]:
    """The tax rates a code applies to sales, in its order."""
    details = code.get("SalesTaxRateList", {}).get("TaxRateDetail", [])
    numbers = [detail["TaxRateRef"]["value"] for detail in sorted(details, key=lambda each: each.get("TaxOrder", 0))]
    return [rate for number in numbers if (rate := txn.get("TaxRate", number)) is not None]


def percent(rate: Json) -> Decimal:
    return dec(rate["RateValue"])


def tax_of(base: Decimal, rate: Json) -> Decimal:
    """The tax on a base, rounded half up."""
    return money(base * percent(rate) / HUNDRED)


def tax_line(rate: Json, amount: Decimal, base: Decimal) -> Json:
    return {
        "Amount": money(amount),
        "DetailType": "TaxLineDetail",
        "TaxLineDetail": {
            "TaxRateRef": {"value": rate["Id"]},
            "PercentBased": True,
            "TaxPercent": plain(percent(rate)),
            "NetAmountTaxable": money(base),
        },
    }
