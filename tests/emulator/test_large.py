"""The large company: all there, adding up, and paged through in order; made small here, since it is made by number."""

from dataclasses import replace
from decimal import Decimal

from qbo_emulator.books import Books
from qbo_emulator.clock import Clock
from qbo_emulator.query.run import run_query
from qbo_emulator.scenarios.builder import build
from qbo_emulator.scenarios.large import CUSTOMERS, INVOICES, LARGE, fill
from qbo_emulator.store import Journal


def _small() -> Books:
    books = Books("1", Journal(None), Clock())
    build(books, replace(LARGE, documents=lambda found: fill(found, 50, 500)))
    return books


def test_numbers_are_those_of_the_issue() -> None:
    assert (CUSTOMERS, INVOICES) == (10_000, 100_000)


def test_every_customer_owes_its_invoices() -> None:
    books = _small()
    assert run_query(books, "select count(*) from Customer") == {"totalCount": 50}
    assert run_query(books, "select count(*) from Invoice") == {"totalCount": 500}
    owed = sum((Decimal(each["Balance"]) for each in books.all("Invoice")), Decimal(0))
    assert sum(books.name_balances.values()) == owed == books.account_balances["84"]
    assert all(books.name_balances[each["Id"]] > 0 for each in books.all("Customer"))


def test_two_of_them_are_alike_but_for_the_time() -> None:
    first, second = _small(), _small()
    for number in ("1", "250", "500"):
        one, other = ({**each.records["Invoice"][number], "MetaData": None} for each in (first, second))
        assert one == other
    names = [each["DocNumber"] for each in run_query(first, "select * from Invoice orderby DocNumber")["Invoice"]]
    assert names[:2] == ["L-000001", "L-000002"]
