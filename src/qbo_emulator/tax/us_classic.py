"""US sales tax: lines are TAX or NON; classic: one tax code for the transaction decides the rates."""

from __future__ import annotations

from decimal import Decimal

from qbo_emulator.document_lines import is_extra, sales_lines, subtotal_of
from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault
from qbo_emulator.jsonio import ZERO, Json, dec, money
from qbo_emulator.ledger import Txn

from .rates import sales_rates, tax_line, tax_of
from .us_automated import automated_tax

rule(
    "us.line-code",
    "Lines take TAX or NON (6100); the default comes from item and customer",
    Mark.DOCUMENT,
    "Intuit invoice reference",
)
rule(
    "us.transaction-code",
    "TxnTaxCodeRef decides the rates; without one the customer's default code is used",
    Mark.DOCUMENT,
    "Intuit tax code reference; use of the customer's default assumed",
)
rule(
    "us.rounding",
    "Tax is rounded half up for each rate on the document's taxable base",
    Mark.RECORDING,
    "published figures of the US sample company",
)
rule("us.custom-sales-tax", "CustomSalesTax cannot be used (6160)", Mark.DOCUMENT, "Intuit error table")
rule("us.no-sales-tax", "TxnTaxDetail is ignored while sales tax is off", Mark.DOCUMENT, "Intuit preferences reference")


def check_line_code(code: str) -> None:
    if code == "CustomSalesTax":
        raise Fault(6160, "The CustomSalesTax tax code cannot be used.", "TaxCodeRef")
    if code not in {"TAX", "NON"}:
        raise Fault(6100, f"Invalid tax code {code} on a line: TAX or NON is expected.", "TaxCodeRef")


def check_codes(txn: Txn, given: Json) -> None:
    """Refuse codes that no document in the US can have; Automated Sales Tax drops the transaction's own."""
    for line in sales_lines(given.get("Line") or []):
        code = (line.get("SalesItemLineDetail") or {}).get("TaxCodeRef")
        if code is not None:
            check_line_code(code["value"])
    detail = given.get("TxnTaxDetail") or {}
    code = (detail.get("TxnTaxCodeRef") or {}).get("value")
    if code == "CustomSalesTax":
        raise Fault(6160, "The CustomSalesTax tax code cannot be used.", "TxnTaxCodeRef")
    if txn.books.preferences["TaxPrefs"].get("PartnerTaxEnabled"):
        detail.pop("TxnTaxCodeRef", None)
    elif code in {"TAX", "NON"}:
        raise Fault(2500, f"Invalid Reference Id : TaxCode element id {code} not found")


def us_tax(txn: Txn, record: Json, lines: list[Json], discount: Decimal) -> Json:
    """The TxnTaxDetail of a document; lines are completed sales lines."""
    preferences = txn.books.preferences["TaxPrefs"]
    if not preferences.get("UsingSalesTax"):
        return {"TotalTax": ZERO}
    taxable = sum((dec(line["Amount"]) for line in lines if _code(line) == "TAX"), ZERO)
    if discount and record.get("ApplyTaxAfterDiscount"):
        subtotal = subtotal_of(lines)
        lowered = sum((dec(line["Amount"]) for line in lines if _code(line) == "TAX" and not is_extra(line)), ZERO)
        taxable = money(taxable - discount * lowered / subtotal) if subtotal else taxable
    given = (record.get("TxnTaxDetail") or {}).get("TxnTaxCodeRef")
    if preferences.get("PartnerTaxEnabled"):
        return automated_tax(txn, record, taxable)
    return _classic_tax(txn, given or _customer_code(txn, record), taxable)


def _classic_tax(txn: Txn, code: Json | None, taxable: Decimal) -> Json:
    if not taxable or code is None:
        return {"TotalTax": ZERO}
    found = txn.get("TaxCode", code["value"])
    tax_lines = [tax_line(rate, tax_of(taxable, rate), taxable) for rate in sales_rates(txn, found or {})]
    total = money(sum((dec(line["Amount"]) for line in tax_lines), ZERO))
    return {"TxnTaxCodeRef": {"value": code["value"]}, "TotalTax": total, "TaxLine": tax_lines}


def _code(line: Json) -> str:
    return str(line["SalesItemLineDetail"]["TaxCodeRef"]["value"])


def _customer_code(txn: Txn, record: Json) -> Json | None:
    customer = txn.get("Customer", (record.get("CustomerRef") or {}).get("value", "")) or {}
    return customer.get("DefaultTaxCodeRef") if customer.get("Taxable") else None
