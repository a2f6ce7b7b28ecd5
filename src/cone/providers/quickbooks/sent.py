"""Requests of ours read back from their stored bytes: the business key of a create, and every field in plain words."""

from collections.abc import Iterator, Mapping
from datetime import date

import msgspec

from cone.accounting.port.documents import Kind
from cone.accounting.port.provider import WireRequest
from cone.accounting.port.sent import SentRecord
from cone.providers.quickbooks.mapping import AUTO_GENERATE

# What people call the fields that mapping writes; what isn't here is shown under its own dotted name.
_WORDS: Mapping[str, str] = {
    "DisplayName": "Name",
    "PrimaryEmailAddr.Address": "E-mail",
    "PrimaryPhone.FreeFormNumber": "Phone",
    "PrimaryTaxIdentifier": "Tax number",
    "BillAddr.Line1": "Address, line 1",
    "BillAddr.Line2": "Address, line 2",
    "BillAddr.City": "City",
    "BillAddr.CountrySubDivisionCode": "Region",
    "BillAddr.PostalCode": "Postal code",
    "BillAddr.Country": "Country",
    "CurrencyRef.value": "Currency",
    "ExchangeRate": "Exchange rate",
    "DocNumber": "Number",
    "CustomerRef.value": "Customer (id there)",
    "TxnDate": "Date",
    "DueDate": "Due date",
    "GlobalTaxCalculation": "Amounts are",
    "BillEmail.Address": "E-mail on the invoice",
    "CustomerMemo.value": "Memo",
    "PrivateNote": "Cone's mark",
    "DepositToAccountRef.value": "Deposit account (id there)",
    "TotalAmt": "Amount",
    "PaymentMethodRef.value": "Payment method (id there)",
    "PaymentRefNum": "Reference",
    "UnitPrice": "Price",
    "IncomeAccountRef.value": "Income account (id there)",
    "TxnTaxDetail.TotalTax": "Tax",
}
_LINE_WORDS: Mapping[str, str] = {
    "Amount": "amount",
    "Description": "description",
    "SalesItemLineDetail.Qty": "quantity",
    "SalesItemLineDetail.UnitPrice": "price",
    "SalesItemLineDetail.ItemRef.value": "item (id there)",
    "SalesItemLineDetail.TaxCodeRef.value": "tax code",
    "SalesItemLineDetail.TaxInclusiveAmt": "amount with tax",
    "SalesItemLineDetail.ClassRef.value": "class (id there)",
    "SalesItemLineDetail.ServiceDate": "service date",
    "ProjectRef.value": "project (id there)",
}
# The version that an update was based on isn't of the record; how QuickBooks reads the rest says nothing to a person.
_LEFT_OUT = frozenset({"SyncToken", "sparse", "Id"})
_LEFT_OUT_OF_LINES = frozenset({"DetailType", "Id", "LineNum"})


def read_sent(kind: Kind, request: WireRequest) -> SentRecord:
    """The business key of a create, as it was sent."""
    body = _decode(request)
    day = _text(body.get("TxnDate"))
    return SentRecord(
        kind=kind,
        name=_text(body.get("DisplayName") or body.get("Name")),
        email=_text(_inside(body, "PrimaryEmailAddr", "Address")),
        number=_number(body) if kind == "invoice" else "",
        customer_id=_text(_inside(body, "CustomerRef", "value")),
        transaction_date=date.fromisoformat(day) if day else None,
    )


def read_fields(request: WireRequest) -> dict[str, str]:
    """Every field of a request under the words a person knows it by."""
    fields: dict[str, str] = {}
    for name, value in _flatten("", _decode(request)):
        head, _, rest = name.partition(".")
        if head == "Line":
            place, _, detail = rest.partition(".")
            if detail not in _LEFT_OUT_OF_LINES:
                fields[f"Line {place}: {_LINE_WORDS.get(detail, detail)}"] = value
        elif name not in _LEFT_OUT:
            fields[_WORDS.get(name, name)] = value
    return fields


# Numbers stay the text they were sent as: read by a person, never reckoned with.
_DECODER = msgspec.json.Decoder(dict[str, object], float_hook=str)


def _decode(request: WireRequest) -> dict[str, object]:
    return _DECODER.decode(request.body)


def _flatten(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flatten(f"{prefix}.{key}" if prefix else str(key), inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value, start=1):
            yield from _flatten(f"{prefix}.{place}", inner)
    else:
        yield prefix, _text(value)


def _inside(body: Mapping[str, object], outer: str, inner: str) -> object:
    found = body.get(outer)
    return found.get(inner) if isinstance(found, dict) else None


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _number(body: Mapping[str, object]) -> str:
    """The number sent; the word that asks for the next one is none."""
    number = _text(body.get("DocNumber"))
    return "" if number == AUTO_GENERATE else number
