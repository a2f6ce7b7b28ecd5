"""Reading lists and looking records up: the queries that go out and what is made of the rows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from cone.accounting.port.company import InactiveItem
from cone.accounting.port.provider import WireRequest
from cone.accounting.port.verdicts import CauseCode, OutcomeUnknownError, RejectedError
from cone.providers.quickbooks import QuickBooks, QuickBooksConfig
from cone.providers.quickbooks.adapter import QuickBooksClient
from cone.providers.quickbooks.config import emulator_endpoints

from .builders import UUID_ONE, StoredAccess, a_company, a_customer, a_service, an_invoice
from .wire_server import WireServer, answer, serving


@asynccontextmanager
async def answering(*rows: dict[str, Any]) -> AsyncIterator[tuple[QuickBooksClient, WireServer]]:
    async with serving(*(answer({"QueryResponse": page}) for page in rows)) as server:
        config = QuickBooksConfig(emulator_endpoints(server.url), "id", "secret")
        async with QuickBooks(config).open() as client:
            yield client, server


def item(remote_id: str, kind: str, **changes: Any) -> dict[str, Any]:
    return {"Id": remote_id, "SyncToken": "0", "Name": "Bookkeeping", "Type": kind, "Active": True} | changes


def invoice(remote_id: str, note: str) -> dict[str, Any]:
    return {"Id": remote_id, "SyncToken": "0", "TotalAmt": 120, "PrivateNote": note, "Line": []}


async def test_service_is_found_by_name_and_a_service_comes_first() -> None:
    rows = [item("3", "Inventory"), item("4", "NonInventory"), item("5", "Service", Active=False), item("6", "Service")]
    async with answering({"Item": rows}) as (client, server):
        found = await client.find(StoredAccess(), a_service(name=" O'Brien "))
    assert found is not None
    assert found.remote_id == "6"
    assert server.seen[0].query["query"] == "SELECT * FROM Item WHERE Name = 'O\\'Brien' ORDERBY Id MAXRESULTS 1000"
    assert server.seen[0].query["minorversion"] == "75"


@pytest.mark.parametrize("rows", [{}, {"Item": []}, {"Item": [item("3", "Inventory")]}])
async def test_service_that_isnt_there_isnt_found(rows: dict[str, Any]) -> None:
    async with answering(rows) as (client, _):
        assert await client.find(StoredAccess(), a_service()) is None


async def test_customer_is_found_by_display_name() -> None:
    row = {"Id": "60", "SyncToken": "1", "DisplayName": "Zoë & Søn's Bakery", "Active": True}
    async with answering({"Customer": [row]}) as (client, server):
        found = await client.find(StoredAccess(), a_customer())
    assert found is not None
    assert (found.remote_id, found.name) == ("60", "Zoë & Søn's Bakery")
    assert "DisplayName = 'Zoë & Søn\\'s Bakery'" in server.seen[0].query["query"]


async def test_invoice_is_found_by_our_mark_among_those_of_its_number() -> None:
    rows = [invoice("1", ""), invoice("2", f"cone:{uuid4()}"), invoice("3", f"cone:{UUID_ONE}")]
    async with answering({"Invoice": rows}) as (client, server):
        found = await client.find(StoredAccess(), an_invoice())
    assert found is not None
    assert found.remote_id == "3"
    assert "DocNumber = 'INV-0042'" in server.seen[0].query["query"]


async def test_invoice_without_our_mark_isnt_ours() -> None:
    async with answering({"Invoice": [invoice("1", "")]}) as (client, _):
        assert await client.find(StoredAccess(), an_invoice()) is None


async def test_invoice_without_a_number_is_sought_by_customer_and_date() -> None:
    async with answering({}) as (client, server):
        assert await client.find(StoredAccess(), an_invoice(number="")) is None
    assert "CustomerRef = '12' AND TxnDate = '2026-05-05'" in server.seen[0].query["query"]


async def test_two_invoices_of_one_mark_are_for_a_person_to_decide() -> None:
    rows = [invoice("1", f"cone:{UUID_ONE}"), invoice("2", f"cone:{UUID_ONE}")]
    async with answering({"Invoice": rows}) as (client, _):
        with pytest.raises(RejectedError) as caught:
            await client.find(StoredAccess(), an_invoice())
    assert caught.value.cause == CauseCode.OUTCOME_UNCERTAIN


async def test_lists_are_read_to_their_last_page() -> None:
    page = [{"Id": str(number), "Name": f"Account {number}", "AccountType": "Bank"} for number in range(1000)]
    last = [{"Id": "2000", "Name": "Sales", "AccountType": "Income"}]
    items = [{"Id": "7", "SyncToken": "1", "Name": "Advice (deleted)", "Active": False}]
    async with answering({"Account": page}, {"Account": last}, {}, {}, {}, {"Item": items}) as (client, server):
        reference = await client.read_reference(StoredAccess(), a_company())
    assert len(reference.accounts) == 1001
    assert reference.suggested_income_account_id == "2000"
    entities = [request.query["query"].split()[3] for request in server.seen]
    assert entities == ["Account", "Account", "TaxCode", "TaxRate", "PaymentMethod", "Item"]
    assert reference.inactive_items == (InactiveItem("7", "Advice (deleted)"),)
    assert "WHERE Active = false" in server.seen[5].query["query"]
    assert "STARTPOSITION 1001" in server.seen[1].query["query"]


async def test_answer_to_a_delete_that_names_no_deleted_record_leaves_it_unknown() -> None:
    request = WireRequest("POST /payment?operation=delete&minorversion=75", b"{}")
    still_there = {"Payment": {"Id": "1", "SyncToken": "2", "TotalAmt": 0}}
    another = {"Invoice": {"Id": "1", "status": "Deleted"}}
    for body in (still_there, another):
        async with serving(answer(body)) as server:
            config = QuickBooksConfig(emulator_endpoints(server.url), "id", "secret")
            async with QuickBooks(config).open() as client:
                with pytest.raises(OutcomeUnknownError):
                    await client.send(StoredAccess(), request, request_id="r", kind="payment")
