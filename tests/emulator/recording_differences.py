"""What the emulator answers otherwise than the recorded exchanges, each with its reason."""

from collections.abc import Mapping

UNCOVERED: Mapping[str, str] = {
    "attachment-error_estimate": "Operation POST upload (not covered by the emulator) is not supported.",
}

_NEWER = "Recorded from 2018 to 2022; today's answers have it."
_NO_CUSTOM_FIELDS = "The recorded company defines a custom field; the emulator's has none."
_QUERY_LEFT_OUT = "The recorded query left out what the recorded read of that customer shows; the emulator shows it."
_DISCOUNT_LINE = "The recorded discount line has no number; the emulator numbers all lines but the subtotal."
_OTHER_PAST = "Linked to a document of the recorded company's past that isn't in the recording."
_NAMED = "The recorded terms of a vendor come without their name; the emulator names what every reference means."
_TEXT = "The text is right in its beginning; the rest tells Intuit's own inside, a user or a token."

_CUSTOMER = {".Customer.IsProject: extra": _NEWER}
_CUSTOMERS = {
    ".QueryResponse.Customer[].IsProject: extra": _NEWER,
    ".QueryResponse.Customer[].DefaultTaxCodeRef: extra": _QUERY_LEFT_OUT,
}
_VENDORS = {".QueryResponse.Vendor[].TermRef.name: extra": _NAMED}


def _sale(path: str) -> Mapping[str, str]:
    return {
        f"{path}.CustomField: 0 for 1": _NO_CUSTOM_FIELDS,
        f"{path}.Line[].CustomExtensions: extra": _NEWER,
        f"{path}.Line[].SalesItemLineDetail.ItemAccountRef: extra": _NEWER,
    }


KNOWN: Mapping[str, Mapping[str, str]] = {
    "all-alt_select-1": _CUSTOMERS,
    "all-customers-1": _CUSTOMERS,
    "all-sales_receipts": {
        **_sale(".QueryResponse.SalesReceipt[]"),
        ".QueryResponse.SalesReceipt[].Line[].Id: extra": _DISCOUNT_LINE,
        ".QueryResponse.SalesReceipt[].Line[].LineNum: extra": _DISCOUNT_LINE,
        ".QueryResponse.SalesReceipt[].LinkedTxn: missing": _OTHER_PAST,
    },
    "all-vendors_by_5": _VENDORS,
    "batch-basic": {
        **_sale(".BatchItemResponse[].QueryResponse.SalesReceipt[]"),
        ".BatchItemResponse[].Fault.Error[].Detail: another text": _TEXT,
    },
    "cdc-basic": {
        **_sale(".CDCResponse[].QueryResponse[].Estimate[]"),
        ".CDCResponse[].QueryResponse[].Estimate[].LinkedTxn: 0 for 1": _OTHER_PAST,
        ".CDCResponse[].QueryResponse[].Estimate[].LinkedTxn: extra": (
            "An estimate that nothing is linked to has no list in the recording, and an empty one here."
        ),
    },
    "create-customer": _CUSTOMER,
    "create-invoice": _sale(".Invoice"),
    "delete-invoice-0": _sale(".Invoice"),
    "error-400_json": {".Fault.Error[].Detail: another text": _TEXT},
    "error-401": {".fault.error[].detail: another text": _TEXT},
    "error-500-0": {".Fault.Error[].Detail: another text": _TEXT},
    "error-500-1": {".time: extra": "Only this recorded fault has no time; the emulator's faults all have one."},
    "error-validation": {
        ".Fault.Error[].Detail: another text": "Recorded in two wordings; the emulator has the commoner one.",
        ".Fault.Error[].element: extra": "Recorded with and without; the emulator has the commoner form.",
    },
    "get-display_name": _CUSTOMERS,
    "get-id": _CUSTOMER,
    "get-inactive_vendors": _VENDORS,
    "update-customer-0": _CUSTOMER,
    "update-customer-1": _CUSTOMER,
    "update-sales_receipt": _sale(".SalesReceipt"),
    "void-invoice-0": _sale(".Invoice"),
    "void-invoice-1": _sale(".Invoice"),
}
