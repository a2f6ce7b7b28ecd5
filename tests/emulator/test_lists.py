"""Names, accounts, items and the query language."""

from decimal import Decimal

import pytest

from tests.emulator.running import Company, Json, Running, exact

DUPLICATE = {
    "Message": "Duplicate Name Exists Error",
    "Detail": "The name supplied already exists. : Another customer, vendor or employee is already using this \nname. "
    "Please use a different name.",
    "code": "6240",
    "element": "",
}


def test_customer_answers_as_recorded(us: Company) -> None:
    record = us.create("Customer", {"DisplayName": "Doe5, Jane"})
    times = record.pop("MetaData")
    assert record.pop("Id").isdigit()
    assert record == {
        "Taxable": True,
        "Job": False,
        "BillWithParent": False,
        "Balance": 0,
        "BalanceWithJobs": 0,
        "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
        "PreferredDeliveryMethod": "Print",
        "IsProject": False,
        "domain": "QBO",
        "sparse": False,
        "SyncToken": "0",
        "FullyQualifiedName": "Doe5, Jane",
        "DisplayName": "Doe5, Jane",
        "PrintOnCheckName": "Doe5, Jane",
        "Active": True,
        "DefaultTaxCodeRef": {"value": "2"},
    }
    assert set(times) == {"CreateTime", "LastUpdatedTime"}
    assert times["CreateTime"][19:] in {"-07:00", "-08:00"}


def test_customer_full_update_follows_the_new_name(us: Company) -> None:
    first = us.create("Customer", {"DisplayName": "Doe2, Jane"})
    after = us.create(
        "Customer",
        {
            "DisplayName": "Jack Moe",
            "PrimaryPhone": {"FreeFormNumber": "(415) 444-1234"},
            "Id": first["Id"],
            "SyncToken": "0",
        },
    )
    assert [after[key] for key in ("DisplayName", "FullyQualifiedName", "PrintOnCheckName", "SyncToken")] == [
        "Jack Moe",
        "Jack Moe",
        "Jack Moe",
        "1",
    ]


@pytest.mark.parametrize(
    ("entity", "body"),
    [
        ("Customer", {"DisplayName": "Marlowe Interiors"}),
        ("Customer", {"DisplayName": " marlowe INTERIORS "}),
        ("Vendor", {"DisplayName": "Marlowe Interiors"}),
        ("Employee", {"GivenName": "Marlowe", "FamilyName": "Interiors"}),
        ("Customer", {"DisplayName": "Severn Office Supplies"}),
        ("Customer", {"DisplayName": "Ines Calder"}),
    ],
)
def test_names_are_unique_over_three_entities(uk: Company, entity: str, body: Json) -> None:
    assert uk.fault("POST", entity.lower(), body) == DUPLICATE


def test_inactive_name_is_marked_and_free_again(uk: Company) -> None:
    first = uk.create("Customer", {"DisplayName": "Once There"})
    version = {"Id": first["Id"], "SyncToken": "0", "sparse": True}
    hidden = uk.create("Customer", {**version, "Active": False})
    assert (hidden["Active"], hidden["DisplayName"]) == (False, "Once There (deleted)")
    assert uk.query("select * from Customer where DisplayName = 'Once There (deleted)'") == {}
    again = uk.query("select * from Customer where DisplayName = 'Once There (deleted)' and Active in (true, false)")
    assert [each["Id"] for each in again["Customer"]] == [first["Id"]]
    assert uk.create("Customer", {"DisplayName": "Once There"})["Id"] != first["Id"]
    back = {"Id": first["Id"], "SyncToken": "1", "sparse": True, "Active": True}
    assert uk.fault("POST", "customer", back) == DUPLICATE


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "2020"),
        ({"DisplayName": "a:b"}, "6000"),
        ({"DisplayName": "x" * 501}, "2050"),
        ({"DisplayName": "m", "PrimaryEmailAddr": {"Address": "nobody"}}, "2210"),
        ({"DisplayName": "m", "Nickname": "n"}, "2010"),
        ({"DisplayName": "m", "Job": True}, "2020"),
        ({"DisplayName": "m", "BillAddr": {"Line1": "x" * 501}}, "2050"),
        ({"DisplayName": "m", "CurrencyRef": {"value": "EUR"}}, "6000"),
        ({"DisplayName": "m", "SalesTermRef": {"value": "99"}}, "2500"),
        ({"DisplayName": ["m"]}, "2010"),
        ({"DisplayName": "m", "Active": "maybe"}, "2010"),
    ],
)
def test_refused_customers_leave_nothing_behind(uk: Company, body: Json, code: str) -> None:
    before = uk.query("select count(*) from Customer where Active in (true, false)")
    assert uk.fault("POST", "customer", body)["code"] == code
    assert uk.query("select count(*) from Customer where Active in (true, false)") == before


def test_preferences_know_their_members(uk: Company) -> None:
    [before] = uk.all("Preferences")
    version = {"Id": "1", "SyncToken": before["SyncToken"]}
    for section in ({"Unheard": True}, {"AllowShipping": "perhaps"}, "text", [1]):
        assert uk.fault("POST", "preferences", {**version, "SalesFormsPrefs": section})["code"] == "2010"
    assert uk.all("Preferences") == [before]
    closing = {"AccountingInfoPrefs": {"BookCloseDate": "2026-01-01"}, "TaxPrefs": {"UsingSalesTax": False}}
    change = {"SalesFormsPrefs": {"AllowShipping": "true", "DefaultDiscountAccount": uk.account("Travel")}}
    after = uk.create("Preferences", {**version, **closing, **change})
    kept = ("AccountingInfoPrefs", "TaxPrefs", "CurrencyPrefs")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert after["SalesFormsPrefs"] == {**before["SalesFormsPrefs"], **change["SalesFormsPrefs"], "AllowShipping": True}


def test_name_that_only_looks_deleted_is_a_name_like_any_other(uk: Company) -> None:
    first = uk.create("Customer", {"DisplayName": "Zed"})
    uk.create("Customer", {"Id": first["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    assert uk.fault("POST", "customer", {"DisplayName": "Zed (deleted)"})["code"] == "6240"
    second = uk.create("Customer", {"DisplayName": "Zed"})
    back = {"Id": first["Id"], "SyncToken": "1", "sparse": True, "Active": True}
    assert uk.fault("POST", "customer", back)["code"] == "6240"
    uk.create("Customer", {"Id": second["Id"], "SyncToken": "0", "sparse": True, "DisplayName": "Zed the second"})
    assert uk.create("Customer", back)["DisplayName"] == "Zed"
    literal = uk.create("Customer", {"DisplayName": "Omega (deleted)"})
    assert (literal["DisplayName"], literal["Active"]) == ("Omega (deleted)", True)


def test_account_with_a_balance_stays_active(us: Company) -> None:
    funds, income = us.named("Account", "Undeposited Funds"), us.named("Account", "Design income")
    hide = {"sparse": True, "Active": False}
    assert us.fault("POST", "account", {"Id": funds["Id"], "SyncToken": "0", **hide})["code"] == "6220"
    assert us.create("Account", {"Id": income["Id"], "SyncToken": "0", **hide})["Name"] == "Design income (deleted)"


def test_exemption_reasons_are_fifteen(us: Company) -> None:
    assert us.create("Customer", {"DisplayName": "Free", "TaxExemptionReasonId": 15})["TaxExemptionReasonId"] == "15"
    assert us.fault("POST", "customer", {"DisplayName": "Freer", "TaxExemptionReasonId": "16"})["code"] == "2010"


def test_new_item_needs_a_type(uk: Company) -> None:
    body = {"Name": "Untyped", "IncomeAccountRef": {"value": uk.account("Services")}}
    assert uk.fault("POST", "item", body)["element"] == "Type"


def test_customer_with_a_balance_stays_active(uk: Company) -> None:
    customer = uk.query("select * from Customer")["Customer"][0]
    line = {
        "Amount": 5,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": uk.code("0.0% Z")}},
    }
    uk.create(
        "Invoice", {"CustomerRef": {"value": customer["Id"]}, "GlobalTaxCalculation": "TaxExcluded", "Line": [line]}
    )
    refused = uk.fault("POST", "customer", {"Id": customer["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    assert refused["code"] == "6220"


def test_account_needs_a_type_and_derives_the_classification(uk: Company) -> None:
    assert uk.fault("POST", "account", {"Name": "Till"})["code"] == "6010"
    assert uk.fault("POST", "account", {"Name": 'a"b', "AccountType": "Bank"})["code"] == "6000"
    record = uk.create("Account", {"Name": "Till", "AccountType": "Bank"})
    assert (record["Classification"], record["AccountSubType"], record["CurrentBalance"]) == ("Asset", "CashOnHand", 0)
    assert uk.create("Account", {"Name": "Shop", "AccountSubType": "Checking"})["AccountType"] == "Bank"
    assert uk.fault("POST", "account", {"Name": "till", "AccountType": "Bank"})["code"] == "6240"


def test_unchanged_update_keeps_version_and_time(uk: Company) -> None:
    account = uk.read("Account", uk.account("Petty Cash"))
    version = {"Id": account["Id"], "SyncToken": "0", "sparse": True}
    hidden = uk.create("Account", {**version, "Active": False, "Name": "Petty Cash (deleted)"})
    assert (hidden["SyncToken"], hidden["Name"]) == ("1", "Petty Cash (deleted)")
    same = {**version, "SyncToken": "1", "Active": False, "Name": "Petty Cash (deleted)"}
    assert uk.create("Account", same) == hidden


def test_item_rules(uk: Company) -> None:
    income = {"value": uk.account("Services")}
    assert uk.fault("POST", "item", {"Name": "New", "Type": "Service"})["code"] == "2020"
    assert uk.fault("POST", "item", {"Name": "New", "Type": "Inventory", "IncomeAccountRef": income})["code"] == "2020"
    record = uk.create(
        "Item",
        {
            "Name": "New",
            "Type": "Service",
            "IncomeAccountRef": income,
            "UnitPrice": Decimal("12.50"),
            "SalesTaxCodeRef": {"value": uk.code("20.0% S")},
        },
    )
    assert record["IncomeAccountRef"] == {"value": income["value"], "name": "Services"}
    assert record["UnitPrice"] == Decimal("12.5")
    assert uk.fault("POST", "item", {"Name": "new", "Type": "Service", "IncomeAccountRef": income})["code"] == "6240"


def test_tax_objects_are_read_only_and_shaped(uk: Company, emulator: Running) -> None:
    standard = uk.read("TaxCode", uk.code("20.0% S"))
    assert standard["SalesTaxRateList"] == {
        "TaxRateDetail": [
            {"TaxRateRef": {"value": "8", "name": "20.0% S"}, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}
        ]
    }
    rate = uk.read("TaxRate", "8")
    assert (rate["RateValue"], rate["SpecialTaxType"], rate["AgencyRef"]) == (20, "NONE", {"value": "1"})
    assert uk.fault("POST", "taxcode", {"Name": "x"})["code"] == "500"
    us = emulator.company(emulator.reset("us-sample")[0]["realm_id"])
    codes = {each["Id"]: each for each in us.query("select * from TaxCode")["TaxCode"]}
    assert set(codes) == {"TAX", "NON", "CustomSalesTax", "2", "3"}
    assert not {"domain", "SyncToken", "Active"} & set(codes["TAX"])


def test_company_and_preferences(uk: Company) -> None:
    info = exact(uk.call("GET", f"companyinfo/{uk.realm}"))["CompanyInfo"]
    assert (info["CompanyName"], info["Country"], info["Id"]) == ("Harbour & Vale Ltd", "GB", "1")
    preferences = exact(uk.call("GET", "preferences"))["Preferences"]
    assert preferences["SalesFormsPrefs"]["AllowDeposit"] is True
    assert preferences["CurrencyPrefs"] == {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": "GBP"}}
    assert uk.query("select * from Preferences")["Preferences"] == [preferences]
    assert uk.query("select * from CompanyInfo")["CompanyInfo"] == [info]


def _names(company: Company, clauses: str) -> list[str]:
    return [each["DisplayName"] for each in company.query(f"select * from Customer {clauses}").get("Customer", [])]  # noqa: S608 - a query to the emulator, of the test's own words


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        ("maxresults 3", ["Amy's Bird Sanctuary", "Bill's Windsurf Shop", "Cool Cars"]),
        ("where DisplayName = 'amy\\'s bird sanctuary'", ["Amy's Bird Sanctuary"]),
        (
            "WHERE displayname LIKE '%c%' and Id in ('1', '2', '3', '5') ORDERBY Id DESC",
            ["Dukes Basketball Camp", "Cool Cars", "Amy's Bird Sanctuary"],
        ),
        ("where Id IN ('5', '3') order by Id", ["Cool Cars", "Dukes Basketball Camp"]),
        ("where Id = '5' and Active = true", ["Dukes Basketball Camp"]),
        ("MAXRESULTS 2 STARTPOSITION 2", ["Bill's Windsurf Shop", "Cool Cars"]),
        ("STARTPOSITION 18 MAXRESULTS 1000", ["Rago Travel Agency"]),
        ("STARTPOSITION 0 MAXRESULTS 1", ["Amy's Bird Sanctuary"]),
        ("where Balance > '0' and GivenName = 'Grace'", ["Cool Cars"]),
        ("where ParentRef = '7'", ["0969 Ocean View Road", "55 Twin Lane"]),
        ("where GivenName >= 'G' and GivenName < 'Q'", ["Cool Cars", "Dukes Basketball Camp"]),
        ("where MetaData.LastUpdatedTime > '2001-01-01T00:00:00-07:00' maxresults 1", ["Amy's Bird Sanctuary"]),
        ("where MetaData.LastUpdatedTime < '2001-01-01T00:00:00.000Z'", []),
        ("where CompanyName != 'Cool Cars' and Id = '3'", []),
    ],
)
def test_query_clauses(us: Company, clauses: str, expected: list[str]) -> None:
    assert sorted(_names(us, clauses)) == sorted(expected)
    if "order" not in clauses.lower():
        assert _names(us, clauses) == expected


def test_query_envelopes(us: Company) -> None:
    page = us.query("select * from Customer maxresults 2")
    assert (page["startPosition"], page["maxResults"], "totalCount" in page) == (1, 2, False)
    assert us.query("select * from TaxCode")["totalCount"] == 5
    assert us.query("select * from Invoice where DocNumber = 'none'") == {}
    assert us.query("select count(*) from customer") == {"totalCount": 18}
    assert us.query("select Id, DisplayName from Customer where Id = '1'")["Customer"] == [us.read("Customer", "1")]


def test_query_by_post_and_inactive_filter(us: Company) -> None:
    response = us.call("POST", "query", b"select * from Item where Name = 'Pest Control'")
    assert [each["Id"] for each in exact(response)["QueryResponse"]["Item"]] == ["10"]
    us.create("Item", {"Id": "10", "SyncToken": "0", "sparse": True, "Active": False})
    assert "10" not in {each["Id"] for each in us.query("select * from Item")["Item"]}
    assert us.read("Item", "10")["Name"] == "Pest Control (deleted)"


def test_invoices_come_last_updated_first(uk: Company, emulator: Running) -> None:
    line = {
        "Amount": 5,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": uk.code("0.0% Z")}},
    }
    body = {"CustomerRef": {"value": "1"}, "GlobalTaxCalculation": "TaxExcluded", "Line": [line]}
    body["CustomerRef"] = {"value": uk.query("select * from Customer")["Customer"][0]["Id"]}
    first, second = (uk.create("Invoice", {**body, "DocNumber": number}) for number in ("Q-1", "Q-2"))
    emulator.control("POST", "clock", {"jump_seconds": 5})
    uk = Company(emulator, emulator.connect(uk.realm))
    uk.create("Invoice", {"Id": first["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "later"})
    found = uk.query("select * from Invoice")
    assert [each["Id"] for each in found["Invoice"]] == [first["Id"], second["Id"]]
    assert found["totalCount"] == 2
    by_number = uk.query("select * from Invoice where DocNumber = 'q-2'")["Invoice"]
    assert [each["Id"] for each in by_number] == [second["Id"]]


@pytest.mark.parametrize(
    ("statement", "code", "detail"),
    [
        ("SELECT * FROM Custmoer", "4001", "QueryValidationError: invalid context declaration: Custmoer"),
        (
            "select * from Invoice where DepartmentRef = '1'",
            "4001",
            "QueryValidationError: property 'DepartmentRef' is not queryable",
        ),
        (
            "select * from Customer maxresults 0",
            "4001",
            "QueryValidationError: value 0 is too small. Min allowed value is 1",
        ),
        (
            "select * from Customer where Id > '1'",
            "4001",
            "QueryValidationError: property 'Id' is not queryable with this operator",
        ),
        (
            "select * from Customer where Active = true or Id = '1'",
            "4000",
            'QueryParserError: Encountered " "OR"" where the end of the query was expected.',
        ),
        ("select * from Bill", "500", "Operation query on Bill (not covered by the emulator) is not supported."),
        ("", "4000", 'QueryParserError: Encountered "<EOF>" where more was expected.'),
    ],
)
def test_query_faults(us: Company, statement: str, code: str, detail: str) -> None:
    fault = us.fault("GET", "query", query=statement)
    assert (fault["code"], fault["Detail"]) == (code, detail)
    assert "element" not in fault
