"""The shapes of a sales document's lines and of its tax."""

from __future__ import annotations

from .fields import (
    Amount,
    Bool,
    Choice,
    Date,
    Integer,
    Kept,
    Kind,
    ListOf,
    Number,
    ReadOnly,
    Ref,
    Shape,
    Text,
    Uncovered,
    uncovered,
)

_DETAILS = ("SalesItemLineDetail", "DiscountLineDetail", "SubTotalLineDetail", "DescriptionOnly", "GroupLineDetail")


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
_LINE: dict[str, Kind] = {
    "Id": Text(30),
    "LineNum": Integer(0, 10_000),
    "Description": Text(4000),
    "Amount": Amount(),
    "LinkedTxn": Uncovered(),
    "DetailType": Choice(_DETAILS),
    "SalesItemLineDetail": SALES_DETAIL,
    "DiscountLineDetail": DISCOUNT_DETAIL,
    "SubTotalLineDetail": ReadOnly(),
    "DescriptionLineDetail": Shape("DescriptionLineDetail", {"ServiceDate": Date(), "TaxCodeRef": Ref("TaxCode")}),
    "CustomExtensions": Kept(),
    "LineEx": Uncovered(),
    "Received": Uncovered(),
    "CustomField": Uncovered(),
    "ProjectRef": Uncovered(),
    "CostAmount": Uncovered(),
    "HomeCostAmount": Uncovered(),
}
# A bundle's lines stand inside its own; none of them is a bundle again.
GROUP_DETAIL = Shape(
    "GroupLineDetail",
    {
        "GroupItemRef": Ref("Item"),
        "Quantity": Number(),
        "ServiceDate": Date(),
        "Line": ListOf(Shape("Line", {**_LINE, "GroupLineDetail": ReadOnly()})),
        **uncovered("UOMRef", "GroupLineDetailEx"),
    },
)
SALES_LINE = Shape("Line", {**_LINE, "GroupLineDetail": GROUP_DETAIL})
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
