"""Automated sales tax, two-rate codes, overrides, and tax codes made through the tax service."""

from decimal import Decimal
from typing import Any

import pytest

from tests.emulator.running import Company, Json, Running, exact


@pytest.fixture
def ast(emulator: Running) -> Company:
    return emulator.company(emulator.reset("us-ast")[0]["realm_id"])


@pytest.fixture
def ca(emulator: Running) -> Company:
    return emulator.company(emulator.reset("ca-gst-pst")[0]["realm_id"])


def line(amount: str, code: str) -> Json:
    return {
        "Amount": Decimal(amount),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": code}},
    }


def _invoice(company: Company, customer: str, *lines: Json, **fields: Any) -> Json:
    number = next(each["Id"] for each in company.all("Customer") if each["DisplayName"] == customer)
    return company.create("Invoice", {"CustomerRef": {"value": number}, "Line": list(lines), **fields})


def _taxed(record: Json) -> list[tuple[str, Decimal]]:
    lines = record["TxnTaxDetail"].get("TaxLine", [])
    return [(each["TaxLineDetail"]["TaxRateRef"]["value"], each["Amount"]) for each in lines]


@pytest.mark.parametrize(
    ("customer", "expected", "total"),
    [
        ("Redwood Clinic", [("11", Decimal("7.25")), ("12", Decimal("1.38"))], "158.63"),
        ("Saguaro Dental", [("14", Decimal("5.6")), ("15", Decimal("2.6"))], "158.2"),
        ("No Address Inc.", [], "150"),
    ],
)
def test_automated_tax_follows_the_address(
    ast: Company, customer: str, expected: list[tuple[str, Decimal]], total: str
) -> None:
    record = _invoice(ast, customer, line("100", "TAX"), line("50", "NON"))
    assert _taxed(record) == expected
    assert record["TotalAmt"] == Decimal(total)
    assert "TxnTaxCodeRef" not in record["TxnTaxDetail"]


def test_address_of_the_document_wins_and_a_foreign_state_has_no_tax(ast: Company) -> None:
    tucson = {"Line1": "1 Elm", "City": "Tucson", "CountrySubDivisionCode": "Arizona", "PostalCode": "85701"}
    assert _invoice(ast, "No Address Inc.", line("10", "TAX"), ShipAddr=tucson)["TotalAmt"] == Decimal("10.82")
    oregon = {"City": "Portland", "CountrySubDivisionCode": "OR", "PostalCode": "97201"}
    assert _invoice(ast, "Redwood Clinic", line("10", "TAX"), ShipAddr=oregon)["TotalAmt"] == 10


def test_total_tax_overrides_and_is_prorated(ast: Company) -> None:
    detail = {"TotalTax": Decimal("10.01")}
    record = _invoice(ast, "Redwood Clinic", line("100", "TAX"), TxnTaxDetail=detail)
    assert _taxed(record) == [("11", Decimal("8.41")), ("12", Decimal("1.6"))]
    assert (record["TxnTaxDetail"]["TotalTax"], record["TotalAmt"]) == (Decimal("10.01"), Decimal("110.01"))
    assert ast.create("Invoice", record) == record
    assert _invoice(ast, "No Address Inc.", line("100", "TAX"), TxnTaxDetail=detail)["TotalAmt"] == 100


def test_automated_companies_say_so_and_know_no_real_code(ast: Company) -> None:
    preferences = exact(ast.call("GET", "preferences"))["Preferences"]
    assert preferences["TaxPrefs"] == {"UsingSalesTax": True, "PartnerTaxEnabled": True}
    body = {"CustomerRef": {"value": ast.all("Customer")[0]["Id"]}, "Line": [line("10", "2")]}
    assert ast.fault("POST", "invoice", body)["code"] == "6100"


def test_codes_no_us_document_can_have(us: Company) -> None:
    def sale(own: str, code: str) -> Json:
        detail = {"TxnTaxCodeRef": {"value": code}}
        return {"CustomerRef": {"value": "1"}, "Line": [line("10", own)], "TxnTaxDetail": detail}

    refused = {
        ("CustomSalesTax", "2"): "6160",
        ("TAX", "CustomSalesTax"): "6160",
        ("2", "2"): "6100",
        ("nonsense", "2"): "6100",
        ("TAX", "TAX"): "2500",
        ("TAX", "99"): "2500",
    }
    assert {pair: us.fault("POST", "invoice", sale(*pair))["code"] for pair in refused} == refused
    rows = us.query("select * from TaxCode maxresults 1")
    assert [each["Id"] for each in rows["TaxCode"]] == ["CustomSalesTax", "NON", "TAX", "2"]
    assert [each["Id"] for each in us.query("select * from TaxCode startposition 2")["TaxCode"]] == ["3"]


def test_automated_tax_drops_any_code_that_came_along(ast: Company) -> None:
    detail = {"TxnTaxCodeRef": {"value": "2"}}
    record = _invoice(ast, "Redwood Clinic", line("100", "TAX"), TxnTaxDetail=detail)
    assert "TxnTaxCodeRef" not in record["TxnTaxDetail"]
    assert record["TotalAmt"] == Decimal("108.63")


def test_overridden_tax_stays_until_something_taxable_changes(ca: Company) -> None:
    record = _invoice(ca, "Lakeshore Dental", line("100", ca.code("HST ON")), GlobalTaxCalculation="TaxExcluded")
    rate = record["TxnTaxDetail"]["TaxLine"][0]["TaxLineDetail"]["TaxRateRef"]
    twelve = {"Amount": 12, "DetailType": "TaxLineDetail", "TaxLineDetail": {"TaxRateRef": rate}}
    change = {"Id": record["Id"], "sparse": True}
    ca.create("Invoice", {**change, "SyncToken": "0", "TxnTaxDetail": {"TaxLine": [twelve]}})
    noted = ca.create("Invoice", {**change, "SyncToken": "1", "PrivateNote": "x"})
    assert (noted["TxnTaxDetail"]["TotalTax"], noted["TotalAmt"]) == (12, 112)
    again = ca.create("Invoice", {**change, "SyncToken": "2", "Line": record["Line"]})
    assert (again["TxnTaxDetail"]["TotalTax"], again["TotalAmt"]) == (13, 113)


def test_rates_may_be_overridden_only_as_a_complete_set(ca: Company, uk: Company) -> None:
    def tax(rate: str, amount: str) -> Json:
        return {
            "Amount": Decimal(amount),
            "DetailType": "TaxLineDetail",
            "TaxLineDetail": {"TaxRateRef": {"value": rate}, "PercentBased": True},
        }

    def body(company: Company, code: str, *taxes: Json) -> Json:
        customer = {"value": company.all("Customer")[0]["Id"]}
        fields = {"GlobalTaxCalculation": "TaxExcluded", "TxnTaxDetail": {"TaxLine": list(taxes)}}
        return {"CustomerRef": customer, "Line": [line("10.50", company.code(code))], **fields}

    ca = ca.running.company(ca.running.reset("ca-gst-pst")[0]["realm_id"])
    record = ca.create("Invoice", body(ca, "GST/PST BC", tax("3", "0.50"), tax("5", "0.80")))
    assert _taxed(record) == [("3", Decimal("0.5")), ("5", Decimal("0.8"))]
    assert record["TotalAmt"] == Decimal("11.8")
    incomplete = ca.fault("POST", "invoice", body(ca, "GST/PST BC", tax("3", "0.50")))
    assert (incomplete["code"], incomplete["Detail"]) == (
        "6000",
        "Business Validation Error: The tax lines must contain every tax rate of the tax codes used.",
    )
    assert ca.fault("POST", "invoice", body(ca, "GST/PST BC", tax("6", "1")))["code"] == "6000"
    uk = uk.running.company(uk.running.reset("uk-vat")[0]["realm_id"])
    assert uk.fault("POST", "invoice", body(uk, "20.0% S", tax("8", "2.09")))["Detail"] == (
        "Business Validation Error: The tax amount of this rate cannot be overridden."
    )
    assert uk.create("Invoice", body(uk, "20.0% S", tax("8", "2.10")))["TotalAmt"] == Decimal("12.6")


def test_three_decimals_of_a_rate_and_irish_rates(ca: Company, emulator: Running) -> None:
    number = ca.all("Customer")[0]["Id"]
    model = {"CustomerRef": {"value": number}, "GlobalTaxCalculation": "TaxExcluded"}
    record = ca.create("Invoice", {**model, "Line": [line("19.99", ca.code("GST/QST QC"))]})
    assert [amount for _, amount in _taxed(record)] == [1, Decimal("1.99")]
    ireland = emulator.company(emulator.reset("ie-vat")[0]["realm_id"])
    model["CustomerRef"] = {"value": ireland.all("Customer")[0]["Id"]}
    record = ireland.create("Invoice", {**model, "Line": [line("10.10", ireland.code("13.5% R"))]})
    assert (record["CurrencyRef"]["value"], record["TotalAmt"]) == ("EUR", Decimal("11.46"))
    bare = {"Amount": 10, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": "1"}}}
    assert "have a VAT rate" in ireland.fault("POST", "invoice", {**model, "Line": [bare]})["Detail"]


def test_tax_service_makes_codes_and_rates_once(uk: Company) -> None:
    rate = {"TaxRateName": "Levy 7", "RateValue": "7.5", "TaxAgencyId": 1, "TaxApplicableOn": "Sales"}
    body: Json = {"TaxCode": "Levy", "TaxRateDetails": [rate, {"TaxRateId": "8"}]}
    response = uk.call("POST", "taxservice/taxcode", body)
    made = exact(response)
    assert response.status_code == 200
    assert made == {
        "TaxCode": "Levy",
        "TaxCodeId": "13",
        "TaxRateDetails": [
            {
                "TaxRateName": "Levy 7",
                "TaxRateId": "22",
                "RateValue": Decimal("7.5"),
                "TaxAgencyId": "1",
                "TaxApplicableOn": "Sales",
            },
            {"TaxRateName": "20.0% S", "TaxRateId": "8", "TaxApplicableOn": "Sales"},
        ],
    }
    customer = {"value": uk.all("Customer")[0]["Id"]}
    fields = {"CustomerRef": customer, "GlobalTaxCalculation": "TaxExcluded"}
    assert uk.create("Invoice", {**fields, "Line": [line("10", "13")]})["TotalAmt"] == Decimal("12.75")
    assert uk.fault("POST", "taxservice/taxcode", {**body, "TaxCode": "Other"}) == {
        "Message": "Duplicate Name Exists Error",
        "Detail": "The name supplied already exists. : Another tax rate is already using this \nname. "
        "Please use a different name.",
        "code": "6240",
        "element": "",
    }
    assert uk.fault("POST", "taxservice/taxcode", body)["code"] == "6240"
    assert uk.query("select count(*) from TaxRate") == {"totalCount": 11}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"TaxRateName": "x" * 11}, "2050"),
        ({"TaxAgencyId": "9"}, "2500"),
        ({"RateValue": "101"}, "6000"),
        ({"RateValue": "much"}, "2090"),
        ({"TaxRateName": ""}, "2020"),
        ({"Colour": "red"}, "2010"),
    ],
)
def test_tax_service_refusals(uk: Company, change: Json, code: str) -> None:
    rate = {"TaxRateName": "Levy", "RateValue": 7, "TaxAgencyId": "1", "TaxApplicableOn": "Sales", **change}
    assert uk.fault("POST", "taxservice/taxcode", {"TaxCode": "Levy", "TaxRateDetails": [rate]})["code"] == code


def test_agency_is_made_once_and_never_changed(uk: Company) -> None:
    made = uk.create("TaxAgency", {"DisplayName": "Isle of Man Customs"})
    assert (made["TaxTrackedOnSales"], made["TaxTrackedOnPurchases"]) == (True, True)
    assert uk.fault("POST", "taxagency", {"DisplayName": "isle of man customs "})["code"] == "6240"
    assert uk.fault("POST", "taxagency", {"DisplayName": "x" * 101})["code"] == "2050"
    change = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "DisplayName": "Other"}
    assert uk.fault("POST", "taxagency", change)["code"] == "500"
    assert uk.read("TaxAgency", made["Id"]) == made
    everything = uk.query("select * from TaxAgency where Active in (true, false)")["TaxAgency"]
    assert [each["Id"] for each in everything] == ["1", made["Id"]]
