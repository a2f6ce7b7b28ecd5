"""Random work of a bookkeeper and an app over HTTP: balances add up, versions only grow, no name twice."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.emulator.running import Company, Json, Running, exact

AMOUNTS = st.integers(min_value=1, max_value=50_000).map(lambda cents: Decimal(cents) / 100)
# Of what is open; more than all of it is refused.
PARTS = st.sampled_from(["0.5", "0.25", "1", "0.75", "1.1"]).map(Decimal)
CENT = Decimal("0.01")
PICK = st.integers(min_value=0, max_value=5)
NAMES = st.sampled_from(["Alder", "alder", "Birch", "Cedar ", "Cedar", "Birch (deleted)"])
KINDS = ("Invoice", "Payment", "CreditMemo", "SalesReceipt", "Customer")


class _Books(RuleBasedStateMachine):
    """One UK company; every answer is either the record or a documented refusal."""

    def __init__(self, emulator: Running) -> None:
        super().__init__()
        self.company: Company = emulator.company(emulator.reset("uk-vat")[0]["realm_id"])
        self.code = self.company.code("20.0% S")
        self.seen: dict[tuple[str, str], int] = {}

    def _post(self, entity: str, body: Json, **params: str) -> None:
        response = self.company.call("POST", entity.lower(), body, **params)
        assert response.status_code in {200, 400}, response.text
        if response.status_code == 400:
            assert exact(response)["Fault"]["Error"][0]["code"] in {
                "6000",
                "6240",
                "6220",
                "5010",
                "610",
                "620",
                "2020",
            }

    def _some(self, entity: str, pick: int) -> Json | None:
        rows = self.company.query(f"select * from {entity} orderby Id maxresults 1000").get(entity, [])  # noqa: S608 - a query to the emulator, of the test's own words
        return rows[pick % len(rows)] if rows else None

    def _sale(self, customer: Json, amount: Decimal) -> Json:
        detail = {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": self.code}}
        line = {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
        return {"CustomerRef": {"value": customer["Id"]}, "GlobalTaxCalculation": "TaxExcluded", "Line": [line]}

    @initialize(amounts=st.lists(AMOUNTS, min_size=4, max_size=4))
    def start_with_sales(self, amounts: list[Decimal]) -> None:
        [first, *_] = self.company.all("Customer")
        for amount, kind in zip(amounts, ("Invoice", "Invoice", "Invoice", "CreditMemo"), strict=True):
            self._post(kind, self._sale(first, amount))
        self.pay(0, Decimal("0.5"), over=True)

    @rule(name=NAMES)
    def add_customer(self, name: str) -> None:
        self._post("Customer", {"DisplayName": name})

    @rule(pick=PICK, name=NAMES, active=st.booleans())
    def change_customer(self, pick: int, name: str, active: bool) -> None:
        found = self._some("Customer", pick)
        if found is not None:
            self._post("Customer", {**_version(found), "sparse": True, "DisplayName": name, "Active": active})

    @rule(pick=PICK, amount=AMOUNTS, kind=st.sampled_from(["Invoice", "CreditMemo", "SalesReceipt"]))
    def sell(self, pick: int, amount: Decimal, kind: str) -> None:
        customer = self._some("Customer", pick)
        if customer is not None:
            self._post(kind, self._sale(customer, amount))

    @rule(pick=PICK, part=PARTS, over=st.booleans())
    def pay(self, pick: int, part: Decimal, over: bool) -> None:
        invoice = self._some("Invoice", pick)
        if invoice is None:
            return
        amount = (invoice["Balance"] * part).quantize(CENT)
        line = {"Amount": amount, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
        total = amount + 5 if over else amount
        self._post("Payment", {"CustomerRef": invoice["CustomerRef"], "TotalAmt": total, "Line": [line]})

    @rule(pick=PICK, other=PICK, part=PARTS)
    def apply_credit(self, pick: int, other: int, part: Decimal) -> None:
        invoice, memo = self._some("Invoice", pick), self._some("CreditMemo", other)
        if invoice is None or memo is None:
            return
        amount = (min(invoice["Balance"], memo["Balance"]) * part).quantize(CENT)
        pairs = (("Invoice", invoice), ("CreditMemo", memo))
        lines = [{"Amount": amount, "LinkedTxn": [{"TxnId": each["Id"], "TxnType": kind}]} for kind, each in pairs]
        self._post("Payment", {"CustomerRef": invoice["CustomerRef"], "TotalAmt": 0, "Line": lines})

    @rule(pick=PICK, amount=AMOUNTS)
    def change_invoice(self, pick: int, amount: Decimal) -> None:
        invoice = self._some("Invoice", pick)
        if invoice is not None:
            body = self._sale({"Id": invoice["CustomerRef"]["value"]}, amount)
            self._post("Invoice", {**_version(invoice), "sparse": True, "Line": body["Line"]})

    @rule(pick=PICK, kind=st.sampled_from(["Payment", "Payment", *KINDS[:4]]), how=st.sampled_from(["void", "delete"]))
    def take_back(self, pick: int, kind: str, how: str) -> None:
        found = self._some(kind, pick)
        if found is None or (how, kind) == ("void", "CreditMemo"):
            return
        self._post(kind, _version(found), operation=how)

    @invariant()
    def balances_add_up(self) -> None:
        rows: Mapping[str, list[Json]] = {kind: self.company.all(kind) for kind in KINDS[:4]}
        for invoice in rows["Invoice"]:
            assert invoice["Balance"] == invoice["TotalAmt"] - _applied(rows["Payment"], "Invoice", invoice["Id"])
        for memo in rows["CreditMemo"]:
            assert memo["Balance"] == memo["TotalAmt"] - _applied(rows["Payment"], "CreditMemo", memo["Id"])
        accounts = {each["Name"]: each["CurrentBalance"] for each in self.company.all("Account")}
        sums = {kind: sum(each["TotalAmt"] for each in found) for kind, found in rows.items()}
        assert accounts["Accounts Receivable (A/R)"] == sums["Invoice"] - sums["Payment"] - sums["CreditMemo"]
        assert accounts["Undeposited Funds"] == sums["Payment"] + sums["SalesReceipt"]
        sold = sums["Invoice"] + sums["SalesReceipt"] - sums["CreditMemo"]
        assert accounts["Services"] + accounts["VAT Control"] == sold
        statement = "select * from Customer where Active in (true, false) maxresults 1000"
        customers = self.company.query(statement)["Customer"]
        assert sum(each["Balance"] for each in customers) == accounts["Accounts Receivable (A/R)"]
        self._check_versions({**rows, "Customer": customers})

    def _check_versions(self, rows: Mapping[str, list[Json]]) -> None:
        for kind, found in rows.items():
            for each in found:
                version = int(each["SyncToken"])
                assert version >= self.seen.get((kind, each["Id"]), 0)
                self.seen[(kind, each["Id"])] = version
        names = [each["DisplayName"].casefold() for each in rows["Customer"]]
        assert len(set(names)) == len(names)


def _version(record: Json) -> Json:
    return {"Id": record["Id"], "SyncToken": record["SyncToken"]}


def _applied(payments: list[Json], kind: str, number: str) -> Any:
    lines = (line for payment in payments for line in payment["Line"])
    return sum(line["Amount"] for line in lines if line["LinkedTxn"][0] == {"TxnId": number, "TxnType": kind})


def test_books_stay_whole_whatever_is_done(emulator: Running) -> None:
    machine: Any = partial(_Books, emulator)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
