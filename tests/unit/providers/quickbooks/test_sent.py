"""Requests read back from their stored bytes, and the questions that find what they made."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from cone.accounting.port.documents import Create
from cone.accounting.port.provider import WireRequest
from cone.accounting.port.sent import SentRecord
from cone.kit.values import replace
from cone.providers.quickbooks import mapping, wire
from cone.providers.quickbooks.candidates import list_candidates_together
from cone.providers.quickbooks.sent import read_fields, read_sent
from tests.unit.providers.quickbooks import builders

SENT_AT = datetime(2026, 9, 2, 9, tzinfo=UTC)


def test_business_key_is_read_from_what_was_sent() -> None:
    invoice, customer = builders.an_invoice(), builders.a_customer()
    sent_invoice = mapping.prepare(Create(invoice), builders.a_company())
    sent_customer = mapping.prepare(Create(customer), builders.a_company())
    assert read_sent("invoice", sent_invoice) == SentRecord(
        kind="invoice",
        number=invoice.number,
        customer_id=invoice.customer_id,
        transaction_date=invoice.issue_date,
    )
    assert read_sent("customer", sent_customer) == SentRecord(kind="customer", name=customer.name, email=customer.email)
    unnumbered = mapping.prepare(Create(replace(invoice, number="")), builders.a_company())
    assert read_sent("invoice", unnumbered).number == ""


def test_fields_are_told_in_words_and_numbers_as_they_were_written() -> None:
    line = {"DetailType": "SalesItemLineDetail", "Amount": 1, "SalesItemLineDetail": {"Qty": 2.50}}
    body = b'{"DocNumber":"INV-1","TotalAmt":120.10,"Id":"7","SyncToken":"3","Strange":{"Deep":true},"Line":[%s]}'
    fields = read_fields(WireRequest("POST /invoice", body % msgspec.json.encode(line)))
    assert fields == {
        "Number": "INV-1",
        "Amount": "120.10",
        "Strange.Deep": "True",
        "Line 1: amount": "1",
        "Line 1: quantity": "2.5",
    }


class Books:
    """Answers queries with the rows given for each; notes what was asked."""

    def __init__(self, **rows: list[dict[str, object]]) -> None:
        self.rows = rows
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def __call__(self, statements: Sequence[str]) -> list[wire.Rows]:
        return [self._answer(statement) for statement in statements]

    def _answer(self, statement: str) -> wire.Rows:
        entity, _, conditions = statement.removeprefix("SELECT * FROM ").partition(" WHERE ")
        keys = dict(re.findall(r"(\w+) = '([^']*)'", conditions))
        self.asked.append((entity, keys))
        found = self.rows.get("_".join(keys), [])
        return msgspec.convert({entity: found}, wire.Rows)


def row(remote_id: str, *, note: str = "", made: str = "2026-09-02T02:00:00-07:00") -> dict[str, object]:
    return {
        "Id": remote_id,
        "SyncToken": "0",
        "TotalAmt": Decimal(120),
        "PrivateNote": note,
        "MetaData": {"CreateTime": made},
    }


def ask(books: Books, sent: SentRecord) -> list[str]:
    (found,) = asyncio.run(list_candidates_together(books, [sent], sent_at=SENT_AT))
    return [record.remote_id for record in found]


SENT = SentRecord(kind="invoice", number="INV-1", customer_id="58", transaction_date=SENT_AT.date())
NEAR = {"CustomerRef": "58", "TxnDate": "2026-09-02"}
MARKED = "cone:0b0e8d3c-6a27-4c0c-9a58-0e8b8b8f2b11"


def test_number_that_was_sent_is_asked_for_first_and_ends_it_when_it_carries_a_mark() -> None:
    books = Books(DocNumber=[row("7", note=MARKED)])
    assert ask(books, SENT) == ["7"]
    assert books.asked == [("Invoice", {"DocNumber": "INV-1"})]


def test_customer_and_date_find_what_was_renumbered_or_had_no_number() -> None:
    made_before = row("8", made="2026-09-02T01:54:00-07:00")
    made_then = row("9", made="2026-09-02T01:56:00-07:00")
    marked = row("10", note=MARKED, made="2026-01-01T00:00:00-08:00")
    books = Books(DocNumber=[], CustomerRef_TxnDate=[made_before, made_then, marked])
    assert ask(books, SENT) == ["9", "10"]
    assert ask(books, SentRecord(kind="invoice", customer_id="58", transaction_date=SENT_AT.date())) == ["9", "10"]
    assert books.asked[-1] == ("Invoice", NEAR)


def test_customer_is_asked_for_by_the_name_that_was_sent() -> None:
    books = Books(DisplayName=[{"Id": "3", "SyncToken": "0", "DisplayName": "Brûlé"}])
    assert ask(books, SentRecord(kind="customer", name=" Brûlé ")) == ["3"]
    assert books.asked == [("Customer", {"DisplayName": "Brûlé"})]
