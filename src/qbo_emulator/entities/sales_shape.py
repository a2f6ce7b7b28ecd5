"""The properties that all sales documents share, in the order recorded answers have them."""

from __future__ import annotations

from collections.abc import Mapping

from .fields import (
    ADDRESS,
    COPY_EMAIL,
    CUSTOM_FIELD,
    EMAIL,
    ENVELOPE,
    MEMO,
    TAIL,
    Bool,
    Choice,
    Date,
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
from .line_shapes import SALES_LINE, TAX_DETAIL

LINKED = ListOf(Shape("LinkedTxn", {"TxnId": Text(30), "TxnType": Text(50), "TxnLineId": Uncovered()}))

# Of documents that are paid at once; each lists its own.
_PAID = ("PaymentMethodRef", "PaymentRefNum", "DepositToAccountRef")
_RARE = (
    "TxnSubType",
    "TaxFormType",
    "TaxFormNum",
    "TransactionLocationType",
    "Tag",
    "TxnApprovalInfo",
    "RecurringInfo",
    "ProjectRef",
    "RemitToRef",
    "SalesRepRef",
    "PONumber",
    "FOB",
    "ShipMethodRef",
    "ShippingTaxIncludedInTotalTax",
    "ARAccountRef",
    "FinanceCharge",
    "PaymentType",
    "CheckPayment",
    "CreditCardPayment",
    "DiscountRate",
    "DiscountAmt",
    "GovtTxnRefIdentifier",
    "TaxExemptionRef",
)

_COMMON: dict[str, Kind] = {
    "CustomField": ListOf(CUSTOM_FIELD),
    "DocNumber": Text(21),
    "TxnDate": Date(),
    "DepartmentRef": Ref("Department"),
    "CurrencyRef": Ref("Currency"),
    "ExchangeRate": Number(),
    "PrivateNote": Text(4000),
    "LinkedTxn": ReadOnly(),
    "Line": ListOf(SALES_LINE),
    "TxnTaxDetail": TAX_DETAIL,
    "CustomerRef": Ref("Customer"),
    "CustomerMemo": MEMO,
    "BillAddr": ADDRESS,
    "ShipAddr": ADDRESS,
    "FreeFormAddress": ReadOnly(),
    "ShipFromAddr": ADDRESS,
    "ClassRef": Ref("Class"),
    "SalesTermRef": Ref("Term"),
    "DueDate": Date(),
    "ShipDate": Date(),
    "TrackingNum": Text(31),
    "GlobalTaxCalculation": Choice(("TaxExcluded", "TaxInclusive", "NotApplicable")),
    "TotalAmt": ReadOnly(),
    "HomeTotalAmt": ReadOnly(),
    "ApplyTaxAfterDiscount": Bool(),
    "PrintStatus": Choice(("NotSet", "NeedToPrint", "PrintComplete")),
    "EmailStatus": Choice(("NotSet", "NeedToSend", "EmailSent")),
    "BillEmail": EMAIL,
    "BillEmailCc": COPY_EMAIL,
    "BillEmailBcc": COPY_EMAIL,
    "DeliveryInfo": Shape("DeliveryInfo", {"DeliveryType": Text(30), "DeliveryTime": Text(50)}),
    "Balance": ReadOnly(),
    "HomeBalance": ReadOnly(),
}


def sales_shape(
    name: str,
    *,
    first: Mapping[str, Kind] | None = None,
    own: Mapping[str, Kind] | None = None,
    rare: Mapping[str, Kind] | None = None,
) -> Shape:
    """A document's shape: `first` stands before the envelope, `own` behind the balance, `rare` at the end."""
    fields: dict[str, Kind] = {
        **(first or {}),
        **ENVELOPE,
        **_COMMON,
        **(own or {}),
        **TAIL,
        "AutoDocNumber": Bool(),
        f"{name}Ex": Kept(),
        "TxnStatus": ReadOnly(),
        "TxnSource": ReadOnly(),
        "HomeTotalCostAmount": ReadOnly(),
        "TotalCostAmount": ReadOnly(),
        "TemplateRef": ReadOnly(),
        "RecurDataRef": ReadOnly(),
        **{
            key: Uncovered()
            for key in ("PaymentMethodRef", "PaymentRefNum", "DepositToAccountRef")
            if key not in (own or {})
        },
        **uncovered(*_RARE),
    }
    return Shape(name, {**fields, **(rare or {})})


def answer_shape(shape: Shape) -> Shape:
    """As answers have it: with the subtotal's empty detail, which requests may send but never set."""
    line = Shape("Line", {**SALES_LINE.fields, "SubTotalLineDetail": Shape("SubTotalLineDetail", {})})
    return Shape(shape.name, {**shape.fields, "Line": ListOf(line)})
