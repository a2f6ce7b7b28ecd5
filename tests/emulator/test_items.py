"""Categories, bundles, sub-accounts, and what shipping and gratuity do to a document."""

from decimal import Decimal
from typing import Any

import pytest

from qbo_emulator.books import Books, Txn
from qbo_emulator.clock import Clock
from qbo_emulator.entities.registry import BY_NAME
from qbo_emulator.faults import Fault
from qbo_emulator.perform import perform
from qbo_emulator.scenarios.builder import build
from qbo_emulator.scenarios.global_companies import UK_MAIN
from qbo_emulator.store import Journal
from tests.emulator.running import Company, Json, Running


@pytest.fixture
def ca(emulator: Running) -> Company:
    return emulator.company(emulator.reset("ca-gst-pst")[0]["realm_id"])


def _act(company: Company, **body: Any) -> Json:
    record: Json = company.running.control("POST", "act", {"realm_id": company.realm, **body})["record"]
    return record


def _service(company: Company, name: str, **fields: Any) -> Json:
    account = {"value": company.account("Services")}
    return company.create("Item", {"Name": name, "Type": "Service", "IncomeAccountRef": account, **fields})


def _bundle(company: Company, name: str, *members: tuple[Json, int]) -> Json:
    lines = [{"ItemRef": {"value": item["Id"]}, "Qty": quantity} for item, quantity in members]
    fields = {"Name": name, "Type": "Group", "ItemGroupDetail": {"ItemGroupLine": lines}}
    return _act(company, action="create", entity="Item", fields=fields)


def _sale(company: Company, *lines: Json, **fields: Any) -> Json:
    customer = {"value": company.all("Customer")[0]["Id"]}
    return {"CustomerRef": customer, "GlobalTaxCalculation": "TaxExcluded", "Line": list(lines), **fields}


def _line(amount: Any, **detail: Any) -> Json:
    return {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}


def test_category_has_a_name_only_and_items_stand_below_it(uk: Company) -> None:
    category = uk.create("Item", {"Name": "Apparel", "Type": "Category"})
    assert {name: value for name, value in category.items() if name != "MetaData"} == {
        "Name": "Apparel",
        "Active": True,
        "FullyQualifiedName": "Apparel",
        "Type": "Category",
        "domain": "QBO",
        "sparse": False,
        "Id": category["Id"],
        "SyncToken": "0",
    }
    below = uk.create(
        "Item", {"Name": "Jeans", "Type": "Category", "SubItem": True, "ParentRef": {"value": category["Id"]}}
    )
    item = _service(uk, "Blue", SubItem=True, ParentRef={"value": below["Id"]})
    assert [item[name] for name in ("SubItem", "ParentRef", "Level", "FullyQualifiedName")] == [
        True,
        {"value": below["Id"], "name": "Apparel:Jeans"},
        2,
        "Apparel:Jeans:Blue",
    ]
    renamed = {"Id": category["Id"], "SyncToken": "0", "sparse": True, "Name": "Clothes"}
    uk.create("Item", renamed)
    assert uk.read("Item", item["Id"])["FullyQualifiedName"] == "Clothes:Jeans:Blue"
    found = uk.query("select * from Item where Type = 'Category'")["Item"]
    assert [each["Name"] for each in found] == ["Clothes", "Jeans"]
    [by_name] = uk.query("select * from Item where Name = 'Blue'")["Item"]
    assert by_name["Id"] == item["Id"]
    # The same name may stand in another place, but not twice in one.
    _service(uk, "Blue")
    again = {"Name": "BLUE", "Type": "Service", "SubItem": True, "ParentRef": {"value": below["Id"]}}
    assert uk.fault("POST", "item", {**again, "IncomeAccountRef": item["IncomeAccountRef"]})["code"] == "6240"


def test_hierarchies_of_items_are_refused_where_they_make_no_sense(uk: Company, emulator: Running) -> None:
    item = _service(uk, "Single")
    income = item["IncomeAccountRef"]
    below = {"Name": "Below", "Type": "Service", "IncomeAccountRef": income, "ParentRef": {"value": item["Id"]}}
    assert uk.fault("POST", "item", below)["code"] == "6000"
    assert (
        uk.fault("POST", "item", {"Name": "Lost", "Type": "Service", "IncomeAccountRef": income, "SubItem": True})[
            "code"
        ]
        == "2020"
    )
    parent: Json = {}
    for level in range(4):
        parent = uk.create("Item", {"Name": f"Level {level}", "Type": "Category", **parent})
        parent = {"ParentRef": {"value": parent["Id"]}}
    assert uk.fault("POST", "item", {"Name": "Level 5", "Type": "Category", **parent})["code"] == "6180"
    assert _service(uk, "Fifth", **parent)["Level"] == 4
    sold = _line(5, ItemRef=parent["ParentRef"], TaxCodeRef={"value": uk.code("20.0% S")})
    assert uk.fault("POST", "invoice", _sale(uk, sold))["code"] == "6000"
    changed = {"Id": item["Id"], "SyncToken": "0", "sparse": True, "Type": "Category"}
    assert uk.fault("POST", "item", changed)["code"] == "6000"


def test_bundle_is_read_through_the_api_and_made_by_a_person(uk: Company) -> None:
    first, second = _service(uk, "Pump", UnitPrice=15), _service(uk, "Basin", UnitPrice=Decimal("99.5"))
    body = {"Name": "Fountain", "Type": "Group", "ItemGroupDetail": {"ItemGroupLine": []}}
    assert uk.fault("POST", "item", body)["Detail"] == "Operation CREATE GROUP is not supported."
    made = _bundle(uk, "Fountain", (first, 2), (second, 1))
    read = uk.read("Item", made["Id"])
    assert [read[name] for name in ("Type", "UnitPrice", "PrintGroupedItems", "TrackQtyOnHand")] == [
        "Group",
        0,
        False,
        False,
    ]
    assert read["ItemGroupDetail"]["ItemGroupLine"] == [
        {"ItemRef": {"value": first["Id"], "name": "Pump", "type": "Service"}, "Qty": 2},
        {"ItemRef": {"value": second["Id"], "name": "Basin", "type": "Service"}, "Qty": 1},
    ]
    change = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Active": False}
    assert uk.fault("POST", "item", change)["code"] == "500"


def test_bundle_on_an_invoice_goes_as_it_was_recorded(ca: Company) -> None:
    straw, snow = _service(ca, "Chocolate Covered Strawberries"), _service(ca, "Snow Cookie")
    bundle = _bundle(ca, "Assorted sweets", (straw, 5), (snow, 8))
    code = {"value": ca.code("HST ON")}
    inside = [
        _line(9, ItemRef={"value": straw["Id"]}, UnitPrice="0.53", Qty=15, TaxCodeRef=code, TaxInclusiveAmt=9),
        _line(3, ItemRef={"value": snow["Id"]}, UnitPrice="0.11", Qty=24, TaxCodeRef=code, TaxInclusiveAmt=3),
    ]
    group = {"GroupItemRef": {"value": bundle["Id"]}, "Quantity": 3, "Line": inside}
    percent = {"DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 20}}
    body = _sale(ca, {"DetailType": "GroupLineDetail", "GroupLineDetail": group}, percent)
    record = ca.create("Invoice", {**body, "GlobalTaxCalculation": "TaxInclusive"})
    first, subtotal, discount = record["Line"]
    shown = first["GroupLineDetail"]
    assert (first["Id"], first["LineNum"], first["Amount"], shown["Quantity"]) == ("1", 1, 0, 3)
    assert [(each["Id"], each["LineNum"], each["Amount"]) for each in shown["Line"]] == [
        ("2", 2, Decimal("7.96")),
        ("3", 3, Decimal("2.65")),
    ]
    assert [each["SalesItemLineDetail"]["UnitPrice"] for each in shown["Line"]] == [
        Decimal("0.5306667"),
        Decimal("0.1104167"),
    ]
    assert (subtotal["Amount"], discount["Amount"]) == (Decimal("10.61"), Decimal("2.12"))
    [tax] = record["TxnTaxDetail"]["TaxLine"]
    assert (tax["Amount"], tax["TaxLineDetail"]["NetAmountTaxable"]) == (Decimal("1.11"), Decimal("8.49"))
    assert (record["TotalAmt"], record["Balance"]) == (Decimal("9.60"), Decimal("9.60"))


def test_bundle_without_lines_sells_its_items_and_keeps_their_ids(us: Company) -> None:
    fountain, pump = us.named("Item", "Rock Fountain"), us.named("Item", "Pump")
    bundle = _bundle(us, "Deluxe Fountain", (fountain, 1), (pump, 2))
    group = {"DetailType": "GroupLineDetail", "GroupLineDetail": {"GroupItemRef": {"value": bundle["Id"]}}}
    body = _sale(us, group, _line(10, ItemRef={"value": "1"}))
    record = us.create("Invoice", {name: value for name, value in body.items() if name != "GlobalTaxCalculation"})
    inside = record["Line"][0]["GroupLineDetail"]["Line"]
    assert [(each["Amount"], each["SalesItemLineDetail"]["Qty"]) for each in inside] == [(275, 1), (30, 2)]
    assert record["TotalAmt"] == 315 + record["TxnTaxDetail"]["TotalTax"]
    assert [us.read("Item", each["Id"])["QtyOnHand"] for each in (fountain, pump)] == [1, 23]
    same = us.create("Invoice", record)
    assert (same["SyncToken"], same["Line"]) == ("0", record["Line"])
    gone = us.create("Invoice", {"Id": record["Id"], "SyncToken": "0"}, operation="void")
    [voided, _, _] = gone["Line"]
    assert [each["Amount"] for each in voided["GroupLineDetail"]["Line"]] == [0, 0]
    assert [us.read("Item", each["Id"])["QtyOnHand"] for each in (fountain, pump)] == [2, 25]
    wrong = {"DetailType": "GroupLineDetail", "GroupLineDetail": {"GroupItemRef": {"value": "1"}}}
    refused = {"CustomerRef": {"value": "1"}, "Line": [wrong]}
    assert us.fault("POST", "invoice", refused)["code"] == "6000"


def test_shipping_stands_outside_subtotal_and_discount(us: Company) -> None:
    shipping = _line(20, ItemRef={"value": "SHIPPING_ITEM_ID"}, TaxCodeRef={"value": "TAX"})
    tip = _line(5, ItemRef={"value": "GRATUITY_ITEM_ID"})
    percent = {"DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10}}
    body: Json = {
        "CustomerRef": {"value": "1"},
        "ApplyTaxAfterDiscount": True,
        "Line": [shipping, tip, _line(100, ItemRef={"value": "1"}, TaxCodeRef={"value": "TAX"}), percent],
    }
    assert us.fault("POST", "invoice", body)["code"] == "5030"
    us.create("Preferences", {**_version(us.all("Preferences")[0]), "SalesFormsPrefs": {"AllowShipping": True}})
    record = us.create("Invoice", body)
    assert [(each["DetailType"][:8], each["Amount"]) for each in record["Line"]] == [
        ("SalesIte", 100),
        ("SubTotal", 100),
        ("SalesIte", 20),
        ("SalesIte", 5),
        ("Discount", 10),
    ]
    # 8 % of 90 and of the 20 that the discount leaves alone.
    assert (record["TxnTaxDetail"]["TotalTax"], record["TotalAmt"]) == (Decimal("8.80"), Decimal("123.80"))
    assert us.named("Account", "Shipping Income")["CurrentBalance"] == 20
    assert us.named("Account", "Undistributed Tips")["CurrentBalance"] == 5


def test_sub_accounts_have_their_parents_type_and_add_to_it(uk: Company) -> None:
    parent = uk.named("Account", "Services")
    body = {"Name": "Training", "AccountType": "Income", "SubAccount": True, "ParentRef": {"value": parent["Id"]}}
    account = uk.create("Account", body)
    assert (account["FullyQualifiedName"], account["SubAccount"]) == ("Services:Training", True)
    item = _service(uk, "Course", IncomeAccountRef={"value": account["Id"]})
    sold = _line(40, ItemRef={"value": item["Id"]}, TaxCodeRef={"value": uk.code("0.0% Z")})
    uk.create("Invoice", _sale(uk, sold))
    above = uk.read("Account", parent["Id"])
    assert (above["CurrentBalance"], above["CurrentBalanceWithSubAccounts"]) == (0, 40)
    wrong = {**body, "Name": "Elsewhere", "AccountType": "Expense"}
    assert uk.fault("POST", "account", wrong)["code"] == "6000"
    assert uk.fault("POST", "account", {**body, "Name": "Lost", "ParentRef": None})["code"] == "2020"
    assert uk.fault("POST", "account", body)["code"] == "6240"


def test_account_numbers_are_as_long_as_the_country_allows(uk: Company, emulator: Running) -> None:
    body = {"Name": "Numbered", "AccountType": "Income", "AcctNum": "12345678"}
    assert uk.fault("POST", "account", body)["code"] == "2050"
    uk.create("Account", {**body, "AcctNum": "1234567"})
    au = emulator.company(emulator.reset("au-gst")[0]["realm_id"])
    assert au.create("Account", {**body, "AcctNum": "1" * 20})["AcctNum"] == "1" * 20
    assert au.fault("POST", "account", {**body, "Name": "More", "AcctNum": "1" * 21})["code"] == "2050"


def test_company_without_categories_refuses_them_and_nests_items() -> None:
    books = Books("1", Journal(None), Clock())
    build(books, UK_MAIN)
    txn = Txn(books)
    txn.touch("CompanyInfo", {**books.info, "NameValue": []})
    txn.commit()
    with pytest.raises(Fault) as refused:
        perform(Txn(books), BY_NAME["Item"], {"Name": "Apparel", "Type": "Category"})
    assert refused.value.reasons[0].detail == "Operation CREATE CATEGORY is not supported."
    account, parent = {"value": "1"}, {"value": "1"}
    below = {"Name": "Below", "Type": "Service", "IncomeAccountRef": account, "ParentRef": parent}
    assert perform(Txn(books), BY_NAME["Item"], below)["FullyQualifiedName"] == "Services:Below"


def _version(record: Json) -> Json:
    return {"Id": record["Id"], "SyncToken": record["SyncToken"]}
