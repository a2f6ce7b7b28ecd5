"""What the bookkeeper added in QuickBooks stays, and what QuickBooks refuses of payments, against its emulator."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cone.accounting.port.documents import Void
from cone.accounting.port.verdicts import RejectedError
from cone.kit.values import replace

from .platform import Connected
from .test_quickbooks import Books, books, quickbooks
from .writing import a_payment, an_invoice, send, take

__all__ = ["books", "quickbooks"]


class Bookkeeper:
    """Somebody who works in QuickBooks itself, here by its API."""

    def __init__(self, url: str, connected: Connected) -> None:
        self._base = f"{url}/v3/company/{connected.access.company_id}"
        self._access = connected.access

    async def post(self, entity: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {await self._access.token()}", "Accept": "application/json"}
        async with httpx.AsyncClient(headers=headers) as http:
            answer = await http.post(f"{self._base}/{entity.lower()}?minorversion=75", json=body)
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()[entity]
        return made


async def test_header_fields_of_the_bookkeeper_survive_new_lines(
    emulator_url: str, quickbooks: Connected, books: Books
) -> None:
    bookkeeper = Bookkeeper(emulator_url, quickbooks)
    document = await an_invoice(quickbooks)
    created = (await send(quickbooks, document)).record
    term = await bookkeeper.post("Term", {"Name": f"Net {uuid4().hex[:8]}", "DueDays": 45})
    theirs = {
        "SalesTermRef": {"value": term["Id"]},
        "CustomerMemo": {"value": "Thank you"},
        "PrivateNote": f"Ask Ann first\ncone:{document.uuid}",
        "EmailStatus": "NotSet",
        "PrintStatus": "NeedToPrint",
    }
    await bookkeeper.post("Invoice", {"Id": created.remote_id, "SyncToken": created.version, "sparse": True, **theirs})
    current = await quickbooks.client.read(quickbooks.access, "invoice", created.remote_id)
    assert current.version != created.version
    [line] = document.lines
    doubled = replace(
        document,
        lines=(replace(line, quantity=Decimal(4), amount=line.amount * 2, net=line.net * 2),),
        net=document.net * 2,
        tax=document.tax * 2,
        total=document.total * 2,
    )

    changed = (await send(quickbooks, doubled, over=current)).record

    there = await books.get("Invoice", created.remote_id)
    assert (changed.total, there["DocNumber"]) == (document.total * 2, document.number)
    assert there["SalesTermRef"]["value"] == term["Id"]
    assert (there["PrintStatus"], there["PrivateNote"]) == ("NeedToPrint", f"Ask Ann first\ncone:{document.uuid}")


async def test_payment_stands_there_with_its_method_and_note(
    emulator_url: str, quickbooks: Connected, books: Books
) -> None:
    invoice = await an_invoice(quickbooks)
    cash = next(method for method in quickbooks.reference.payment_methods if method.name == "Cash")
    plain = a_payment(quickbooks, invoice.customer_id, Decimal("5.00"))
    named = replace(plain, uuid=uuid4(), method="Cash", method_id=cash.remote_id)
    there = [await books.get("Payment", (await send(quickbooks, each)).record.remote_id) for each in (plain, named)]
    assert [row.get("PaymentMethodRef", {}).get("value") for row in there] == [None, cash.remote_id]
    assert [row["PrivateNote"] for row in there] == [
        f"cone:{plain.uuid}\nPaid by: Standing order",
        f"cone:{named.uuid}",
    ]
    assert {row["DepositToAccountRef"]["value"] for row in there} == {plain.deposit_account_id}


async def test_payment_in_a_bank_deposit_isnt_voided_and_says_why(
    emulator_url: str, quickbooks: Connected, books: Books
) -> None:
    invoice = await an_invoice(quickbooks)
    undeposited = next(account for account in quickbooks.reference.accounts if account.subtype == "UndepositedFunds")
    payment = replace(
        a_payment(quickbooks, invoice.customer_id, Decimal("5.00")), deposit_account_id=undeposited.remote_id
    )
    record = (await send(quickbooks, payment)).record
    bank = next(account for account in quickbooks.reference.accounts if account.can_receive_deposits)
    linked = {"Amount": 5, "LinkedTxn": [{"TxnId": record.remote_id, "TxnType": "Payment", "TxnLineId": "0"}]}
    await Bookkeeper(emulator_url, quickbooks).post(
        "Deposit", {"DepositToAccountRef": {"value": bank.remote_id}, "Line": [linked]}
    )
    current = await quickbooks.client.read(quickbooks.access, "payment", record.remote_id)
    with pytest.raises(RejectedError) as caught:
        await take(quickbooks, Void("payment", payment.uuid, 2, record.remote_id, current.version))
    assert "part of a bank deposit" in caught.value.params["explanation"]
    assert (await quickbooks.client.read(quickbooks.access, "payment", record.remote_id)).standing == "live"
