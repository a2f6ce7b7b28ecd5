"""Whatever is written, read back, paid, voided and deleted: the books add up, and nothing malformed is a bug."""

import random
from decimal import Decimal
from typing import Any

import pytest

from tests.emulator.running import Company, Json, exact

JUNK: tuple[Any, ...] = (
    None,
    "",
    0,
    -1,
    "abc",
    True,
    [],
    {},
    [1],
    {"value": {}},
    {"value": None},
    "9999-99-99",
    "0001-01-01",
    "9999-12-31",
    Decimal("1e14"),
    10**30,
    "NaN",
    "1E+300",
    "x" * 5000,
    [None],
    [{}],
    [[]],
    "\u0000",
    "TAX",
)
FIELDS = (
    "CustomerRef",
    "Line",
    "TxnDate",
    "DueDate",
    "DocNumber",
    "Deposit",
    "DepositToAccountRef",
    "TxnTaxDetail",
    "GlobalTaxCalculation",
    "BillEmail",
    "BillAddr",
    "SalesTermRef",
    "CurrencyRef",
    "PrivateNote",
    "CustomField",
)


def _line(company: Company, amount: Decimal, code: str, **detail: Any) -> Json:
    return {
        "Amount": amount,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": code}, **detail},
    }


class Bookkeeping:
    """Random but valid work on one company."""

    def __init__(self, company: Company, seed: int) -> None:
        self.company = company
        self.chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.codes = [company.code(name) for name in ("20.0% S", "5.0% R", "0.0% Z", "Exempt")]
        self.customers = [each["Id"] for each in company.query("select * from Customer")["Customer"]]

    def _amount(self) -> Decimal:
        return Decimal(self.chance.randrange(1, 200_000)) / 100

    def lines(self) -> list[Json]:
        return [
            _line(self.company, self._amount(), self.chance.choice(self.codes))
            for _ in range(self.chance.randrange(1, 4))
        ]

    def invoice(self) -> None:
        model = self.chance.choice(["TaxExcluded", "TaxInclusive"])
        self.company.create(
            "Invoice",
            {
                "CustomerRef": {"value": self.chance.choice(self.customers)},
                "GlobalTaxCalculation": model,
                "Line": self.lines(),
            },
        )

    def _some(self, entity: str) -> Json | None:
        rows = self.company.all(entity)
        found: Json | None = self.chance.choice(rows) if rows else None
        return found

    def pay(self) -> None:
        invoice = self._some("Invoice")
        if invoice is not None and invoice["Balance"]:
            applied = min(invoice["Balance"], self._amount())
            link = {"TxnId": invoice["Id"], "TxnType": "Invoice"}
            self.company.create(
                "Payment",
                {
                    "CustomerRef": {"value": invoice["CustomerRef"]["value"]},
                    "TotalAmt": applied + 1,
                    "Line": [{"Amount": applied, "LinkedTxn": [link]}],
                },
            )

    def end(self) -> None:
        entity = self.chance.choice(["Invoice", "Payment"])
        record = self._some(entity)
        options: Json = self.chance.choice(
            [
                {"operation": "delete"},
                {"operation": "void"} if entity == "Invoice" else {"operation": "update", "include": "void"},
            ]
        )
        if record is not None:
            self.company.create(entity, {"Id": record["Id"], "SyncToken": record["SyncToken"]}, **options)

    def change(self) -> None:
        invoice = self._some("Invoice")
        if invoice is not None and not invoice["LinkedTxn"]:
            self.company.create(
                "Invoice",
                {"Id": invoice["Id"], "SyncToken": invoice["SyncToken"], "sparse": True, "Line": self.lines()},
            )

    def work(self, steps: int) -> None:
        acts = [self.invoice, self.invoice, self.pay, self.pay, self.change, self.end]
        for _ in range(steps):
            self.chance.choice(acts)()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_balances_add_up(uk: Company, seed: int) -> None:
    Bookkeeping(uk, seed).work(60)
    books = uk.running.control("GET", f"dump?realm_id={uk.realm}")["companies"][0]["entities"]
    applied: dict[str, Decimal] = {}
    owed: dict[str, Decimal] = {}
    for payment in books["Payment"]:
        used = sum((line["Amount"] for line in payment["Line"]), Decimal(0))
        assert payment["TotalAmt"] == used + payment["UnappliedAmt"]
        customer = payment["CustomerRef"]["value"]
        owed[customer] = owed.get(customer, Decimal(0)) - payment["UnappliedAmt"]
        for line in payment["Line"]:
            number = line["LinkedTxn"][0]["TxnId"]
            applied[number] = applied.get(number, Decimal(0)) + line["Amount"]
    for invoice in books["Invoice"]:
        net = sum(line["Amount"] for line in invoice["Line"] if line["DetailType"] == "SalesItemLineDetail")
        assert invoice["TotalAmt"] == net + invoice["TxnTaxDetail"]["TotalTax"]
        assert invoice["Balance"] == invoice["TotalAmt"] - applied.get(invoice["Id"], Decimal(0))
        customer = invoice["CustomerRef"]["value"]
        owed[customer] = owed.get(customer, Decimal(0)) + invoice["Balance"]
    assert {each["Id"]: each["Balance"] for each in books["Customer"]} == {
        each["Id"]: owed.get(each["Id"], 0) for each in books["Customer"]
    }
    balances = {each["Name"]: each["CurrentBalance"] for each in books["Account"]}
    income = sum(balances[each["Name"]] for each in books["Account"] if each["Classification"] == "Revenue")
    assert balances["Accounts Receivable (A/R)"] + balances["Undeposited Funds"] == income + balances["VAT Control"]


@pytest.mark.parametrize("field", FIELDS)
def test_junk_in_a_property_is_never_a_bug(uk: Company, field: str) -> None:
    good = {
        "CustomerRef": {"value": "1"},
        "GlobalTaxCalculation": "TaxExcluded",
        "Line": [_line(uk, Decimal(10), uk.code("20.0% S"))],
    }
    for junk in JUNK:
        response = uk.call("POST", "invoice", {**good, field: junk})
        assert response.status_code in {200, 400}, (field, junk, response.text)
        assert ("Fault" in exact(response)) is (response.status_code == 400)
        nested = _line(uk, Decimal(10), uk.code("20.0% S"))
        nested["SalesItemLineDetail"]["Qty"] = junk
        assert uk.call("POST", "invoice", {**good, "Line": [nested, {**nested, "Amount": junk}]}).status_code < 500
