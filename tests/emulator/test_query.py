"""The query language in the forms that clients send, in-process, tolerant and strict."""

import pytest

from qbo_emulator.books import Books
from qbo_emulator.clock import Clock
from qbo_emulator.faults import Fault
from qbo_emulator.query.run import run_query
from qbo_emulator.scenarios.builder import build
from qbo_emulator.scenarios.us_companies import US_SAMPLE
from qbo_emulator.store import Journal


@pytest.fixture(scope="module")
def books() -> Books:
    made = Books("1", Journal(None), Clock())
    build(made, US_SAMPLE)
    return made


def _numbers(books: Books, entity: str, clauses: str) -> list[str]:
    rows = run_query(books, f"select * from {entity} {clauses}").get(entity, [])  # noqa: S608 - a query to the emulator, of the test's own words
    return [each.get("DocNumber") or each.get("Name") or each["Id"] for each in rows]


@pytest.mark.parametrize(
    ("entity", "clauses", "expected"),
    [
        ("Invoice", "where CustomerRef = '1' ORDER BY TxnDate desc", ["1002", "1001"]),
        ("Invoice", "WHERE CustomerRef.value='1' orderby txndate", ["1001", "1002"]),
        ("Invoice", "where Balance > '0' and TotalAmt >= 300", ["1002"]),
        ("Invoice", "where DueDate < '2026-06-05T00:00:00-07:00' orderby DocNumber", ["1001"]),
        ("Invoice", "where DocNumber in ('1003', '1001') orderby DocNumber asc", ["1001", "1003"]),
        ("Invoice", "where TxnDate = 2026-05-03", ["1001"]),
        ("Invoice", "where DocNumber LIKE '%15'", ["1015"]),
        ("Invoice", "orderby Id desc startposition 2 maxresults 2", ["1015", "1014"]),
        ("Item", "where Type = 'inventory' and QtyOnHand < 10", ["Rock Fountain"]),
        ("Item", "where taxable = true and UnitPrice > 20", ["Rock Fountain"]),
        ("Account", "where AccountType IN ('Bank') ", ["Checking", "Savings"]),
        ("CreditMemo", "where Balance > '0'", ["1001"]),
        ("Estimate", "where TxnStatus = 'Closed'", []),
        ("SalesReceipt", "where DepositToAccountRef = '4' maxresults 1", ["1011"]),
    ],
)
def test_forms_that_clients_send(books: Books, entity: str, clauses: str, expected: list[str]) -> None:
    assert _numbers(books, entity, clauses) == expected


@pytest.mark.parametrize(
    ("entity", "present"),
    [("Invoice", True), ("TaxCode", True), ("Customer", False), ("Payment", False), ("CreditMemo", False)],
)
def test_total_count_stands_where_it_was_recorded(books: Books, entity: str, present: bool) -> None:
    answer = run_query(books, f"select * from {entity} maxresults 1")  # noqa: S608 - a query to the emulator, of the test's own words
    assert ("totalCount" in answer, answer["startPosition"]) == (present, 1)


def test_default_orders(books: Books) -> None:
    assert _numbers(books, "Invoice", "maxresults 2") == ["1016", "1015"]
    assert _numbers(books, "Item", "maxresults 3") == ["Concrete", "Design", "Gardening"]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("select * from Invoice where TotalAmt != 5", 4000),
        ("select * from Invoice order by Id", 4000),
        ("select * from Invoice startposition 0", 4001),
        ("select * from Invoice where not Id = '1'", 4000),
        ("select * from Invoice where Id = '1' group by Id", 4000),
        ("select * from Invoice maxresults 1001", 4001),
    ],
)
def test_strict_refuses_what_is_not_documented(books: Books, statement: str, code: int) -> None:
    with pytest.raises(Fault) as refused:
        run_query(books, statement, strict=True)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("select sum(Balance) from Customer", 4000),
        ("select * from Customer maxresults 1 maxresults 2", 4000),
        ("select * from Invoice where Active = true", 4001),
    ],
)
def test_what_makes_no_sense_is_refused_by_the_tolerant_too(books: Books, statement: str, code: int) -> None:
    with pytest.raises(Fault) as refused:
        run_query(books, statement)
    assert refused.value.code == code


def test_larger_pages_are_cut_unless_strict(books: Books) -> None:
    assert run_query(books, "select * from Customer maxresults 1001")["maxResults"] == 18
