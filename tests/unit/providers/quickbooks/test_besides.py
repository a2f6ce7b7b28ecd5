"""Whether an invoice still says what isn't ours as its first answer did."""

from typing import Any

import pytest

from .test_reading import invoice_of

ADDRESS = {"Id": "7", "Line1": "3 Castle Street", "City": "Exeter", "PostalCode": "EX4 3PT", "Lat": "INVALID"}
ITEM = {"TaxCodeRef": {"value": "6"}, "ItemRef": {"value": "11", "name": "Advice"}}


def besides_of(**changes: Any) -> str:
    given: dict[str, Any] = {
        "BillAddr": ADDRESS,
        "ShipAddr": ADDRESS,
        "SalesTermRef": {"value": "3", "name": "Net 30"},
        "Line": [{"DetailType": "SalesItemLineDetail", "Amount": 100, "SalesItemLineDetail": ITEM}],
    }
    return invoice_of(**given | changes).besides


@pytest.mark.parametrize(
    "moved",
    [
        {"SyncToken": "9", "Balance": 20, "LinkedTxn": [{"TxnId": "5", "TxnType": "Payment"}]},
        {"BillAddr": {**ADDRESS, "Id": "8", "Lat": "50.72"}},
        {"SalesTermRef": {"value": "3", "name": "30 days"}},
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
        {
            "Line": [
                {
                    "DetailType": "SalesItemLineDetail",
                    "Amount": 100,
                    "SalesItemLineDetail": ITEM | {"ItemRef": {"value": "12"}},
                }
            ]
        },
    ],
)
def test_what_the_bookkeeper_sets_is_told(changed: dict[str, Any]) -> None:
    assert besides_of(**changed) != besides_of()


@pytest.mark.parametrize("odd", [{}, [], "31", 31, False, {"value": 31}, {"Line1": 5}])
def test_field_of_another_shape_counts_as_not_there(odd: object) -> None:
    fields = ("BillAddr", "ShipAddr", "SalesTermRef", "ClassRef", "DepartmentRef")
    assert besides_of(**dict.fromkeys(fields, odd)) == besides_of(**dict.fromkeys(fields))
