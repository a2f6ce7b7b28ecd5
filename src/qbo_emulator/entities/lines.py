"""The lines of sales documents: turning requested ones into stored ones, and stored ones into answers."""

from __future__ import annotations

from collections.abc import Iterable

from qbo_emulator.document_lines import EXTRA_ITEMS, SHIPPING, flat, is_extra, subtotal_of
from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business, missing, unsupported
from qbo_emulator.jsonio import ZERO, Json, dec, money
from qbo_emulator.ledger import Txn
from qbo_emulator.tax.global_model import split_inclusive
from qbo_emulator.tax.rates import HUNDRED
from qbo_emulator.tax.us_classic import check_line_code

from .account import ensure_account, find_account

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
    "One discount line, positive, needs AllowDiscount; posted to DefaultDiscountAccount, else Discounts given",
    Mark.DOCUMENT,
    "Intuit invoice reference",
)
rule(
    "line.group",
    "A bundle's line has Amount 0 and its own lines inside; their amounts make up the subtotal, ids count on",
    Mark.RECORDING,
    "fixture of a library: a Canadian invoice with a bundle",
)
rule(
    "line.group-request",
    "GroupItemRef names a bundle, Quantity defaults to 1; given lines are taken as they are, without any the bundle's "
    "items are sold Quantity times at their own prices and tax codes",
    Mark.ASSUMPTION,
    "the schema says that the lines are expanded from the group item",
)
rule(
    "line.extra",
    "SHIPPING_ITEM_ID (needs AllowShipping, else 5030) and GRATUITY_ITEM_ID stand behind the subtotal and outside of "
    "the discount",
    Mark.DOCUMENT,
    "Intuit invoice reference; the code is assumed",
)
rule(
    "line.extra-account",
    "Shipping goes to DefaultShippingAccount, else to an income account made for it, gratuity to Undistributed Tips",
    Mark.ASSUMPTION,
    "the schema names the preference and the account's subtype",
)


def complete_lines(txn: Txn, record: Json, before: Json | None) -> list[Json]:
    """Stored lines for the requested ones: checked, with amounts, codes and ids; subtotals are left out."""
    numbers = _Numbers((before or {}).get("Line", []))
    lines = [
        _complete_line(txn, record, given, numbers)
        for given in record["Line"]
        if _kind_of(given) != "SubTotalLineDetail"
    ]
    _complete_discounts(txn, lines)
    return lines


def _kind_of(line: Json) -> str:
    if line.get("DetailType") is None:
        raise missing("DetailType")
    return str(line["DetailType"])


class _Numbers:
    """Gives lines their Id and LineNum: an id the document has stays, any other line is new."""

    def __init__(self, lines: Iterable[Json]) -> None:
        self._known = {line["Id"] for line in flat(lines)}
        self._highest = max((int(number) for number in self._known), default=0)
        self._place = 0

    def assign(self, line: Json) -> None:
        if line.get("Id") not in self._known:
            self._highest += 1
            line["Id"] = str(self._highest)
        self._place += 1
        line["LineNum"] = self._place


def _complete_line(txn: Txn, record: Json, given: Json, numbers: _Numbers) -> Json:
    line = dict(given)
    numbers.assign(line)
    match _kind_of(line):
        case "SalesItemLineDetail":
            line["SalesItemLineDetail"] = dict(line.get("SalesItemLineDetail") or {})
            _complete_sales_line(txn, record, line)
        case "DescriptionOnly":
            line.setdefault("DescriptionLineDetail", {})
            line.pop("Amount", None)
        case "GroupLineDetail":
            line |= {"Amount": ZERO, "GroupLineDetail": _complete_group(txn, record, line, numbers)}
        case "DiscountLineDetail":
            pass
        case kind:
            raise unsupported(f"line of type {kind}")
    line["CustomExtensions"] = []
    return line


def _complete_group(txn: Txn, record: Json, line: Json, numbers: _Numbers) -> Json:
    detail = dict(line.get("GroupLineDetail") or {})
    if not detail.get("GroupItemRef"):
        raise missing("GroupItemRef")
    bundle = txn.get("Item", detail["GroupItemRef"]["value"]) or {}
    if bundle.get("Type") != "Group":
        raise business("The item of a group line must be a bundle.")
    detail.setdefault("Quantity", 1)
    inside = detail.get("Line") or [_sold(txn, member, detail) for member in bundle["ItemGroupDetail"]["ItemGroupLine"]]
    if any(_kind_of(each) not in {"SalesItemLineDetail", "DescriptionOnly"} for each in inside):
        raise business("A bundle holds lines that sell items, nothing else.")
    return {**detail, "Line": [_complete_line(txn, record, each, numbers) for each in inside]}


def _sold(txn: Txn, member: Json, bundle: Json) -> Json:
    """The line that a bundle's item makes when it is sold so many times."""
    item = txn.get("Item", member["ItemRef"]["value"]) or {}
    detail = {
        "ItemRef": member["ItemRef"],
        "UnitPrice": item.get("UnitPrice") or ZERO,
        "Qty": dec(member["Qty"]) * dec(bundle["Quantity"]),
        "TaxCodeRef": item.get("SalesTaxCodeRef"),
    }
    line: Json = {"DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    return {**line, "Description": item["Description"]} if item.get("Description") else line


def _complete_sales_line(txn: Txn, record: Json, line: Json) -> None:
    detail = line["SalesItemLineDetail"]
    if not detail.get("ItemRef"):
        detail["ItemRef"] = _default_item(txn)
    item = _item_of(txn, line)
    detail["ItemAccountRef"] = item.get("IncomeAccountRef")
    detail.pop("_Stock", None)
    if item.get("Type") == "Inventory":
        # Kept beside the line, never answered: what the sale costs and where it is posted.
        detail["_Stock"] = {
            "Cost": item.get("PurchaseCost") or ZERO,
            "Asset": item["AssetAccountRef"]["value"],
            "Expense": item["ExpenseAccountRef"]["value"],
        }
    us = txn.books.country == "US"
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


def _item_of(txn: Txn, line: Json) -> Json:
    """What a line sells; shipping and gratuity are items that no company lists."""
    number = line["SalesItemLineDetail"]["ItemRef"]["value"]
    if number not in EXTRA_ITEMS:
        item = txn.get("Item", number) or {}
        if item.get("Type") in {"Category", "Group"}:
            raise business(f"An item of type {item['Type']} cannot be sold on a line.")
        return item
    if number != SHIPPING:
        account = ensure_account(txn, "Undistributed Tips", "Other Current Liability", "Gratuity")
        return {"IncomeAccountRef": {"value": account}}
    preferences = txn.books.preferences["SalesFormsPrefs"]
    if not preferences.get("AllowShipping"):
        raise Fault(5030, "Shipping is not enabled for this company.", "ItemRef")
    account = str(preferences.get("DefaultShippingAccount") or "")
    if txn.get("Account", account) is None:
        account = ensure_account(txn, "Shipping Income", "Income", "ShippingIncome")
    return {"IncomeAccountRef": {"value": account}}


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
    subtotal = subtotal_of(lines)
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
        found = txn.books.preferences["SalesFormsPrefs"].get("DefaultDiscountAccount")
        if not found or txn.get("Account", str(found)) is None:
            found = find_account(txn.all("Account"), "DiscountsRefundsGiven")
        detail["DiscountAccountRef"] = {"value": str(found)} if found else None
    line["DiscountLineDetail"] = {"PercentBased": False, **detail}


def with_subtotal(lines: list[Json]) -> list[Json]:
    """The lines as answers show them: the subtotal after the item lines, discount, shipping and gratuity behind it."""
    behind = [line for line in lines if line["DetailType"] == "DiscountLineDetail" or is_extra(line)]
    items = [line for line in lines if line not in behind]
    total: Json = {"Amount": money(subtotal_of(lines)), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
    return [*items, total, *behind]


def voided_lines(lines: list[Json]) -> list[Json]:
    """The lines of a voided document: amounts and quantities zero."""
    return [_voided_line(line) for line in lines]


def _voided_line(line: Json) -> Json:
    changed = dict(line)
    if "Amount" in changed:
        changed["Amount"] = ZERO
    if "SalesItemLineDetail" in changed:
        detail = {key: value for key, value in changed["SalesItemLineDetail"].items() if key != "_Stock"}
        for name in ("Qty", "TaxInclusiveAmt"):
            if detail.get(name) is not None:
                detail[name] = ZERO
        changed["SalesItemLineDetail"] = detail
    if "GroupLineDetail" in changed:
        detail = changed["GroupLineDetail"]
        changed["GroupLineDetail"] = {**detail, "Quantity": ZERO, "Line": voided_lines(detail["Line"])}
    return changed
