"""Automated Sales Tax: the ship-to address decides the rates, TotalTax overrides the amount, no code is echoed."""

from __future__ import annotations

from decimal import Decimal

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import business
from qbo_emulator.jsonio import ZERO, Json, dec, money
from qbo_emulator.ledger import Txn

from .automated_table import rates_at
from .rates import tax_line, tax_of

rule(
    "us.automated",
    "Automated Sales Tax (TaxPrefs.PartnerTaxEnabled): lines are TAX or NON, rates follow from the address",
    Mark.DOCUMENT,
    "Intuit blog of 2017-12-11; the table of rates is the emulator's own",
)
rule(
    "us.automated-address",
    "The ship-to address counts, else the bill-to one; without state and city or postal code the tax is 0",
    Mark.REPORT,
    "live test; the order of the two addresses is assumed",
)
rule(
    "us.automated-code",
    "A supplied TxnTaxCodeRef is dropped and none is echoed",
    Mark.REPORT,
    "third-party report; Intuit says it is replaced",
)
rule(
    "us.automated-override",
    "TotalTax in a request overrides the amount and is prorated over the rates, cents left go to the last",
    Mark.DOCUMENT,
    "Intuit's comment in an SDK issue; where the cents go is assumed",
)
rule(
    "us.automated-override-untaxed",
    "TotalTax where nothing is taxable is ignored: there is no rate to prorate it over",
    Mark.ASSUMPTION,
)


def automated_tax(txn: Txn, record: Json, taxable: Decimal) -> Json:
    """The TxnTaxDetail for a document's taxable base."""
    rates = _rates(txn, record) if taxable else []
    if not rates:
        return {"TotalTax": ZERO}
    computed = [tax_of(taxable, rate) for rate in rates]
    wanted = (record.get("TxnTaxDetail") or {}).get("TotalTax")
    amounts = computed if wanted is None else _prorated(money(dec(wanted)), rates)
    lines = [tax_line(rate, amount, taxable) for rate, amount in zip(rates, amounts, strict=True)]
    return {"TotalTax": money(sum(amounts, ZERO)), "TaxLine": lines}


def _rates(txn: Txn, record: Json) -> list[Json]:
    address = record.get("ShipAddr") or record.get("BillAddr") or {}
    state, city = str(address.get("CountrySubDivisionCode") or ""), str(address.get("City") or "")
    if not state or not (city or address.get("PostalCode")):
        return []
    found = (txn.get("TaxRate", str(place.id)) for place in rates_at(state, city))
    return [rate for rate in found if rate is not None]


def _prorated(total: Decimal, rates: list[Json]) -> list[Decimal]:
    if total < 0:
        raise business("The tax amount must be zero or more.")
    weights = [dec(rate["RateValue"]) for rate in rates]
    whole = sum(weights, ZERO)
    amounts = [money(total * weight / whole) for weight in weights[:-1]]
    return [*amounts, money(total - sum(amounts, ZERO))]
