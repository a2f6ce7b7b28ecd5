"""QuickBooks' answers as the port's values."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cone.accounting.port.company import Account, CompanyFacts, TaxCode
from cone.accounting.port.documents import RemoteRecord
from cone.accounting.port.verdicts import MisconfiguredError
from cone.kit.values import replace
from cone.providers.quickbooks import reading, wire
from cone.providers.quickbooks.query import quote, select_items, select_page, select_where

from .builders import UUID_ONE, a_company, an_american_company


def invoice_of(**changes: Any) -> RemoteRecord:
    given: dict[str, Any] = {
        "Id": "301",
        "SyncToken": "2",
        "DocNumber": "INV-0042",
        "PrivateNote": f"ask Ann\ncone:{UUID_ONE}\npaid by cheque",
        "Line": [
            {"DetailType": "SalesItemLineDetail", "Amount": 100, "SalesItemLineDetail": {"TaxCodeRef": {"value": "6"}}},
            {"DetailType": "SalesItemLineDetail", "Amount": 50, "SalesItemLineDetail": {"TaxCodeRef": {"value": "4"}}},
            {"DetailType": "SubTotalLineDetail", "Amount": 150, "SubTotalLineDetail": {}},
        ],
        "TxnTaxDetail": {"TotalTax": 20.10},
        "CustomerRef": {"value": "12", "name": "Example Ltd"},
        "BillEmail": {"Address": "a@example.com"},
        "DepositToAccountRef": {"value": "35"},
        "TotalAmt": 170.10,
        "Balance": 0,
    }
    body = msgspec.json.encode({"Invoice": given | changes, "time": "2026-05-05T02:08:55-07:00"})
    return reading.invoice_record(msgspec.json.decode(body, type=wire.InvoiceAnswer).invoice)


def test_invoice_is_read_whole_and_exactly() -> None:
    assert replace(invoice_of(), besides="") == RemoteRecord(
        kind="invoice",
        remote_id="301",
        version="2",
        number="INV-0042",
        total=Decimal("170.1"),
        tax=Decimal("20.1"),
        balance=Decimal(0),
        tax_codes=("6", "4"),
        deposit_account_id="35",
        marker=str(UUID_ONE),
        customer_id="12",
        email="a@example.com",
        words=("", "ask Ann\n\npaid by cheque", "", ""),
    )


def test_invoice_of_the_least_is_read() -> None:
    absent = dict.fromkeys(("DocNumber", "PrivateNote", "TxnTaxDetail", "BillEmail", "DepositToAccountRef"))
    record = invoice_of(**absent, Line=[])
    assert (record.number, record.tax, record.marker, record.email) == (None, Decimal(0), "", "")
    assert (record.tax_codes, record.deposit_account_id) == ((), None)


def facts_of(country: Any = "GB", **preferences: Any) -> CompanyFacts:
    company = {"CompanyName": "Harbour & Vale", "Country": country, "Email": {"Address": "a@example.com"}}
    given = {"CurrencyPrefs": {"HomeCurrency": {"value": "GBP"}}, **preferences}
    return reading.company_facts(
        msgspec.convert(company, wire.CompanyRow),
        msgspec.json.decode(msgspec.json.encode(given), type=wire.PreferencesRow),
    )


def test_company_facts_are_read_from_preferences() -> None:
    assert facts_of(
        SalesFormsPrefs={"AllowDeposit": True, "CustomTxnNumbers": True},
        TaxPrefs={"UsingSalesTax": True},
        CurrencyPrefs={"MultiCurrencyEnabled": True, "HomeCurrency": {"value": "GBP"}},
        AccountingInfoPrefs={"BookCloseDate": "2026-03-31"},
    ) == CompanyFacts(
        name="Harbour & Vale",
        country="GB",
        home_currency="GBP",
        tax_model="global",
        allows_invoice_deposit=True,
        uses_own_numbers=True,
        is_multicurrency=True,
        books_closed_through_date=date(2026, 3, 31),
        email="a@example.com",
    )


def test_preferences_that_say_nothing_allow_nothing() -> None:
    facts = facts_of()
    assert (facts.allows_invoice_deposit, facts.uses_own_numbers, facts.is_multicurrency) == (False, False, False)
    assert facts.books_closed_through_date is None


@pytest.mark.parametrize(
    ("country", "using", "model"),
    [("US", True, "us"), ("USA", True, "us"), ("us", None, "us"), ("GB", True, "global"), ("US", False, "none")],
)
def test_tax_model_follows_country_and_preference(country: str, using: bool | None, model: str) -> None:
    assert facts_of(country, TaxPrefs={"UsingSalesTax": using}).tax_model == model


def test_unknown_home_currency_is_never_guessed() -> None:
    assert facts_of("US", CurrencyPrefs={}).home_currency == "USD"
    with pytest.raises(MisconfiguredError):
        facts_of("IE", CurrencyPrefs={})


def account(remote_id: str, kind: str, **changes: Any) -> wire.AccountRow:
    return wire.AccountRow(**({"id": remote_id, "name": f"Account {remote_id}", "account_type": kind} | changes))


def test_accounts_for_deposits_are_exactly_the_active_bank_accounts() -> None:
    rows = [
        account("35", "Bank", account_sub_type="Checking", fully_qualified_name="Banks:Account 35"),
        account("36", "Bank", active=False),
        account("4", "Other Current Asset", account_sub_type="UndepositedFunds"),
        account("42", "Credit Card"),
    ]
    accounts = reading.reference(rows, [], [], [], [], a_company()).accounts
    assert [found.remote_id for found in accounts if found.can_receive_deposits] == ["35"]
    assert accounts[0] == Account(
        remote_id="35",
        name="Account 35",
        full_name="Banks:Account 35",
        type="Bank",
        subtype="Checking",
        is_active=True,
        currency="GBP",
        can_receive_deposits=True,
        is_income=False,
    )


@pytest.mark.parametrize(
    ("rows", "suggested"),
    [
        ([], None),
        ([account("1", "Other Income")], None),
        ([account("1", "Income", active=False)], None),
        ([account("1", "Income", currency_ref=wire.Ref("EUR"))], None),
        ([account("10", "Income"), account("9", "Income")], "9"),
        ([account("9", "Income"), account("10", "Income", account_sub_type="SalesOfProductIncome")], "10"),
        (
            [
                account("1", "Income", account_sub_type="SalesOfProductIncome"),
                account("82", "Income", account_sub_type="ServiceFeeIncome"),
            ],
            "82",
        ),
    ],
)
def test_income_account_is_suggested_from_the_companys_own_chart(
    rows: list[wire.AccountRow], suggested: str | None
) -> None:
    assert reading.reference(rows, [], [], [], [], a_company()).suggested_income_account_id == suggested


def rates(*ids: str, applies: str | None = "TaxOnAmount") -> wire.RatesOfCode:
    return wire.RatesOfCode(tuple(wire.RateOfCode(wire.Ref(rate), applies) for rate in ids))


RATES = [
    wire.TaxRateRow("8", Decimal(20)),
    wire.TaxRateRow("9", Decimal("9.975")),
    wire.TaxRateRow("5", Decimal(5)),
    wire.TaxRateRow("7", None),
]


@pytest.mark.parametrize(
    ("row", "percent"),
    [
        (wire.TaxCodeRow("6", "20.0% S", sales_tax_rate_list=rates("8")), Decimal(20)),
        (wire.TaxCodeRow("6", "GST/QST", sales_tax_rate_list=rates("5", "9")), Decimal("14.975")),
        (wire.TaxCodeRow("6", "On tax", sales_tax_rate_list=rates("5", "9", applies="TaxOnTax")), None),
        (wire.TaxCodeRow("6", "Gone", sales_tax_rate_list=rates("5", "404")), None),
        (wire.TaxCodeRow("6", "Open", sales_tax_rate_list=rates("7")), None),
        (wire.TaxCodeRow("6", "Exempt", taxable=False), Decimal(0)),
        (wire.TaxCodeRow("6", "Nothing known"), None),
        (wire.TaxCodeRow("NON", "NON"), Decimal(0)),
        (wire.TaxCodeRow("TAX", "TAX"), None),
    ],
)
def test_percent_of_a_code_is_the_sum_of_its_sales_rates(row: wire.TaxCodeRow, percent: Decimal | None) -> None:
    [code] = reading.reference([], [row], RATES, [], [], a_company()).tax_codes
    assert code.percent == percent


def test_codes_that_no_sale_may_name_arent_offered() -> None:
    rows = [
        wire.TaxCodeRow("CustomSalesTax", "CustomSalesTax"),
        wire.TaxCodeRow("3", "Purchases", purchase_tax_rate_list=rates("8"), sales_tax_rate_list=rates()),
        wire.TaxCodeRow("2", "California", sales_tax_rate_list=rates("5")),
        wire.TaxCodeRow("4", "Old", active=False),
        wire.TaxCodeRow("5", "Hidden", hidden=True),
        wire.TaxCodeRow("NON", "NON"),
        wire.TaxCodeRow("NON", "NON"),
    ]
    codes = reading.reference([], rows, RATES, [], [], an_american_company()).tax_codes
    assert [(code.remote_id, code.is_active) for code in codes] == [
        ("2", True),
        ("4", False),
        ("5", False),
        ("NON", True),
    ]


def test_company_without_sales_tax_offers_one_code_for_no_tax() -> None:
    codes = reading.reference([], [], [], [], [], a_company(tax_model="none")).tax_codes
    assert codes == (TaxCode("NON", "No tax", "Sales tax is switched off in QuickBooks", Decimal(0), is_active=True),)


def test_query_values_are_quoted_and_escaped() -> None:
    assert quote("O'Brien \\ Søn & Co") == "'O\\'Brien \\\\ Søn & Co'"
    assert select_where("Item", Name="it's") == "SELECT * FROM Item WHERE Name = 'it\\'s' ORDERBY Id MAXRESULTS 1000"
    assert select_items([" it's ", "Advice"]) == (
        "SELECT * FROM Item WHERE Name IN ('it\\'s', 'Advice') ORDERBY Id MAXRESULTS 1000"
    )
    assert select_where("Invoice", CustomerRef="1", TxnDate="2026-05-05") == (
        "SELECT * FROM Invoice WHERE CustomerRef = '1' AND TxnDate = '2026-05-05' ORDERBY Id MAXRESULTS 1000"
    )


def test_pages_are_ordered_by_id() -> None:
    assert select_page("TaxCode", page=0) == "SELECT * FROM TaxCode ORDERBY Id STARTPOSITION 1 MAXRESULTS 1000"
    assert select_page("Account", page=2, rows="all") == (
        "SELECT * FROM Account WHERE Active IN (true, false) ORDERBY Id STARTPOSITION 2001 MAXRESULTS 1000"
    )
