"""A company with 10,000 customers and 100,000 invoices: a few made by the rules, the others copied from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from qbo_emulator.books import Books, Txn
from qbo_emulator.entities.registry import BY_NAME
from qbo_emulator.jsonio import Json
from qbo_emulator.operations import create
from qbo_emulator.store import Row

from .global_companies import UK_MAIN

CUSTOMERS, INVOICES = 10_000, 100_000
_CHUNK = 10_000
_FIRST_DAY = date(2024, 1, 1)
_DAYS = 900


def fill(books: Books, customers: int = CUSTOMERS, invoices: int = INVOICES) -> None:
    """Add the customers and invoices; the same every time."""
    numbers = _customers(books, customers)
    books_of_lines = _templates(books, numbers[0])
    days = [(_FIRST_DAY + timedelta(days=offset)).isoformat() for offset in range(_DAYS + 30)]
    parties = [{"value": number} for number in numbers]
    first = int(Txn(books).next_id("Txn"))
    rows: list[Row] = []
    for place in range(invoices):
        offset = place * _DAYS // invoices
        record = {
            **books_of_lines[place % len(books_of_lines)],
            "Id": str(first + place),
            "DocNumber": f"L-{place + 1:06d}",
            "TxnDate": days[offset],
            "DueDate": days[offset + 30],
            # A prime step spreads the invoices over all customers.
            "CustomerRef": parties[place * 7 % len(parties)],
        }
        rows.append(Row("Invoice", record["Id"], record))
        if len(rows) == _CHUNK:
            books.commit(rows, None)
            rows = []
    books.commit(rows, None)


def _customers(books: Books, count: int) -> list[str]:
    txn = Txn(books)
    template = create(txn, BY_NAME["Customer"], {"DisplayName": "Customer 00001"})
    first = int(template["Id"])
    rows: list[Row] = []
    for place in range(count):
        name = f"Customer {place + 1:05d}"
        names = dict.fromkeys(("DisplayName", "FullyQualifiedName", "PrintOnCheckName"), name)
        record = {**template, **names, "Id": str(first + place)}
        rows.append(Row("Customer", record["Id"], record))
    books.commit(rows, None)
    return [row.id for row in rows]


def _templates(books: Books, customer: str) -> list[Json]:
    """Invoices of four sizes, completed by the rules and never stored."""
    made: list[Json] = []
    for amount in (120, 85, 240, 1000):
        detail = {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": "6"}, "Qty": 1, "UnitPrice": amount}
        line = {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
        body = {"CustomerRef": {"value": customer}, "GlobalTaxCalculation": "TaxExcluded", "Line": [line]}
        record = create(Txn(books), BY_NAME["Invoice"], body)
        made.append({key: value for key, value in record.items() if value not in (None, [])} | {"LinkedTxn": []})
    return made


LARGE = replace(
    UK_MAIN, name="Meridian Wholesale Ltd", legal_name="Meridian Wholesale Limited", customers=(), documents=fill
)
