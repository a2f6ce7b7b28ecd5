"""Products and services: services, non-inventory items, inventory counted by sales, categories and bundles."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business, missing, unsupported
from qbo_emulator.jsonio import ZERO, Json, dec, money, plain
from qbo_emulator.ledger import Txn, View

from .entity import Entity, find
from .fields import (
    ENVELOPE,
    TAIL,
    Amount,
    Bool,
    Choice,
    Date,
    ListOf,
    Number,
    ReadOnly,
    Ref,
    Shape,
    Text,
    require,
    uncovered,
)
from .names import marked
from .references import reference, rendered
from .tree import ancestors, full_name, rename_children

rule(
    "item.name",
    "At most 100 characters, no colon; unique by full name (6240)",
    Mark.DOCUMENT,
    "Intuit item reference and its page on categories; text of the fault assumed",
)
rule("item.type", "A new item needs a Type (2020)", Mark.DOCUMENT, "Intuit item reference")
rule("item.income-account", "A service needs an IncomeAccountRef", Mark.DOCUMENT, "Intuit item reference")
rule(
    "item.non-inventory",
    "A non-inventory item needs an income or an expense account",
    Mark.ASSUMPTION,
    "the reference requires the income account for sales only",
)
rule(
    "item.inventory",
    "Inventory needs TrackQtyOnHand, QtyOnHand, InvStartDate and income, asset and expense accounts (2020)",
    Mark.DOCUMENT,
    "Intuit item reference",
)
rule(
    "item.on-hand",
    "Sales move QtyOnHand and post PurchaseCost x Qty; opening stock stands against opening balance equity",
    Mark.ASSUMPTION,
    "real cost is first in, first out; QtyOnHand in an update is ignored",
)
rule(
    "item.category",
    "A Category has a name only; items and categories stand below categories, four levels of them and an item as "
    "the fifth (6180); SubItem needs ParentRef (2020); nothing stands below an item; no category is sold (6000)",
    Mark.DOCUMENT,
    "Intuit pages on item hierarchies; text of 6000 assumed",
)
rule(
    "item.category-off",
    "Where CompanyInfo does not say ItemCategoriesFeature true a category cannot be made (500), and items stand below "
    "items",
    Mark.REPORT,
    "faults of companies without categories in threads about SDKs",
)
rule(
    "item.group",
    "A Group (bundle) lists its items in ItemGroupDetail; the API reads it, but only a person makes, changes or hides "
    "one (500)",
    Mark.DOCUMENT,
    "Intuit page on item bundles; the code is assumed",
)

_STOCKED = "Inventory"
_SOLD = ("Service", "NonInventory", _STOCKED)
_CATEGORY = ("Name", "SubItem", "ParentRef", "Active", "Type")
_MEMBER = Shape("ItemComponentLine", {"ItemRef": Ref("Item"), "Qty": Number(), **uncovered("UOMRef")})


class Item(Entity):
    name = "Item"
    shape = Shape(
        "Item",
        {
            "Name": Text(100, ":\t\n"),
            "Sku": Text(100),
            "Description": Text(4000),
            "Active": Bool(),
            "SubItem": Bool(),
            "ParentRef": Ref("Item"),
            "Level": ReadOnly(),
            "FullyQualifiedName": ReadOnly(),
            "Taxable": Bool(),
            "SalesTaxIncluded": Bool(),
            "UnitPrice": Amount(),
            "Type": Choice(("Service", "NonInventory", "Inventory", "Category", "Group")),
            "IncomeAccountRef": Ref("Account"),
            "PurchaseDesc": Text(1000),
            "PurchaseTaxIncluded": Bool(),
            "PurchaseCost": Amount(),
            "ExpenseAccountRef": Ref("Account"),
            "AssetAccountRef": Ref("Account"),
            "TrackQtyOnHand": Bool(),
            "QtyOnHand": Number(),
            "InvStartDate": Date(),
            "SalesTaxCodeRef": Ref("TaxCode"),
            "PurchaseTaxCodeRef": Ref("TaxCode"),
            "PrintGroupedItems": Bool(),
            "ItemGroupDetail": Shape("ItemGroupDetail", {"ItemGroupLine": ListOf(_MEMBER)}),
            **ENVELOPE,
            **TAIL,
            "PercentBased": ReadOnly(),
            "RatePercent": Number(),
            **uncovered(
                "PaymentMethodRef",
                "UOMSetRef",
                "COGSAccountRef",
                "PrefVendorRef",
                "AvgCost",
                "QtyOnPurchaseOrder",
                "QtyOnSalesOrder",
                "ReorderPoint",
                "ManPartNum",
                "DepositToAccountRef",
                "BuildPoint",
                "SpecialItem",
                "SpecialItemType",
                "ItemAssemblyDetail",
                "AbatementRate",
                "ReverseChargeRate",
                "ServiceType",
                "ItemCategoryType",
                "ItemEx",
                "TaxClassificationRef",
                "UQCDisplayText",
                "UQCId",
                "ClassRef",
                "Source",
                "DeferredRevenue",
                "CustomExtensions",
                "CustomField",
            ),
        },
    )

    def check_request(self, txn: Txn, body: Json, before: Json | None) -> None:
        kind = (before or body).get("Type")
        if kind == "Group":
            raise unsupported("UPDATE GROUP" if before else "CREATE GROUP")
        if kind == "Category" and not _has_categories(txn):
            raise unsupported("UPDATE CATEGORY" if before else "CREATE CATEGORY")

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        require(given, "Name", *(() if before else ("Type",)))
        record = dict(given)
        record.setdefault("Type", before["Type"] if before else None)
        _check_type(record["Type"], before)
        if record["Type"] == "Category":
            record = {name: value for name, value in record.items() if name in _CATEGORY}
        elif record["Type"] == "Group":
            _settle_group(txn, record)
        elif record["Type"] == _STOCKED:
            _settle_stock(record, before)
        elif record.get("TrackQtyOnHand"):
            raise business("Only inventory items track a quantity.")
        elif not record.get("IncomeAccountRef") and not (
            record["Type"] == "NonInventory" and record.get("ExpenseAccountRef")
        ):
            raise missing("IncomeAccountRef")
        record.setdefault("Active", True)
        record["Name"] = marked(str(record["Name"]).strip(), active=record["Active"], before=before)
        _settle_parent(txn, record, before)
        if record["Type"] == "Category":
            return record
        record.setdefault("Taxable", False)
        record.setdefault("UnitPrice", ZERO)
        record.setdefault("PurchaseCost", ZERO)
        record.setdefault("TrackQtyOnHand", False)
        return record

    def after_write(self, txn: Txn, before: Json | None, after: Json | None) -> None:
        rename_children(txn, self.name, before, after)

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        yield self.name, record["FullyQualifiedName"].casefold()
        yield "Item.Name", record["Name"].casefold()
        if record.get("ParentRef"):
            yield "Parent.Item", record["ParentRef"]["value"]

    def moved(self, record: Json) -> Iterable[tuple[str, Decimal]]:
        if record["Type"] == _STOCKED:
            yield record["Id"], dec(record["QtyOnHand"])

    def postings(self, view: View, record: Json) -> Iterable[tuple[str, Decimal]]:
        if record["Type"] != _STOCKED:
            return
        value = dec(record["_OpeningValue"])
        yield record["AssetAccountRef"]["value"], value
        equity = (view.get("Roles", "1") or {}).get("opening_equity")
        if equity:
            yield equity, value

    def render(self, view: View, record: Json) -> Json:
        shown = dict(record)
        if record["Type"] == _STOCKED:
            shown["QtyOnHand"] = plain(view.quantities.get(record["Id"], ZERO))
        answer = rendered(view, self.shape, shown)
        for line in (answer.get("ItemGroupDetail") or {}).get("ItemGroupLine", []):
            member = view.get("Item", line["ItemRef"]["value"]) or {}
            line["ItemRef"] = {**reference(view, "Item", line["ItemRef"]), "type": member.get("Type", "")}
        return answer


def _check_type(kind: str, before: Json | None) -> None:
    """Services and non-inventory items turn into each other and into inventory; everything else stays what it is."""
    if before is None or before["Type"] == kind:
        return
    if before["Type"] not in {"Service", "NonInventory"} or kind not in _SOLD:
        raise business(f"An item of type {before['Type']} keeps its type.")


def _has_categories(txn: Txn) -> bool:
    pairs = txn.books.info.get("NameValue", [])
    return any(pair["Name"] == "ItemCategoriesFeature" and str(pair["Value"]).lower() == "true" for pair in pairs)


def _settle_parent(txn: Txn, record: Json, before: Json | None) -> None:
    """Set the place in the hierarchy and the full name that follows from it."""
    own = before["Id"] if before else ""
    if record.get("SubItem") and not record.get("ParentRef"):
        raise missing("ParentRef")
    above = ancestors(txn, "Item", record, own)
    if above and _has_categories(txn) and above[0]["Type"] != "Category":
        raise business("The parent of an item must be a category.")
    if record["Type"] == "Category" and len(above) >= _CATEGORY_LEVELS:
        raise Fault(6180, f"You can nest at most {_CATEGORY_LEVELS} levels of categories.")
    for name in ("SubItem", "Level"):
        record.pop(name, None)
    if above:
        record |= {"SubItem": True, "Level": len(above)}
    word = "category" if record["Type"] == "Category" else "product or service"
    record["FullyQualifiedName"] = full_name(txn, "Item", record, before, word=word)


_CATEGORY_LEVELS = 4


def _settle_group(txn: Txn, record: Json) -> None:
    """Check the items of a bundle: at least one, each of them sold by itself."""
    lines = (record.get("ItemGroupDetail") or {}).get("ItemGroupLine") or []
    if not lines:
        raise missing("ItemGroupDetail")
    for line in lines:
        require(line, "ItemRef")
        if find(txn, "Item", line["ItemRef"]["value"])["Type"] not in _SOLD:
            raise business("A bundle holds items that are sold by themselves.")
        line["Qty"] = plain(dec(line["Qty"])) if line.get("Qty") is not None else Decimal(1)
    record.setdefault("PrintGroupedItems", False)


def _settle_stock(record: Json, before: Json | None) -> None:
    """Check what inventory needs; the opening quantity and its value stay as they were first given."""
    if before is not None and before["Type"] == _STOCKED:
        for name in ("QtyOnHand", "InvStartDate", "AssetAccountRef", "_OpeningValue"):
            record[name] = before[name]
        record["TrackQtyOnHand"] = True
    required = ("IncomeAccountRef", "AssetAccountRef", "ExpenseAccountRef", "InvStartDate", "TrackQtyOnHand")
    require(record, *required)
    if record.get("QtyOnHand") is None:
        raise missing("QtyOnHand")
    record.setdefault("_OpeningValue", money(dec(record["QtyOnHand"]) * dec(record.get("PurchaseCost"))))
    if not record["TrackQtyOnHand"]:
        raise business("An inventory item tracks its quantity.")
