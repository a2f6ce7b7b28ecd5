"""Random work of a bookkeeper and an app over HTTP: balances add up, versions only grow, no name twice."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any

import pytest
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
RATES = st.sampled_from(["0.86", "0.91", "0.8333", "1.2"]).map(Decimal)
REFUSALS = {"6000", "6240", "6220", "6540", "5010", "610", "620", "2020"}
RECEIVABLE = "Accounts Receivable (A/R)"


class _Books(RuleBasedStateMachine):
    """One UK company; every answer is either the record or a documented refusal."""

    def __init__(self, emulator: Running, scenario: str) -> None:
        super().__init__()
        self.emulator = emulator
        self.company: Company = emulator.company(emulator.reset(scenario)[0]["realm_id"])
        self.is_foreign = scenario == "multicurrency"
        self.rate = Decimal("0.86")
        self.code = self.company.code("20.0% S")
        self.seen: dict[tuple[str, str], int] = {}

    def _post(self, entity: str, body: Json, **params: str) -> None:
        response = self.company.call("POST", entity.lower(), body, **params)
        assert response.status_code in {200, 400}, response.text
        if response.status_code == 400:
            assert exact(response)["Fault"]["Error"][0]["code"] in REFUSALS

    def _some(self, entity: str, pick: int) -> Json | None:
        rows = self.company.query(f"select * from {entity} orderby Id maxresults 1000").get(entity, [])  # noqa: S608 - a query to the emulator, of the test's own words
        return rows[pick % len(rows)] if rows else None

    def _sale(self, customer: Json, amount: Decimal) -> Json:
        detail = {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": self.code}}
        line = {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
        base = {"CustomerRef": {"value": customer["Id"]}, "GlobalTaxCalculation": "TaxExcluded", "Line": [line]}
        return {**base, **self._currency(customer)}

    def _currency(self, party: Json) -> Json:
        """What documents say where companies trade in many currencies: the party's, at the rate of the day."""
        if not self.is_foreign:
            return {}
        code = party["CurrencyRef"]["value"]
        return {"CurrencyRef": {"value": code}, **({} if code == "GBP" else {"ExchangeRate": self.rate})}

    @initialize(amounts=st.lists(AMOUNTS, min_size=4, max_size=4))
    def start_with_sales(self, amounts: list[Decimal]) -> None:
        customers = self.company.all("Customer")
        first = customers[0]
        if self.is_foreign:
            [first] = [each for each in customers if each["CurrencyRef"]["value"] == "EUR"]
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
        body = {"CustomerRef": invoice["CustomerRef"], "TotalAmt": total, "Line": [line]}
        self._post("Payment", {**body, **self._currency(invoice)})

    @rule(pick=PICK, amount=AMOUNTS)
    def pay_on_account(self, pick: int, amount: Decimal) -> None:
        customer = self._some("Customer", pick)
        if customer is not None:
            body = {"CustomerRef": {"value": customer["Id"]}, "TotalAmt": amount}
            self._post("Payment", {**body, **self._currency(customer)})

    @rule(memos=st.booleans(), payments=st.booleans())
    def apply_unasked(self, memos: bool, payments: bool) -> None:
        fields = {"SalesFormsPrefs": {"AutoApplyCredit": memos, "AutoApplyPayments": payments}}
        self._act(action="preferences", fields=fields)

    def _act(self, **body: Any) -> None:
        self.emulator.control("POST", "act", {"realm_id": self.company.realm, **body})

    @rule(rate=RATES)
    def let_the_rate_move(self, rate: Decimal) -> None:
        self.rate = rate

    @rule(pick=PICK, kind=st.sampled_from(["Invoice", "CreditMemo"]), rate=RATES)
    def correct_the_rate(self, pick: int, kind: str, rate: Decimal) -> None:
        found = self._some(kind, pick)
        if found is not None and found["CurrencyRef"]["value"] != "GBP":
            self._post(kind, {**_version(found), "sparse": True, "ExchangeRate": rate})

    @rule(pick=PICK, kind=st.sampled_from(["Payment", "SalesReceipt"]))
    def bank(self, pick: int, kind: str) -> None:
        found = self._some(kind, pick)
        if found is not None and found["TotalAmt"]:
            line = {"LinkedTxn": [{"TxnId": found["Id"], "TxnType": kind}]}
            to = {"value": self.company.account("Business Current Account")}
            self._post("Deposit", {"DepositToAccountRef": to, "Line": [line], **self._home()})

    def _home(self) -> Json:
        return {"CurrencyRef": {"value": "GBP"}} if self.is_foreign else {}

    @rule(pick=PICK, other=PICK, part=PARTS)
    def apply_credit(self, pick: int, other: int, part: Decimal) -> None:
        invoice, memo = self._some("Invoice", pick), self._some("CreditMemo", other)
        if invoice is None or memo is None:
            return
        amount = (min(invoice["Balance"], memo["Balance"]) * part).quantize(CENT)
        pairs = (("Invoice", invoice), ("CreditMemo", memo))
        lines = [{"Amount": amount, "LinkedTxn": [{"TxnId": each["Id"], "TxnType": kind}]} for kind, each in pairs]
        body = {"CustomerRef": invoice["CustomerRef"], "TotalAmt": 0, "Line": lines}
        self._post("Payment", {**body, **self._currency(invoice)})

    @rule(pick=PICK, amount=AMOUNTS)
    def change_invoice(self, pick: int, amount: Decimal) -> None:
        invoice = self._some("Invoice", pick)
        if invoice is not None:
            body = self._sale({**invoice, "Id": invoice["CustomerRef"]["value"]}, amount)
            self._post("Invoice", {**_version(invoice), "sparse": True, "Line": body["Line"]})

    @rule(pick=PICK, kind=st.sampled_from(["Payment", "Payment", *KINDS[:4]]), how=st.sampled_from(["void", "delete"]))
    def take_back(self, pick: int, kind: str, how: str) -> None:
        found = self._some(kind, pick)
        if found is None:
            return
        if (how, kind) == ("void", "CreditMemo"):
            response = self.emulator.http.post(
                "/_emulator/act",
                json={"realm_id": self.company.realm, "action": "void", "entity": kind, "id": found["Id"]},
            )
            assert response.status_code in {200, 400}, response.text
        elif (how, kind) == ("void", "Payment"):
            self._post(kind, {**_version(found), "sparse": True}, operation="update", include="void")
        else:
            self._post(kind, _version(found), operation=how)

    @invariant()
    def balances_add_up(self) -> None:
        rows: Mapping[str, list[Json]] = {kind: self.company.all(kind) for kind in KINDS[:4]}
        for invoice in rows["Invoice"]:
            assert invoice["Balance"] == invoice["TotalAmt"] - _applied(rows["Payment"], "Invoice", invoice["Id"])
        for memo in rows["CreditMemo"]:
            assert memo["Balance"] == memo["TotalAmt"] - _applied(rows["Payment"], "CreditMemo", memo["Id"])
        rows = {**rows, "Deposit": self.company.all("Deposit")}
        accounts = {each["Name"]: each["CurrentBalance"] for each in self.company.all("Account")}
        _check_accounts(accounts, rows)
        statement = "select * from Customer where Active in (true, false) maxresults 1000"
        customers = self.company.query(statement)["Customer"]
        for code in {each["CurrencyRef"]["value"] for each in customers}:
            owed = sum(each["Balance"] for each in customers if each["CurrencyRef"]["value"] == code)
            assert accounts.get(_receivable(code), 0) == owed
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


def _receivable(code: str) -> str:
    return RECEIVABLE if code == "GBP" else f"{RECEIVABLE} - {code}"


def _home(document: Json, amount: Decimal) -> Decimal:
    rate = Decimal(document.get("ExchangeRate", 1))
    return (amount * rate).quantize(CENT, rounding=ROUND_HALF_UP)


def _check_accounts(accounts: Json, rows: Mapping[str, list[Json]]) -> None:
    """Every account says what the documents add up to, each at its own rate."""
    for code in {each["CurrencyRef"]["value"] for found in rows.values() for each in found}:
        sums = {
            kind: sum(each["TotalAmt"] for each in found if each["CurrencyRef"]["value"] == code)
            for kind, found in rows.items()
        }
        assert accounts.get(_receivable(code), 0) == sums["Invoice"] - sums["Payment"] - sums["CreditMemo"]
    received = sum(_home(each, each["TotalAmt"]) for kind in ("Payment", "SalesReceipt") for each in rows[kind])
    banked = sum(each["TotalAmt"] for each in rows["Deposit"])
    assert accounts["Undeposited Funds"] == received - banked
    assert accounts["Business Current Account"] == banked
    signed = {"Invoice": 1, "SalesReceipt": 1, "CreditMemo": -1}
    documents = [(each, sign) for kind, sign in signed.items() for each in rows[kind]]
    nets = sum(_home(each, each["TotalAmt"] - each["TxnTaxDetail"]["TotalTax"]) * sign for each, sign in documents)
    taxes = sum(_home(each, each["TxnTaxDetail"]["TotalTax"]) * sign for each, sign in documents)
    assert (accounts["Services"], accounts["VAT Control"]) == (nets, taxes)
    assert accounts["Exchange Gain or Loss"] == -sum(_gain(each, rows) for each in rows["Payment"])


def _gain(payment: Json, rows: Mapping[str, list[Json]]) -> Decimal:
    """What a payment brought home beyond what its documents were worth there."""
    gain = _home(payment, payment["TotalAmt"]) - _home(payment, payment["UnappliedAmt"])
    for line in payment["Line"]:
        link = line["LinkedTxn"][0]
        [document] = [each for each in rows[link["TxnType"]] if each["Id"] == link["TxnId"]]
        gain += _home(document, line["Amount"]) * (1 if link["TxnType"] == "CreditMemo" else -1)
    return gain


@pytest.mark.parametrize("scenario", ["uk-vat", "multicurrency"])
def test_books_stay_whole_whatever_is_done(emulator: Running, scenario: str) -> None:
    machine: Any = partial(_Books, emulator, scenario)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
