"""What only QuickBooks does: how records stand in its books, and answers that are lost on the way."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from cone.accounting.port.documents import Address, Kind
from cone.accounting.port.verdicts import OutcomeUnknownError, TryLaterError, VerdictError
from cone.kit.values import replace

from .emulated import EmulatedQuickBooks
from .platform import Connected, GrantedAccess, connect
from .writing import a_customer, a_service, an_invoice, send, untaxed_code


class Books:
    """The emulator's books and its faults, by the control plane."""

    def __init__(self, url: str, realm_id: str) -> None:
        self._http = httpx.AsyncClient(base_url=f"{url}/_emulator", headers={"Origin": url})
        self._realm_id = realm_id

    async def get(self, entity: str, remote_id: str) -> dict[str, Any]:
        """An object as it stands there."""
        [found] = [row for row in await self.list_all(entity) if row["Id"] == remote_id]
        return found

    async def list_all(self, entity: str) -> list[dict[str, Any]]:
        answer = await self._http.get("/dump")
        dump = msgspec.json.decode(answer.content, type=dict[str, Any])
        [company] = [company for company in dump["companies"] if company["realm_id"] == self._realm_id]
        rows: list[dict[str, Any]] = company["entities"][entity]
        return rows

    async def order_fault(self, action: object, *, entity: str) -> None:
        """The next request about an entity goes wrong."""
        rule = {"action": action, "match": {"entity": entity, "realm_id": self._realm_id}, "count": 1}
        answer = await self._http.post("/faults", content=msgspec.json.encode(rule))
        assert answer.is_success, answer.text

    async def close(self) -> None:
        await self._http.delete("/faults")
        await self._http.aclose()


@pytest.fixture
async def quickbooks(emulator_url: str) -> AsyncIterator[Connected]:
    platform = EmulatedQuickBooks(emulator_url, country="GB")
    async with platform.provider.open() as client:
        grant, company_id = await connect(platform, client)
        access = GrantedAccess(client, grant, company_id)
        facts = await client.read_company(access)
        reference = await client.read_reference(access, facts)
        yield Connected(platform.provider, client, access, facts, reference)


@pytest.fixture
async def books(emulator_url: str, quickbooks: Connected) -> AsyncIterator[Books]:
    books = Books(emulator_url, quickbooks.access.company_id)
    yield books
    await books.close()


async def test_customer_stands_there_with_all_its_fields(quickbooks: Connected, books: Books) -> None:
    document = a_customer(quickbooks)
    row = await books.get("Customer", (await send(quickbooks, document)).record.remote_id)
    assert row["DisplayName"] == document.name
    assert row["PrimaryEmailAddr"]["Address"] == "zoe@example.com"
    assert row["PrimaryPhone"]["FreeFormNumber"] == "020 7946 0000"
    assert row["Notes"] == "Pays on time"
    address = {key: row["BillAddr"].get(key, "") for key in ("Line1", "City", "PostalCode", "Country")}
    assert address == {"Line1": "1 High Street", "City": "Leeds", "PostalCode": "LS1 1AA", "Country": "GB"}


async def test_update_keeps_what_we_left_empty_and_replaces_the_address(quickbooks: Connected, books: Books) -> None:
    document = a_customer(quickbooks)
    created = (await send(quickbooks, document)).record
    moved = replace(document, email="", notes="", phone="", address=Address(line1="2 Low Street", country="GB"))
    await send(quickbooks, moved, over=created)
    row = await books.get("Customer", created.remote_id)
    assert row["PrimaryEmailAddr"]["Address"] == "zoe@example.com"
    assert row["Notes"] == "Pays on time"
    assert row["BillAddr"]["Line1"] == "2 Low Street"
    assert row["BillAddr"].get("City", "") == ""


async def test_service_stands_there_as_a_service_on_its_account(quickbooks: Connected, books: Books) -> None:
    document = a_service(quickbooks)
    row = await books.get("Item", (await send(quickbooks, document)).record.remote_id)
    assert (row["Type"], row["IncomeAccountRef"]["value"]) == ("Service", document.income_account_id)
    assert Decimal(str(row["UnitPrice"])) == Decimal("85.5")


async def test_invoice_stands_there_as_written(quickbooks: Connected, books: Books) -> None:
    document = await an_invoice(quickbooks)
    row = await books.get("Invoice", (await send(quickbooks, document)).record.remote_id)
    assert (row["DocNumber"], row["TxnDate"], row["DueDate"]) == (document.number, "2026-11-02", "2026-12-02")
    assert row["PrivateNote"] == f"cone:{document.uuid}"
    assert row["CustomerMemo"]["value"] == "Thank you"
    assert row["BillEmail"]["Address"] == "zoe@example.com"
    assert row["EmailStatus"] == "NotSet"
    line = row["Line"][0]
    detail = line["SalesItemLineDetail"]
    assert (line["Description"], detail["ItemRef"]["value"]) == ("Advice – as agreed", document.lines[0].item_id)
    assert (Decimal(str(detail["Qty"])), Decimal(str(detail["UnitPrice"]))) == (Decimal(2), Decimal(50))
    assert detail["TaxCodeRef"]["value"] == document.lines[0].tax_code_id


async def test_edited_invoice_has_the_new_lines_only_and_an_empty_memo(quickbooks: Connected, books: Books) -> None:
    document = await an_invoice(
        quickbooks, ("1", "10", "0", untaxed_code(quickbooks)), ("1", "20", "0", untaxed_code(quickbooks))
    )
    created = (await send(quickbooks, document)).record
    less = replace(document, lines=document.lines[1:], memo="", net=Decimal(20), total=Decimal(20))
    sent = await send(quickbooks, less, over=created, has_text=True)
    assert (sent.record.total, len(sent.record.tax_codes)) == (Decimal(20), 1)
    row = await books.get("Invoice", created.remote_id)
    assert row.get("CustomerMemo", {}).get("value", "") == ""
    assert row["PrivateNote"] == f"cone:{document.uuid}"


async def count(books: Books, number: str) -> int:
    return sum(row["DocNumber"] == number for row in await books.list_all("Invoice"))


@pytest.mark.parametrize(
    ("action", "arrived"),
    [("drop_after", 1), ("drop_before", 0), ("reset", None), ("half_body", 1), ({"status": 500}, None)],
)
async def test_lost_answer_repeated_under_its_id_is_one_invoice(
    quickbooks: Connected, books: Books, action: object, arrived: int | None
) -> None:
    document = await an_invoice(quickbooks)
    await books.order_fault(action, entity="Invoice")
    with pytest.raises(OutcomeUnknownError):
        await send(quickbooks, document, key=f"lost-{document.uuid}")
    assert arrived is None or await count(books, document.number) == arrived
    sent = await send(quickbooks, document, key=f"lost-{document.uuid}")
    assert await count(books, document.number) == 1
    assert sent.record.marker == str(document.uuid)
    assert sent.record.total == document.total


async def test_read_of_a_lost_answer_may_come_back(quickbooks: Connected, books: Books) -> None:
    created = (await send(quickbooks, a_customer(quickbooks))).record
    await books.order_fault("drop_before", entity="Customer")
    kind: Kind = "customer"
    # The client's own transport repeats a read on a kept line once; a second loss is told.
    await books.order_fault("drop_before", entity="Customer")
    with pytest.raises(TryLaterError):
        await quickbooks.client.read(quickbooks.access, kind, created.remote_id)
    assert await quickbooks.client.read(quickbooks.access, kind, created.remote_id) == created


async def test_throttled_write_did_nothing(quickbooks: Connected, books: Books) -> None:
    document = await an_invoice(quickbooks)
    await books.order_fault({"status": 429}, entity="Invoice")
    with pytest.raises(TryLaterError):
        await send(quickbooks, document)
    assert await count(books, document.number) == 0


async def test_expired_token_is_renewed_on_the_way(quickbooks: Connected, books: Books) -> None:
    document = await an_invoice(quickbooks)
    await books.order_fault("expired_token", entity="Invoice")
    await send(quickbooks, document)
    assert quickbooks.access.renewals == 1
    assert await count(books, document.number) == 1


async def test_every_refusal_of_the_gateway_is_a_verdict(quickbooks: Connected, books: Books) -> None:
    document = a_customer(quickbooks)
    for status in (400, 403, 404, 413, 500, 502, 503, 504):
        await books.order_fault({"status": status}, entity="Customer")
        with pytest.raises(VerdictError) as caught:
            await send(quickbooks, document, key=str(uuid4()))
        assert caught.value.answered.http_status == status
