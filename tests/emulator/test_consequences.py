"""What happens unasked: payments and credits applied by themselves, opening balances, exchange gains."""

from decimal import Decimal
from typing import Any

import pytest

from tests.emulator.running import Company, Json, Running


@pytest.fixture
def many(emulator: Running) -> Company:
    """A UK company with multicurrency."""
    return emulator.company(emulator.reset("multicurrency")[0]["realm_id"])


def _customer(company: Company, name: str = "Marlowe Interiors") -> Json:
    [found] = [each for each in company.all("Customer") if each["DisplayName"] == name]
    return {"value": found["Id"]}


def _sale(company: Company, amount: Any, customer: Json, **fields: Any) -> Json:
    detail = {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": company.code("0.0% Z")}}
    line = {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    return {"CustomerRef": customer, "GlobalTaxCalculation": "TaxExcluded", "Line": [line], **fields}


def _link(kind: str, record: Json, amount: Any) -> Json:
    return {"Amount": amount, "LinkedTxn": [{"TxnId": record["Id"], "TxnType": kind}]}


def _prefer(company: Company, **sales: Any) -> None:
    fields = {"SalesFormsPrefs": sales}
    company.running.control("POST", "act", {"realm_id": company.realm, "action": "preferences", "fields": fields})


def _balance(company: Company, name: str) -> Any:
    return company.named("Account", name)["CurrentBalance"]


def test_new_payment_pays_the_oldest_invoices_by_itself(uk: Company) -> None:
    customer = _customer(uk)
    late = uk.create("Invoice", _sale(uk, 50, customer, TxnDate="2026-06-02"))
    early = uk.create("Invoice", _sale(uk, 40, customer, TxnDate="2026-06-01"))
    other = uk.create("Invoice", _sale(uk, 30, _customer(uk, "Tamar Valley Growers"), TxnDate="2026-05-01"))
    plain = uk.create("Payment", {"CustomerRef": customer, "TotalAmt": 5})
    assert (plain["UnappliedAmt"], plain["Line"]) == (5, [])
    _prefer(uk, AutoApplyPayments=True)
    paid = uk.create("Payment", {"CustomerRef": customer, "TotalAmt": 60, "Line": [_link("Invoice", late, 10)]})
    assert (paid["UnappliedAmt"], paid["SyncToken"]) == (0, "0")
    assert {line["LinkedTxn"][0]["TxnId"]: line["Amount"] for line in paid["Line"]} == {
        late["Id"]: 20,
        early["Id"]: 40,
    }
    shown = {each["Id"]: (each["Balance"], len(each["LinkedTxn"])) for each in uk.all("Invoice")}
    assert shown == {late["Id"]: (30, 1), early["Id"]: (0, 1), other["Id"]: (30, 0)}
    assert uk.read("Payment", paid["Id"])["Line"] == paid["Line"]


def test_new_invoice_takes_what_payments_left(uk: Company) -> None:
    customer = _customer(uk)
    first = uk.create("Payment", {"CustomerRef": customer, "TotalAmt": 30, "TxnDate": "2026-05-01"})
    second = uk.create("Payment", {"CustomerRef": customer, "TotalAmt": 30, "TxnDate": "2026-05-02"})
    locked = uk.create("Payment", {"CustomerRef": customer, "TotalAmt": 90, "TxnDate": "2026-04-01"})
    line = {"LinkedTxn": [{"TxnId": locked["Id"], "TxnType": "Payment"}]}
    uk.create("Deposit", {"DepositToAccountRef": {"value": uk.account("Petty Cash")}, "Line": [line]})
    _prefer(uk, AutoApplyPayments=True)
    invoice = uk.create("Invoice", _sale(uk, 45, customer))
    assert (invoice["Balance"], len(invoice["LinkedTxn"])) == (0, 2)
    after = [uk.read("Payment", each["Id"]) for each in (first, second, locked)]
    assert [(each["UnappliedAmt"], each["SyncToken"]) for each in after] == [(0, "1"), (15, "1"), (90, "0")]
    assert uk.read("Customer", customer["value"])["Balance"] == -105


def test_new_customer_may_bring_a_balance(us: Company) -> None:
    body = {"DisplayName": "Old Friend", "Balance": Decimal("120.50"), "OpenBalanceDate": "2026-02-03"}
    customer = us.create("Customer", body)
    assert customer["Balance"] == Decimal("120.50")
    [invoice] = [each for each in us.all("Invoice") if each["CustomerRef"]["value"] == customer["Id"]]
    assert (invoice["TxnDate"], invoice["TotalAmt"], invoice["Balance"]) == (
        "2026-02-03",
        Decimal("120.50"),
        Decimal("120.50"),
    )
    assert _balance(us, "Opening Balance Equity") == Decimal("120.50") + 500
    changed = us.create("Customer", {**customer, "Balance": 7})
    assert (changed["Balance"], changed["SyncToken"]) == (Decimal("120.50"), "0")
    assert us.fault("POST", "customer", {"DisplayName": "Odd", "Balance": -1})["code"] == "6000"
    assert us.query("select count(*) from Customer where DisplayName = 'Odd'") == {"totalCount": 0}


def test_payment_at_another_rate_posts_the_difference(many: Company) -> None:
    euro = {"CurrencyRef": {"value": "EUR"}}
    customer = _customer(many, "Brasserie Lumen")
    invoice = many.create("Invoice", _sale(many, 100, customer, **euro, ExchangeRate=Decimal("0.86")))
    lines = [_link("Invoice", invoice, 100)]
    body = {"CustomerRef": customer, **euro, "TotalAmt": 100, "Line": lines}
    payment = many.create("Payment", {**body, "ExchangeRate": Decimal("0.90")})
    # 90 pounds came in for what stood at 86: a gain of 4, a negative expense.
    assert (_balance(many, "Undeposited Funds"), _balance(many, "Exchange Gain or Loss")) == (90, -4)
    assert _balance(many, "Accounts Receivable (A/R) - EUR") == 0
    assert "_Gain" not in payment
    lowered = {"Id": payment["Id"], "SyncToken": "0", "sparse": True, "ExchangeRate": Decimal("0.80")}
    many.create("Payment", {**lowered, "TotalAmt": 100, "Line": lines})
    assert (_balance(many, "Undeposited Funds"), _balance(many, "Exchange Gain or Loss")) == (80, 6)
    corrected = {"Id": invoice["Id"], "SyncToken": many.read("Invoice", invoice["Id"])["SyncToken"], "sparse": True}
    many.create("Invoice", {**corrected, "ExchangeRate": Decimal("0.80")})
    assert _balance(many, "Exchange Gain or Loss") == 0
    assert many.read("Payment", payment["Id"])["SyncToken"] == "1"


def test_taking_a_payment_back_takes_its_gain_back(many: Company) -> None:
    euro = {"CurrencyRef": {"value": "EUR"}, "ExchangeRate": Decimal("0.86")}
    customer = _customer(many, "Brasserie Lumen")
    invoice = many.create("Invoice", _sale(many, 100, customer, **euro))
    memo = many.create("CreditMemo", _sale(many, 30, customer, **{**euro, "ExchangeRate": Decimal("0.80")}))
    lines = [_link("Invoice", invoice, 80), _link("CreditMemo", memo, 30)]
    rate = {**euro, "ExchangeRate": Decimal("0.90")}
    payment = many.create("Payment", {"CustomerRef": customer, **rate, "TotalAmt": 60, "Line": lines})
    # In: 60 and 30 of credit; 54 + 24 pounds against 68.80 of the invoice and 9 unapplied.
    assert payment["UnappliedAmt"] == 10
    assert _balance(many, "Exchange Gain or Loss") == Decimal("-0.2")
    many.create("Payment", {"Id": payment["Id"], "SyncToken": "0", "sparse": True}, include="void")
    assert (_balance(many, "Exchange Gain or Loss"), _balance(many, "Undeposited Funds")) == (0, 0)


def test_voiding_a_foreign_invoice_leaves_the_payment_without_gain(many: Company) -> None:
    euro = {"CurrencyRef": {"value": "EUR"}}
    customer = _customer(many, "Brasserie Lumen")
    invoice = many.create("Invoice", _sale(many, 100, customer, **euro, ExchangeRate=Decimal("0.86")))
    body = {"CustomerRef": customer, **euro, "ExchangeRate": 1, "TotalAmt": 100}
    payment = many.create("Payment", {**body, "Line": [_link("Invoice", invoice, 100)]})
    assert _balance(many, "Exchange Gain or Loss") == -14
    many.create("Invoice", {"Id": invoice["Id"], "SyncToken": "1"}, operation="void")
    assert many.read("Payment", payment["Id"])["UnappliedAmt"] == 100
    assert _balance(many, "Exchange Gain or Loss") == 0


def test_foreign_money_is_banked_at_its_worth(many: Company) -> None:
    euro = {"CurrencyRef": {"value": "EUR"}, "ExchangeRate": Decimal("0.90")}
    customer = _customer(many, "Brasserie Lumen")
    payment = many.create("Payment", {"CustomerRef": customer, **euro, "TotalAmt": 100})
    line = {"LinkedTxn": [{"TxnId": payment["Id"], "TxnType": "Payment"}]}
    to = {"value": many.account("Business Current Account")}
    deposit = many.create("Deposit", {"DepositToAccountRef": to, "Line": [line]})
    assert (deposit["TotalAmt"], _balance(many, "Undeposited Funds")) == (90, 0)
    account = {"value": many.account("Euro Account")}
    many.create("SalesReceipt", _sale(many, 10, customer, **euro, DepositToAccountRef=account))
    assert _balance(many, "Euro Account") == 10
    dollars = {"CurrencyRef": {"value": "USD"}, "DepositToAccountRef": account}
    refused = _sale(many, 10, _customer(many, "Hudson Print Works"), **dollars)
    assert many.fault("POST", "salesreceipt", refused)["code"] == "6000"
