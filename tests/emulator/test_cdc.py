"""Change data capture: blocks, deletions, the window, and the forms of changedSince that clients send."""

import os
from unittest import mock

import pytest
from intuitlib.client import AuthClient
from quickbooks import QuickBooks
from quickbooks.cdc import change_data_capture
from quickbooks.objects import Customer, Invoice

from tests.emulator.running import CLIENT, REDIRECT, Company, Json, Running, exact

LONG_AGO = "2011-10-10T09:00:00-07:00"


def changes(company: Company, entities: str, since: str = LONG_AGO) -> list[Json]:
    response = company.call("GET", "cdc", entities=entities, changedSince=since)
    assert response.status_code == 200, response.text
    body = exact(response)
    assert set(body) == {"CDCResponse", "time"}
    [answer] = body["CDCResponse"]
    blocks: list[Json] = answer["QueryResponse"]
    return blocks


def invoice(company: Company) -> Json:
    line = {
        "Amount": 5,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": company.code("20.0% S")}},
    }
    customer = {"value": company.all("Customer")[0]["Id"]}
    return company.create("Invoice", {"CustomerRef": customer, "GlobalTaxCalculation": "TaxExcluded", "Line": [line]})


def test_blocks_come_in_the_order_asked_with_empty_ones(uk: Company, emulator: Running) -> None:
    emulator.control("POST", "clock", {"jump_seconds": 100})
    since = exact(uk.call("GET", "preferences"))["time"]
    made = invoice(uk)
    blocks = changes(uk, "payment,Invoice, customer", since)
    assert blocks[0] == {}
    assert blocks[1] == {"Invoice": [made], "startPosition": 1, "maxResults": 1}
    assert blocks[2] == {}


def test_voided_is_live_and_deleted_is_a_stub_after_the_live_ones(uk: Company, emulator: Running) -> None:
    gone, voided = invoice(uk), invoice(uk)
    uk.create("Invoice", {"Id": gone["Id"], "SyncToken": "0"}, operation="delete")
    emulator.control("POST", "clock", {"jump_seconds": 5})
    uk.create("Invoice", {"Id": voided["Id"], "SyncToken": "0"}, operation="void")
    [block] = changes(uk, "Invoice")
    live, stub = block.pop("Invoice")
    assert block == {"startPosition": 1, "maxResults": 2}
    assert (live["Id"], live["TotalAmt"], live["PrivateNote"]) == (voided["Id"], 0, "Voided")
    at = stub["MetaData"]["LastUpdatedTime"]
    assert stub == {"domain": "QBO", "status": "Deleted", "Id": gone["Id"], "MetaData": {"LastUpdatedTime": at}}
    uk.create("Invoice", {"Id": voided["Id"], "SyncToken": "1"}, operation="delete")
    [only] = changes(uk, "Invoice")
    assert set(only) == {"Invoice"}
    assert [each["Id"] for each in only["Invoice"]] == [gone["Id"], voided["Id"]]


def test_oldest_change_comes_first(uk: Company, emulator: Running) -> None:
    first, second = uk.all("Customer")[:2]
    for customer in (second, first):
        emulator.control("POST", "clock", {"jump_seconds": 10})
        uk.create("Customer", {"Id": customer["Id"], "SyncToken": "0", "sparse": True, "Notes": "seen"})
    [block] = changes(uk, "Customer")
    assert [each["Id"] for each in block["Customer"]][-2:] == [second["Id"], first["Id"]]


@pytest.mark.parametrize("form", ["{}-07:00", "{}Z", "{} 00:00", "{}.000+00:00", "{}"])
def test_forms_of_changed_since(uk: Company, form: str) -> None:
    [past] = changes(uk, "Customer", form.format("2025-01-01T00:00:00"))
    [future] = changes(uk, "Customer", form.format("2099-01-01T00:00:00"))
    assert len(past["Customer"]) == len(uk.all("Customer"))
    assert future == {}


def test_plain_dates_and_raw_plus_signs(uk: Company, emulator: Running) -> None:
    assert changes(uk, "Customer", "2025-01-01") == changes(uk, "Customer")
    bearer = {"Authorization": f"Bearer {uk.tokens.access}", "Accept": "application/json"}
    path = f"/v3/company/{uk.realm}/cdc?entities=Customer&changedSince=2025-01-01T00:00:00+01:00"
    assert exact(emulator.http.get(path, headers=bearer))["CDCResponse"][0]["QueryResponse"] == changes(uk, "Customer")


def test_nothing_older_than_thirty_days(uk: Company, emulator: Running) -> None:
    emulator.control("POST", "clock", {"jump_seconds": 30 * 86_400 + 3600})
    uk.tokens = emulator.connect(uk.realm)
    assert changes(uk, "Customer,Account") == [{}, {}]
    assert len(uk.all("Customer")) > 0


def test_at_most_a_thousand_objects(uk: Company) -> None:
    for start in range(0, 1020, 30):
        items = [
            {"bId": str(at), "operation": "create", "Customer": {"DisplayName": f"Many {at:04}"}}
            for at in range(start, start + 30)
        ]
        uk.call("POST", "batch", {"BatchItemRequest": items})
    blocks = changes(uk, "Customer,Account")
    assert len(blocks[0]["Customer"]) == 1000
    assert blocks[1] == {}


@pytest.mark.parametrize(
    ("entities", "since", "code"),
    [
        ("", LONG_AGO, "2020"),
        ("Customer", "", "2020"),
        ("Customer", "yesterday", "2020"),
        ("TaxCode", LONG_AGO, "4001"),
        ("Custmoer", LONG_AGO, "4001"),
        ("Customer,Bill", LONG_AGO, "500"),
    ],
)
def test_wrong_requests_are_faults(uk: Company, entities: str, since: str, code: str) -> None:
    assert uk.fault("GET", "cdc", entities=entities, changedSince=since)["code"] == code


def test_change_query_inside_a_batch(uk: Company) -> None:
    item = {"bId": "c", "CDCQuery": {"Entities": "Customer,Payment", "ChangedSince": LONG_AGO}}
    [answer] = exact(uk.call("POST", "batch", {"BatchItemRequest": [item]}))["BatchItemResponse"]
    assert answer == {"CDCResponse": [{"QueryResponse": changes(uk, "Customer,Payment")}], "bId": "c"}


def test_python_quickbooks_reads_the_changes(uk: Company, emulator: Running) -> None:
    made = invoice(uk)
    discovery = f"{emulator.base}/.well-known/openid_sandbox_configuration/"
    with (
        mock.patch.dict(os.environ, {"OAUTHLIB_INSECURE_TRANSPORT": "1"}),
        mock.patch.object(QuickBooks, "api_url_v3", f"{emulator.base}/v3"),
        AuthClient(*CLIENT, REDIRECT, discovery, access_token=uk.tokens.access) as auth,
    ):
        client = QuickBooks(
            auth_client=auth, refresh_token=uk.tokens.refresh, company_id=uk.realm, minorversion=75, use_decimal=True
        )
        found = change_data_capture([Invoice, Customer], "2025-01-01T00:00:00-07:00", qb=client)
        client.session.close()
    assert [each.Id for each in found.Invoice] == [made["Id"]]
    assert len(found.Customer) == len(uk.all("Customer"))
