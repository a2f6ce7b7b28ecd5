"""Products and services: services, non-inventory items, and inventory counted by sales."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business, missing, unsupported
from qbo_emulator.jsonio import ZERO, Json, dec, money, plain

from .entity import Entity, unique
from .fields import (
    ENVELOPE,
    TAIL,
    Amount,
    Bool,
    Choice,
    Date,
    Kind,
    Number,
    ReadOnly,
    Ref,
    Shape,
    Text,
    Uncovered,
    require,
)
from .references import View, rendered

if TYPE_CHECKING:
    from qbo_emulator.books import Txn

rule(
    "item.name",
    "At most 100 characters, no colon; unique among items (6240)",
    Mark.DOCUMENT,
    "Intuit item reference; text of the fault assumed",
)
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
rule("item.groups", "Categories, groups and sub-items", Mark.MISSING)


def _uncovered(*names: str) -> dict[str, Kind]:
    return {name: Uncovered() for name in names}


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
            "ParentRef": Uncovered(),
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
            **ENVELOPE,
            **TAIL,
            "PercentBased": ReadOnly(),
            "RatePercent": Number(),
            **_uncovered(
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
                "PrintGroupedItems",
                "SpecialItem",
                "SpecialItemType",
                "ItemGroupDetail",
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

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        require(given, "Name")
        record = dict(given)
        record.setdefault("Type", before["Type"] if before else "Service")
        if record["Type"] not in {"Service", "NonInventory", "Inventory"}:
            raise unsupported(f"Item type {record['Type']}")
        if record.get("SubItem"):
            raise unsupported("sub-item")
        if before is not None and before["Type"] == "Inventory" != record["Type"]:
            raise business("An inventory item stays an inventory item.")
        if record["Type"] == "Inventory":
            _settle_stock(record, before)
        elif record.get("TrackQtyOnHand"):
            raise business("Only inventory items track a quantity.")
        elif not record.get("IncomeAccountRef") and not (
            record["Type"] == "NonInventory" and record.get("ExpenseAccountRef")
        ):
            raise Fault(2020, "Required parameter IncomeAccountRef is missing in the request", "IncomeAccountRef")
        record["Name"] = record["Name"].strip()
        record.setdefault("Active", True)
        if not record["Active"] and not record["Name"].endswith(" (deleted)"):
            record["Name"] += " (deleted)"
        elif record["Active"]:
            record["Name"] = record["Name"].removesuffix(" (deleted)")
        unique(
            txn,
            "Item",
            record["Name"].casefold(),
            own=(self.name, before["Id"] if before else ""),
            text="Another product or service is already using this \nname. Please use a different name.",
        )
        record["FullyQualifiedName"] = record["Name"]
        record.setdefault("Taxable", False)
        record.setdefault("UnitPrice", ZERO)
        record.setdefault("PurchaseCost", ZERO)
        record.setdefault("TrackQtyOnHand", False)
        return record

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        return (("Item", record["Name"].casefold()),)

    def moved(self, record: Json) -> Iterable[tuple[str, Decimal]]:
        if record["Type"] == "Inventory":
            yield record["Id"], dec(record["QtyOnHand"])

    def postings(self, view: View, record: Json) -> Iterable[tuple[str, Decimal]]:
        if record["Type"] != "Inventory":
            return
        value = dec(record["_OpeningValue"])
        yield record["AssetAccountRef"]["value"], value
        equity = (view.get("Roles", "1") or {}).get("opening_equity")
        if equity:
            yield equity, value

    def render(self, view: View, record: Json) -> Json:
        shown = dict(record)
        if record["Type"] == "Inventory":
            shown["QtyOnHand"] = plain(view.quantities.get(record["Id"], ZERO))
        return rendered(view, self.shape, shown)


def _settle_stock(record: Json, before: Json | None) -> None:
    """Check what inventory needs; the opening quantity and its value stay as they were first given."""
    if before is not None and before["Type"] == "Inventory":
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
