"""Whether an invoice still says what its first answer did."""

from typing import Any

import msgspec
import pytest

from .test_reading import invoice_of

ADDRESS = {"Id": "7", "Line1": "3 Castle Street", "City": "Exeter", "PostalCode": "EX4 3PT", "Lat": "INVALID"}
ITEM = {"TaxCodeRef": {"value": "6"}, "ItemRef": {"value": "11", "name": "Advice"}}


LINE = {
    "Id": "1",
    "LineNum": 1,
    "Description": "Advice",
    "Amount": 100,
    "DetailType": "SalesItemLineDetail",
    "SalesItemLineDetail": {**ITEM, "Qty": 2, "UnitPrice": 50},
}
SUBTOTAL = {"Amount": 100, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}


def line(**detail: Any) -> dict[str, Any]:
    """The line with another detail."""
    return {**LINE, "SalesItemLineDetail": {**ITEM, "Qty": 2, "UnitPrice": 50, **detail}}


def besides_of(**changes: Any) -> str:
    given: dict[str, Any] = {
        "BillAddr": ADDRESS,
        "ShipAddr": ADDRESS,
        "SalesTermRef": {"value": "3", "name": "Net 30"},
        "Line": [LINE, SUBTOTAL],
    }
    return invoice_of(**given | changes).besides


@pytest.mark.parametrize(
    "moved",
    [
        {"SyncToken": "9", "Balance": 20, "LinkedTxn": [{"TxnId": "5", "TxnType": "Payment"}]},
        {"BillAddr": {**ADDRESS, "Id": "8", "Lat": "50.72"}},
        {"SalesTermRef": {"value": "3", "name": "30 days"}},
        # What QuickBooks makes of lines by itself.
        {"Line": [{**LINE, "Id": "4", "LineNum": 7, "CustomExtensions": []}]},
        {"Line": [line(ItemAccountRef={"value": "1"}, TaxClassificationRef={"value": "EUC-99990101-V1-00020000"})]},
        {
            "Line": [
                {**line(Qty=msgspec.Raw(b"2.0"), UnitPrice=msgspec.Raw(b"50.00")), "Amount": msgspec.Raw(b"100.00")}
            ]
        },
        {"Line": [{**LINE, "Description": " Advice\n"}]},
        {
            "CustomField": [{"DefinitionId": "1", "Name": "Order", "Type": "StringType"}],
            "Deposit": None,
            "ShipDate": None,
        },
        # What is ours, or is compared by itself.
        {"TotalAmt": 171, "CustomerMemo": {"value": "Thank you"}, "DueDate": "2026-06-01", "EmailStatus": "EmailSent"},
    ],
)
def test_payments_renames_and_what_is_ours_leave_it_the_same(moved: dict[str, Any]) -> None:
    assert besides_of(**moved) == besides_of()


@pytest.mark.parametrize(
    "changed",
    [
        {"BillAddr": {**ADDRESS, "Line1": "4 Castle Street"}},
        {"BillAddr": None},
        {"ShipAddr": {**ADDRESS, "City": "Bath"}},
        {"SalesTermRef": {"value": "4"}},
        {"ClassRef": {"value": "5"}},
        {"DepartmentRef": {"value": "5"}},
        {"CustomerRef": {"value": "13"}},
        {"Line": [line(ItemRef={"value": "12"})]},
        {"Line": [line(Qty=4, UnitPrice=25)]},
        {"Line": [line(Qty=20, UnitPrice=5)]},
        {"Line": [line(TaxCodeRef={"value": "7"})]},
        {"Line": [line(ServiceDate="2026-05-01")]},
        {"Line": [line(ClassRef={"value": "5"})]},
        {"Line": [{**LINE, "Description": "Advice, as agreed"}]},
        {"Line": [{**LINE, "Amount": 10}, {**LINE, "Amount": 90}]},
        {"Line": [LINE, {"DetailType": "DescriptionOnly", "Description": "Thank you"}]},
        {"Line": [LINE, {"DetailType": "DiscountLineDetail", "Amount": 0}]},
        {"Deposit": 10},
        {"ExchangeRate": 1.2},
        {"ShipDate": "2026-05-01"},
        {"TrackingNum": "1Z"},
        {"ShipMethodRef": {"value": "UPS"}},
        {"CustomField": [{"DefinitionId": "1", "Name": "Order", "Type": "StringType", "StringValue": "4711"}]},
    ],
)
def test_what_the_bookkeeper_sets_is_told(changed: dict[str, Any]) -> None:
    assert besides_of(**changed) != besides_of()


def test_the_first_part_is_as_older_answers_have_it() -> None:
    """They're kept: what they know must go on being compared."""
    assert besides_of().split(".")[0] == "396395657501d6dd"


@pytest.mark.parametrize("odd", [{}, [], "31", 31, False, {"value": 31}, {"Line1": 5}])
def test_field_of_another_shape_counts_as_not_there(odd: object) -> None:
    fields = ("BillAddr", "ShipAddr", "SalesTermRef", "ClassRef", "DepartmentRef", "ShipMethodRef", "CustomField")
    assert besides_of(**dict.fromkeys(fields, odd)) == besides_of(**dict.fromkeys(fields))
