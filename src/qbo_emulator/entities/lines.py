"""The lines of sales documents: their shapes, and turning requested lines into stored ones."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business, missing, unsupported
from qbo_emulator.jsonio import ZERO, Json, dec, money, plain
from qbo_emulator.tax.global_model import split_inclusive
from qbo_emulator.tax.rates import HUNDRED
from qbo_emulator.tax.us_classic import check_line_code

from .fields import (
    Amount,
    Bool,
    Choice,
    Date,
    Integer,
    Kept,
    ListOf,
    Number,
    ReadOnly,
    Ref,
    Shape,
    Text,
    Uncovered,
    uncovered,
)

if TYPE_CHECKING:
    from qbo_emulator.books import Txn

rule(
    "line.amount",
    "Amount is required; in the US it must agree with UnitPrice x Qty (6070), elsewhere the product "
    "wins, rounded half up",
    Mark.DOCUMENT,
    "Intuit invoice reference",
)
rule(
    "line.zero-quantity",
    "UnitPrice and Qty both zero beside an Amount count as left out",
    Mark.ASSUMPTION,
    "python-quickbooks sends such lines in its own examples",
)
rule(
    "line.subtotal",
    "A SubTotal line without Id follows the item lines in answers and is ignored in requests",
    Mark.RECORDING,
    "recorded invoices",
)
rule(
    "line.default-item",
    "A sales line without ItemRef takes the company's default item",
    Mark.REPORT,
    "live test of 2026; the reference says it becomes documentation",
)
rule(
    "line.discount",
    "One discount line, positive, needs AllowDiscount; default account Discounts given",
    Mark.DOCUMENT,
    "Intuit invoice reference",
)
rule("line.group", "Group lines, shipping and gratuity items", Mark.MISSING)

_DETAILS = ("SalesItemLineDetail", "DiscountLineDetail", "SubTotalLineDetail", "DescriptionOnly")


SALES_DETAIL = Shape(
    "SalesItemLineDetail",
    {
        "ItemRef": Ref("Item"),
        "UnitPrice": Number(),
        "Qty": Number(),
        "ItemAccountRef": Ref("Account"),
        "TaxCodeRef": Ref("TaxCode"),
        "ServiceDate": Date(),
        "TaxInclusiveAmt": Amount(),
        "ClassRef": Ref("Class"),
        **uncovered(
            "UnitCostPrice",
            "RatePercent",
            "PriceLevelRef",
            "MarkupInfo",
            "UOMRef",
            "InventorySiteRef",
            "TaxClassificationRef",
            "DiscountRate",
            "DiscountAmt",
            "DeferredRevenue",
            "RetainageAmount",
            "SalesItemLineDetailEx",
        ),
    },
)
DISCOUNT_DETAIL = Shape(
    "DiscountLineDetail",
    {
        "PercentBased": Bool(),
        "DiscountPercent": Number(),
        "DiscountAccountRef": Ref("Account"),
        "TaxCodeRef": Ref("TaxCode"),
        **uncovered("DiscountRef", "ServiceDate", "ClassRef", "DiscountLineDetailEx"),
    },
)
SALES_LINE = Shape(
    "Line",
    {
        "Id": Text(30),
        "LineNum": Integer(0, 10_000),
        "Description": Text(4000),
        "Amount": Amount(),
        "LinkedTxn": Uncovered(),
        "DetailType": Choice((*_DETAILS, "GroupLineDetail")),
        "SalesItemLineDetail": SALES_DETAIL,
        "DiscountLineDetail": DISCOUNT_DETAIL,
        "SubTotalLineDetail": ReadOnly(),
        "DescriptionLineDetail": Shape("DescriptionLineDetail", {"ServiceDate": Date(), "TaxCodeRef": Ref("TaxCode")}),
        "CustomExtensions": Kept(),
        "LineEx": Uncovered(),
        "GroupLineDetail": Uncovered(),
        "Received": Uncovered(),
        "CustomField": Uncovered(),
        "ProjectRef": Uncovered(),
        "CostAmount": Uncovered(),
        "HomeCostAmount": Uncovered(),
    },
)
TAX_LINE = Shape(
    "Line",
    {
        "Amount": Amount(),
        "DetailType": Choice(("TaxLineDetail",)),
        "TaxLineDetail": Shape(
            "TaxLineDetail",
            {
                "TaxRateRef": Ref("TaxRate"),
                "PercentBased": Bool(),
                "TaxPercent": Number(),
                "NetAmountTaxable": Amount(),
                "TaxInclusiveAmount": Amount(),
                **uncovered("OverrideDeltaAmount", "ServiceDate", "TaxLineDetailEx"),
            },
        ),
        "Id": ReadOnly(),
        "LineNum": ReadOnly(),
        "Description": ReadOnly(),
    },
)
TAX_DETAIL = Shape(
    "TxnTaxDetail",
    {
        "DefaultTaxCodeRef": Uncovered(),
        "TxnTaxCodeRef": Ref("TaxCode"),
        "TotalTax": Amount(),
        "TaxReviewStatus": Uncovered(),
        "TaxLine": ListOf(TAX_LINE),
        "UseAutomatedSalesTax": Uncovered(),
    },
)


def complete_lines(txn: Txn, record: Json, before: Json | None) -> list[Json]:
    """Stored lines for the requested ones: checked, with amounts, codes and ids; subtotals are left out."""
    known = {line["Id"] for line in (before or {}).get("Line", [])}
    highest = max((int(number) for number in known), default=0)
    lines: list[Json] = []
    for given in record["Line"]:
        kind = given.get("DetailType")
        if kind is None:
            raise missing("DetailType")
        if kind == "SubTotalLineDetail":
            continue
        line = dict(given)
        if kind == "SalesItemLineDetail":
            line["SalesItemLineDetail"] = dict(line.get("SalesItemLineDetail") or {})
            _complete_sales_line(txn, record, line)
        elif kind == "DescriptionOnly":
            line.setdefault("DescriptionLineDetail", {})
            line.pop("Amount", None)
        elif kind != "DiscountLineDetail":
            raise unsupported(f"line of type {kind}")
        if line.get("Id") not in known:
            highest += 1
            line["Id"] = str(highest)
        line["LineNum"] = len(lines) + 1
        line["CustomExtensions"] = []
        lines.append(line)
    _complete_discounts(txn, lines)
    return lines


def _complete_sales_line(txn: Txn, record: Json, line: Json) -> None:
    detail = line["SalesItemLineDetail"]
    us = txn.books.country == "US"
    if not detail.get("ItemRef"):
        detail["ItemRef"] = _default_item(txn)
    item = txn.get("Item", detail["ItemRef"]["value"]) or {}
    detail["ItemAccountRef"] = item.get("IncomeAccountRef")
    detail.pop("_Stock", None)
    if item.get("Type") == "Inventory":
        # Kept beside the line, never answered: what the sale costs and where it is posted.
        detail["_Stock"] = {
            "Cost": item.get("PurchaseCost") or ZERO,
            "Asset": item["AssetAccountRef"]["value"],
            "Expense": item["ExpenseAccountRef"]["value"],
        }
    _settle_amount(line, us=us)
    if us:
        if detail.get("TaxCodeRef") is None:
            customer = txn.get("Customer", (record.get("CustomerRef") or {}).get("value", "")) or {"Taxable": True}
            taxable = item.get("Taxable") and customer.get("Taxable")
            detail["TaxCodeRef"] = {"value": "TAX" if taxable else "NON"}
        check_line_code(detail["TaxCodeRef"]["value"])
        detail.pop("TaxInclusiveAmt", None)
    elif record["GlobalTaxCalculation"] == "TaxInclusive":
        split_inclusive(txn, line)
    else:
        detail.pop("TaxInclusiveAmt", None)


def _settle_amount(line: Json, *, us: bool) -> None:
    detail = line["SalesItemLineDetail"]
    if not detail.get("UnitPrice") and not detail.get("Qty") and line.get("Amount"):
        detail.pop("UnitPrice", None)
        detail.pop("Qty", None)
    price, quantity, amount = detail.get("UnitPrice"), detail.get("Qty"), line.get("Amount")
    if price is not None and quantity is not None:
        product = money(dec(price) * dec(quantity))
        if amount is not None and us and money(dec(amount)) != product:
            raise Fault(
                6070,
                "Amount calculation incorrect in the request. Amount is not equal to UnitPrice * Qty. "
                f"Supplied value:{amount}",
            )
        amount = product
    elif amount is None:
        raise missing("Amount")
    line["Amount"] = money(dec(amount))


def _default_item(txn: Txn) -> Json:
    pairs = txn.books.preferences.get("OtherPrefs", {}).get("NameValue", [])
    number = next((pair["Value"] for pair in pairs if pair["Name"] == "SalesFormsPrefs.DefaultItem"), None)
    if number is None:
        raise missing("ItemRef")
    return {"value": number}


def _complete_discounts(txn: Txn, lines: list[Json]) -> None:
    discounts = [line for line in lines if line["DetailType"] == "DiscountLineDetail"]
    if not discounts:
        return
    if not txn.books.preferences["SalesFormsPrefs"].get("AllowDiscount"):
        raise Fault(5030, "Discounts are not enabled for this company.")
    if len(discounts) > 1:
        raise business("A transaction can have one discount only.")
    subtotal = sum((dec(line["Amount"]) for line in lines if line["DetailType"] == "SalesItemLineDetail"), ZERO)
    line = discounts[0]
    detail = dict(line.get("DiscountLineDetail") or {})
    if detail.get("PercentBased"):
        if detail.get("DiscountPercent") is None:
            raise missing("DiscountPercent")
        line["Amount"] = money(subtotal * dec(detail["DiscountPercent"]) / HUNDRED)
    elif line.get("Amount") is None:
        raise missing("Amount")
    line["Amount"] = money(dec(line["Amount"]))
    if line["Amount"] < 0:
        raise business("The discount must be a positive amount.")
    if detail.get("DiscountAccountRef") is None:
        accounts = txn.all("Account")
        found = next((a["Id"] for a in accounts if a.get("AccountSubType") == "DiscountsRefundsGiven"), None)
        detail["DiscountAccountRef"] = {"value": found} if found else None
    line["DiscountLineDetail"] = {"PercentBased": False, **detail}


def sales_lines(lines: list[Json]) -> list[Json]:
    return [line for line in lines if line["DetailType"] == "SalesItemLineDetail"]


def discount_of(lines: list[Json]) -> Decimal:
    return sum((dec(line["Amount"]) for line in lines if line["DetailType"] == "DiscountLineDetail"), ZERO)


def with_subtotal(lines: list[Json]) -> list[Json]:
    """The lines as answers show them: the subtotal after the item lines, a discount behind it."""
    subtotal = sum((dec(line["Amount"]) for line in sales_lines(lines)), ZERO)
    items = [line for line in lines if line["DetailType"] != "DiscountLineDetail"]
    discounts = [line for line in lines if line["DetailType"] == "DiscountLineDetail"]
    total: Json = {"Amount": money(subtotal), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
    return [*items, total, *discounts]


def voided_lines(lines: list[Json]) -> list[Json]:
    """The lines of a voided document: amounts and quantities zero."""
    result = []
    for line in lines:
        changed = dict(line)
        if "Amount" in changed:
            changed["Amount"] = ZERO
        if "SalesItemLineDetail" in changed:
            detail = {key: value for key, value in changed["SalesItemLineDetail"].items() if key != "_Stock"}
            if detail.get("Qty") is not None:
                detail["Qty"] = ZERO
            if detail.get("TaxInclusiveAmt") is not None:
                detail["TaxInclusiveAmt"] = ZERO
            changed["SalesItemLineDetail"] = detail
        result.append(changed)
    return result


def line_unit_price(line: Json) -> Decimal | None:
    price = (line.get("SalesItemLineDetail") or {}).get("UnitPrice")
    return None if price is None else plain(dec(price))
