"""Tax everywhere but in the US: a real tax code on every line, computed per rate, exclusive or inclusive."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from qbo_emulator.document_lines import is_extra, subtotal_of
from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business
from qbo_emulator.jsonio import ZERO, Json, dec, money, plain
from qbo_emulator.ledger import Txn

from .rates import HUNDRED, percent, sales_rates, tax_line, tax_of

rule(
    "global.line-code",
    "Every line needs a tax code, else 6000 with the text of the form",
    Mark.REPORT,
    "third-party recording of a UK company",
)
rule("global.calculation", "GlobalTaxCalculation is required (2020)", Mark.DOCUMENT, "Intuit invoice reference")
rule(
    "global.exclusive",
    "Exclusive: tax per rate on the sum of the net amounts, half up",
    Mark.DOCUMENT,
    "Intuit global tax model",
)
rule(
    "global.inclusive",
    "Inclusive: a line's net is gross / (1 + rate) in cents, UnitPrice net / Qty to 7 places; tax is gross minus net",
    Mark.RECORDING,
    "published figures of Australian and Canadian documents",
)
rule(
    "global.inclusive-request",
    "Inclusive requests: TaxInclusiveAmt is the gross; without it Amount is the net",
    Mark.ASSUMPTION,
    "the reference calls Amount net in both directions",
)
rule(
    "global.not-applicable",
    "NotApplicable forbids TxnTaxDetail (6170) and has no tax",
    Mark.DOCUMENT,
    "Intuit error table",
)
rule(
    "global.override",
    "A TaxLine in the request overrides amounts: all rates of the codes used must be in it, "
    "read-only rates refuse (6000)",
    Mark.DOCUMENT,
    "Intuit global tax model",
)
rule(
    "global.discount",
    "A discount lowers each rate's base in proportion",
    Mark.RECORDING,
    "fixture of a library: a Canadian invoice with a discount",
)

NO_CODE = {"GB": "VAT", "IE": "VAT", "AU": "GST", "CA": "GST/HST"}
_UNIT = Decimal("0.0000001")


def line_rates(txn: Txn, line: Json) -> list[Json]:
    """The sales rates of a line's code; 6000 when the line has none."""
    code = line["SalesItemLineDetail"].get("TaxCodeRef")
    if code is None:
        word = NO_CODE.get(txn.books.country, "tax")
        raise business(f"Make sure all your transactions have a {word} rate before you save.")
    found = txn.get("TaxCode", code["value"])
    if found is None:
        raise Fault(2500, f"Invalid Reference Id : TaxCode element id {code['value']} not found")
    return sales_rates(txn, found)


def split_inclusive(txn: Txn, line: Json) -> None:
    """Set a line's net amount and net unit price from its gross amount."""
    detail = line["SalesItemLineDetail"]
    factor = 1 + sum((percent(rate) for rate in line_rates(txn, line)), ZERO) / HUNDRED
    gross = detail.get("TaxInclusiveAmt")
    if gross is None:
        detail["TaxInclusiveAmt"] = money(dec(line["Amount"]) * factor)
        return
    net = money(dec(gross) / factor)
    detail["TaxInclusiveAmt"] = money(dec(gross))
    line["Amount"] = net
    quantity = dec(detail.get("Qty"))
    if detail.get("UnitPrice") is not None and quantity:
        detail["UnitPrice"] = plain((net / quantity).quantize(_UNIT, rounding=ROUND_HALF_UP))


def global_tax(txn: Txn, record: Json, lines: list[Json], discount: Decimal) -> Json:
    """The TxnTaxDetail of a document; lines are completed sales lines."""
    if record["GlobalTaxCalculation"] == "NotApplicable":
        return {"TotalTax": ZERO}
    subtotal = subtotal_of(lines)
    discounted = 1 - discount / subtotal if discount and subtotal else Decimal(1)
    bases: dict[str, Decimal] = {}
    taxes: dict[str, Decimal] = {}
    rates: dict[str, Json] = {}
    for line in lines:
        found = line_rates(txn, line)
        share = Decimal(1) if is_extra(line) else discounted
        for rate, tax in zip(found, _inclusive_parts(line, found), strict=True):
            rates[rate["Id"]] = rate
            bases[rate["Id"]] = bases.get(rate["Id"], ZERO) + dec(line["Amount"]) * share
            taxes[rate["Id"]] = taxes.get(rate["Id"], ZERO) + tax * share
    if record["GlobalTaxCalculation"] == "TaxInclusive":
        amounts = {number: money(tax) for number, tax in taxes.items()}
    else:
        amounts = {number: tax_of(bases[number], rate) for number, rate in rates.items()}
    given = (record.get("TxnTaxDetail") or {}).get("TaxLine")
    if given:
        amounts = _overridden(given, rates, amounts)
    tax_lines = [tax_line(rate, amounts[number], bases[number]) for number, rate in rates.items()]
    return {"TotalTax": money(sum(amounts.values(), ZERO)), "TaxLine": tax_lines}


def _inclusive_parts(line: Json, rates: list[Json]) -> Iterable[Decimal]:
    """A line's tax (gross minus net) split over its rates; the last rate takes what rounding leaves."""
    gross = line["SalesItemLineDetail"].get("TaxInclusiveAmt")
    left = dec(gross) - dec(line["Amount"]) if gross is not None else ZERO
    for position, rate in enumerate(rates):
        part = left if position == len(rates) - 1 else tax_of(dec(line["Amount"]), rate)
        left -= part
        yield part


def _overridden(given: list[Json], rates: dict[str, Json], computed: dict[str, Decimal]) -> dict[str, Decimal]:
    wanted: dict[str, Decimal] = {}
    for line in given:
        reference = (line.get("TaxLineDetail") or {}).get("TaxRateRef")
        if reference is None or reference["value"] not in rates:
            raise business("The tax lines have a tax rate that no line of the transaction uses.")
        wanted[reference["value"]] = money(dec(line.get("Amount")))
    if set(wanted) != set(rates):
        raise business("The tax lines must contain every tax rate of the tax codes used.")
    for number, amount in wanted.items():
        if amount != computed[number] and rates[number].get("DisplayType") == "ReadOnly":
            raise business("The tax amount of this rate cannot be overridden.")
    return wanted
