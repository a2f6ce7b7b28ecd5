"""Products and services; the emulator covers services and non-inventory items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, unsupported
from qbo_emulator.jsonio import ZERO, Json

from .entity import Entity, unique
from .fields import (
    ENVELOPE,
    TAIL,
    Amount,
    Bool,
    Choice,
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
rule("item.inventory", "Inventory, categories, groups and sub-items", Mark.MISSING)


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
            "TrackQtyOnHand": Bool(),
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
                "AssetAccountRef",
                "PrefVendorRef",
                "AvgCost",
                "QtyOnHand",
                "QtyOnPurchaseOrder",
                "QtyOnSalesOrder",
                "ReorderPoint",
                "ManPartNum",
                "DepositToAccountRef",
                "InvStartDate",
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
        if record["Type"] not in {"Service", "NonInventory"} or record.get("TrackQtyOnHand"):
            raise unsupported(f"Item type {record['Type']}")
        if record.get("SubItem"):
            raise unsupported("sub-item")
        if not record.get("IncomeAccountRef"):
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
        record["TrackQtyOnHand"] = False
        return record

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        return (("Item", record["Name"].casefold()),)

    def render(self, view: View, record: Json) -> Json:
        return rendered(view, self.shape, record)
