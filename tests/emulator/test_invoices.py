"""Invoices over raw HTTP: shapes, tax, numbers, versions, deposits, void and delete."""

from decimal import Decimal
from typing import Any

import pytest

from tests.emulator.running import Company, Json, Running, exact


def line(amount: str, code: str, *, item: str = "1", **detail: Any) -> Json:
    return {
        "Amount": Decimal(amount),
        "DetailType": "SalesItemLineDetail",
        "Description": "Work",
        "SalesItemLineDetail": {"ItemRef": {"value": item}, "TaxCodeRef": {"value": code}, **detail},
    }


def invoice_body(company: Company, *lines: Json, **fields: Any) -> Json:
    customer = fields.pop("customer", None) or company.query("select * from Customer")["Customer"][0]["Id"]
    model: Json = {} if fields.pop("us", False) else {"GlobalTaxCalculation": "TaxExcluded"}
    return {"CustomerRef": {"value": customer}, "TxnDate": "2026-05-05", **model, "Line": list(lines), **fields}


def shape(value: Any) -> Any:
    """Keys in order and the kind of each value."""
    if isinstance(value, dict):
        return [(key, shape(each)) for key, each in value.items()]
    if isinstance(value, list):
        return [shape(each) for each in value]
    return "number" if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else type(value).__name__


ORDER = [
    "AllowIPNPayment",
    "AllowOnlinePayment",
    "AllowOnlineCreditCardPayment",
    "AllowOnlineACHPayment",
    "domain",
    "sparse",
    "Id",
    "SyncToken",
    "MetaData",
    "CustomField",
    "DocNumber",
    "TxnDate",
    "CurrencyRef",
    "LinkedTxn",
    "Line",
    "TxnTaxDetail",
    "CustomerRef",
    "BillAddr",
    "ShipAddr",
    "SalesTermRef",
    "DueDate",
    "GlobalTaxCalculation",
    "TotalAmt",
    "PrintStatus",
    "EmailStatus",
    "Balance",
]


def answered_line(company: Company, number: int, amount: int, code: str) -> Json:
    """A sales line as an answer shows it."""
    return {
        "Id": str(number),
        "LineNum": number,
        "Description": "Work",
        "Amount": amount,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {
            "ItemRef": {"value": "1", "name": "Services"},
            "UnitPrice": amount,
            "Qty": 1,
            "ItemAccountRef": {"value": company.account("Services"), "name": "Services"},
            "TaxCodeRef": {"value": code},
        },
        "CustomExtensions": [],
    }


def tax_line(rate: str, percent: int, base: int, amount: int) -> Json:
    return {
        "Amount": amount,
        "DetailType": "TaxLineDetail",
        "TaxLineDetail": {
            "TaxRateRef": {"value": rate},
            "PercentBased": True,
            "TaxPercent": percent,
            "NetAmountTaxable": base,
        },
    }


def test_uk_invoice_answers_in_the_recorded_shape_and_order(uk: Company) -> None:
    standard, zero = uk.code("20.0% S"), uk.code("0.0% Z")
    body = invoice_body(
        uk,
        line("100", standard, Qty=1, UnitPrice=100),
        line("50", zero, Qty=1, UnitPrice=50),
        DocNumber="INV-0042",
        SalesTermRef={"value": "3"},
    )
    record = uk.create("Invoice", body)
    assert list(record) == ORDER
    assert (record["DocNumber"], record["SyncToken"], record["sparse"]) == ("INV-0042", "0", False)
    assert record["CurrencyRef"] == {"value": "GBP", "name": "British Pound Sterling"}
    assert record["DueDate"] == "2026-06-04"
    subtotal = {"Amount": 150, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}}
    assert record["Line"] == [answered_line(uk, 1, 100, standard), answered_line(uk, 2, 50, zero), subtotal]
    assert record["TxnTaxDetail"] == {"TotalTax": 20, "TaxLine": [tax_line("8", 20, 100, 20), tax_line("5", 0, 50, 0)]}
    assert (record["TotalAmt"], record["Balance"]) == (170, 170)
    assert uk.read("Invoice", record["Id"]) == record


def test_us_invoice_without_code_is_untaxed_as_recorded(us: Company) -> None:
    body: Json = {
        "Line": [
            {
                "Amount": Decimal("100.0"),
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {"ItemRef": {"value": "1", "name": "Services"}},
            }
        ],
        "CustomerRef": {"value": "1"},
    }
    record = us.create("Invoice", body)
    assert record["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "NON"}
    assert record["TxnTaxDetail"] == {"TotalTax": 0}
    assert record["DocNumber"] == "1017"
    assert shape(record["BillAddr"]) == [
        (key, "str") for key in ("Id", "Line1", "City", "CountrySubDivisionCode", "PostalCode", "Lat", "Long")
    ]
    assert "GlobalTaxCalculation" not in record
    assert record["ApplyTaxAfterDiscount"] is False


@pytest.mark.parametrize(
    ("amounts", "tax"),
    [(["0.01"], "0"), (["0.03"], "0.01"), (["10.02", "10.03"], "4.01"), (["33.33", "33.33", "33.34"], "20")],
)
def test_exclusive_tax_is_rounded_half_up_per_rate_on_the_sum(uk: Company, amounts: list[str], tax: str) -> None:
    standard = uk.code("20.0% S")
    record = uk.create("Invoice", invoice_body(uk, *(line(amount, standard) for amount in amounts)))
    assert record["TxnTaxDetail"]["TotalTax"] == Decimal(tax)
    assert record["TotalAmt"] == sum(map(Decimal, amounts)) + Decimal(tax)


@pytest.mark.parametrize(("grosses", "tax"), [(["20.00"], "3.33"), (["4.00"] * 5, "3.35"), (["120"], "20")])
def test_inclusive_tax_is_rounded_per_line(uk: Company, grosses: list[str], tax: str) -> None:
    standard = uk.code("20.0% S")
    lines = [line("1", standard, TaxInclusiveAmt=Decimal(gross)) for gross in grosses]
    record = uk.create("Invoice", invoice_body(uk, *lines, GlobalTaxCalculation="TaxInclusive"))
    total = sum(map(Decimal, grosses))
    assert (record["TotalAmt"], record["TxnTaxDetail"]["TotalTax"]) == (total, Decimal(tax))
    sales = [each for each in record["Line"] if each["DetailType"] == "SalesItemLineDetail"]
    assert sum(each["Amount"] for each in sales) == total - Decimal(tax)
    assert [each["SalesItemLineDetail"]["TaxInclusiveAmt"] for each in sales] == list(map(Decimal, grosses))


def test_two_rate_code_yields_a_tax_line_for_each(emulator: Running) -> None:
    ca = emulator.company(emulator.reset("ca-gst-pst")[0]["realm_id"])
    record = ca.create("Invoice", invoice_body(ca, line("10.50", ca.code("GST/PST BC"))))
    assert [each["Amount"] for each in record["TxnTaxDetail"]["TaxLine"]] == [Decimal("0.53"), Decimal("0.74")]
    assert record["TotalAmt"] == Decimal("11.77")


def test_us_transaction_code_taxes_the_tax_lines(us: Company) -> None:
    body = invoice_body(
        us, line("100", "TAX"), line("50", "NON"), us=True, customer="1", TxnTaxDetail={"TxnTaxCodeRef": {"value": "3"}}
    )
    record = us.create("Invoice", body)
    detail = record["TxnTaxDetail"]
    assert (detail["TxnTaxCodeRef"], detail["TotalTax"], record["TotalAmt"]) == (
        {"value": "3"},
        Decimal("9.1"),
        Decimal("159.1"),
    )
    assert [each["Amount"] for each in detail["TaxLine"]] == [Decimal("7.1"), 2]


def test_refusals_of_tax_codes(uk: Company, emulator: Running) -> None:
    bare = {"Amount": 10, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": "1"}}}
    assert uk.fault("POST", "invoice", invoice_body(uk, bare)) == {
        "Message": "A business validation error has occurred while processing your request",
        "Detail": "Business Validation Error: Make sure all your transactions have a VAT rate before you save.",
        "code": "6000",
        "element": "",
    }
    assert uk.fault("POST", "invoice", invoice_body(uk, line("10", "99")))["code"] == "2500"
    standard = uk.code("20.0% S")
    forbidden = invoice_body(
        uk, line("10", standard), GlobalTaxCalculation="NotApplicable", TxnTaxDetail={"TotalTax": 2}
    )
    assert uk.fault("POST", "invoice", forbidden)["code"] == "6170"
    us = emulator.company(emulator.reset("us-sample")[0]["realm_id"])
    assert us.fault("POST", "invoice", invoice_body(us, line("10", "2"), us=True))["code"] == "6100"
    assert us.fault("POST", "invoice", invoice_body(us, line("9", "NON", Qty=2, UnitPrice=5), us=True)) == {
        "Message": "Amount calculation incorrect in the request",
        "Detail": "Amount calculation incorrect in the request. Amount is not equal to UnitPrice * Qty. "
        "Supplied value:9",
        "code": "6070",
    }


def test_references_and_required_members(uk: Company) -> None:
    standard = uk.code("20.0% S")
    body = invoice_body(uk, line("10", standard))
    assert uk.fault("POST", "invoice", {**body, "CustomerRef": {"value": "7777"}}) == {
        "Message": "Invalid Reference Id",
        "Detail": "Invalid Reference Id : Names element id 7777 not found",
        "code": "2500",
    }
    assert uk.fault("POST", "invoice", {key: value for key, value in body.items() if key != "Line"}) == {
        "Message": "Required param missing, need to supply the required value for the API",
        "Detail": "Required parameter Line is missing in the request",
        "code": "2020",
        "element": "Line",
    }
    assert uk.fault("POST", "invoice", invoice_body(uk, line("10", standard, item="7777")))["Detail"] == (
        "Invalid Reference Id : Items element id 7777 not found"
    )
    unknown = uk.fault("POST", "invoice", {"BadJson": True})
    assert (unknown["code"], unknown["Message"]) == ("2010", "Request has invalid or unsupported property")
    assert unknown["Detail"].startswith(
        'Property Name:Unrecognized field "BadJson" (class com.intuit.schema.finance.v3.Invoice), '
        "not marked as ignorable"
    )
    assert uk.fault("POST", "invoice", b"{not json")["code"] == "2010"
    assert uk.query("select count(*) from Invoice") == {"totalCount": 0}


def test_inactive_item_and_tax_code_answer_610(uk: Company, emulator: Running) -> None:
    standard = uk.code("20.0% S")
    emulator.control("POST", "act", {"realm_id": uk.realm, "action": "deactivate", "entity": "TaxCode", "id": standard})
    assert uk.fault("POST", "invoice", invoice_body(uk, line("10", standard)))["code"] == "610"
    emulator.control("POST", "act", {"realm_id": uk.realm, "action": "deactivate", "entity": "Item", "id": "1"})
    assert uk.fault("POST", "invoice", invoice_body(uk, line("10", uk.code("0.0% Z"))))["code"] == "610"


def test_lengths_are_refused_with_both_numbers(uk: Company) -> None:
    standard = uk.code("20.0% S")
    fault = uk.fault("POST", "invoice", invoice_body(uk, line("10", standard), DocNumber="9" * 22))
    assert fault == {
        "Message": "String length specified does not match the supported length",
        "Detail": "String length specified does not match the supported length. Min:0 Max:21 supported. "
        "Supplied length:22",
        "code": "2050",
        "element": "DocNumber",
    }


def test_custom_numbers_keep_refuse_and_leave_empty(uk: Company) -> None:
    standard = uk.code("20.0% S")
    body = invoice_body(uk, line("10", standard), DocNumber="A-1")
    uk.create("Invoice", body)
    assert uk.fault("POST", "invoice", body) == {
        "Message": "Duplicate Document Number Error",
        "Detail": "Duplicate Document Number Error : You must specify a different number. "
        "This number has already been used.",
        "code": "6140",
    }
    assert uk.create("Invoice", body, include="allowduplicatedocnum")["DocNumber"] == "A-1"
    assert "DocNumber" not in uk.create("Invoice", invoice_body(uk, line("10", standard)))


def test_automatic_numbers_count_on_and_keep_a_given_one(us: Company) -> None:
    numbers = [
        us.create("Invoice", invoice_body(us, line("10", "NON"), us=True, **extra))["DocNumber"]
        for extra in ({}, {"DocNumber": "2000"}, {"DocNumber": "2000"}, {})
    ]
    assert numbers == ["1017", "2000", "2000", "2001"]


def test_update_needs_the_current_token_and_moves_it(uk: Company) -> None:
    standard = uk.code("20.0% S")
    first = uk.create("Invoice", invoice_body(uk, line("10", standard), DocNumber="B-1", PrivateNote="keep"))
    sparse = uk.create("Invoice", {"Id": first["Id"], "SyncToken": "0", "sparse": True, "Line": [line("20", standard)]})
    assert (sparse["SyncToken"], sparse["TotalAmt"], sparse["PrivateNote"], sparse["DocNumber"]) == (
        "1",
        24,
        "keep",
        "B-1",
    )
    stale = uk.fault("POST", "invoice", {"Id": first["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "x"})
    assert (stale["code"], stale["Message"], stale["element"]) == ("5010", "Stale Object Error", "")
    full = uk.create("Invoice", {"Id": first["Id"], "SyncToken": "1", **invoice_body(uk, line("5", standard))})
    assert (full["SyncToken"], full["TotalAmt"]) == ("2", 6)
    assert "PrivateNote" not in full
    unchanged = uk.create("Invoice", {"Id": first["Id"], "SyncToken": "2", "sparse": True, "TxnDate": "2026-05-05"})
    assert unchanged == full


def test_whole_answer_sent_back_changes_nothing(uk: Company) -> None:
    standard = uk.code("20.0% S")
    lines = (line("10.01", standard, Qty=1, UnitPrice=Decimal("10.01")), line("3", uk.code("5.0% R")))
    first = uk.create("Invoice", invoice_body(uk, *lines, DocNumber="C-1"))
    assert uk.create("Invoice", first) == first


def test_replaced_lines_keep_known_ids_only(uk: Company) -> None:
    standard = uk.code("20.0% S")
    first = uk.create("Invoice", invoice_body(uk, line("10", standard), line("20", standard)))
    lines = [{**line("5", standard), "Id": "2"}, line("6", standard)]
    after = uk.create("Invoice", {"Id": first["Id"], "SyncToken": "0", "sparse": True, "Line": lines})
    assert [each.get("Id") for each in after["Line"]] == ["2", "3", None]


def test_void_keeps_the_lines_at_zero(uk: Company) -> None:
    standard = uk.code("20.0% S")
    first = uk.create("Invoice", invoice_body(uk, line("10", standard, Qty=1, UnitPrice=10), DocNumber="D-1"))
    voided = uk.create("Invoice", {"Id": first["Id"], "SyncToken": "0"}, operation="void")
    assert (voided["TotalAmt"], voided["Balance"], voided["PrivateNote"], voided["SyncToken"], voided["DocNumber"]) == (
        0,
        0,
        "Voided",
        "1",
        "D-1",
    )
    assert voided["TxnTaxDetail"] == {"TotalTax": 0}
    assert [each["Amount"] for each in voided["Line"]] == [0, 0]


def test_delete_answers_a_stub_and_then_610(uk: Company) -> None:
    standard = uk.code("20.0% S")
    first = uk.create("Invoice", invoice_body(uk, line("10", standard), DocNumber="E-1"))
    gone = uk.create("Invoice", {"Id": first["Id"], "SyncToken": "0"}, operation="delete")
    assert gone == {"domain": "QBO", "status": "Deleted", "Id": first["Id"]}
    expected = {
        "Message": "Object Not Found",
        "Detail": "Object Not Found : Something you're trying to use has been made inactive. "
        "Check the fields with accounts, customers, items, vendors or employees.",
        "code": "610",
        "element": "",
    }
    assert uk.fault("GET", f"invoice/{first['Id']}") == expected
    assert uk.fault("POST", "invoice", {"Id": first["Id"], "SyncToken": "0"}, operation="delete") == expected
    again = uk.create("Invoice", invoice_body(uk, line("10", standard), DocNumber="E-1"))
    assert int(again["Id"]) == int(first["Id"]) + 1


def test_deposit_needs_the_preference_and_a_bank_account(uk: Company, emulator: Running) -> None:
    standard, bank = uk.code("20.0% S"), uk.account("Business Current Account")
    body = invoice_body(uk, line("100", standard), Deposit=20, DepositToAccountRef={"value": bank})
    record = uk.create("Invoice", body)
    assert (record["TotalAmt"], record["Deposit"], record["Balance"]) == (120, 20, 100)
    assert record["DepositToAccountRef"] == {"value": bank, "name": "Business Current Account"}
    assert uk.read("Account", bank)["CurrentBalance"] == 20
    income = {"value": uk.account("Services")}
    assert uk.fault("POST", "invoice", {**body, "DepositToAccountRef": income})["code"] == "6000"
    emulator.control(
        "POST",
        "act",
        {"realm_id": uk.realm, "action": "preferences", "fields": {"SalesFormsPrefs": {"AllowDeposit": False}}},
    )
    assert uk.fault("POST", "invoice", body)["code"] == "6000"


def test_closed_period_refuses_create_update_void_and_delete(uk: Company, emulator: Running) -> None:
    standard = uk.code("20.0% S")
    body = invoice_body(uk, line("10", standard))
    record = uk.create("Invoice", body)
    emulator.control("POST", "act", {"realm_id": uk.realm, "action": "close_books", "date": "2026-05-05"})
    closed = {
        "Message": "Account Period Closed, Cannot Update Through Services API",
        "Detail": "The account period has closed and the account books cannot be updated through the QBO Services API. "
        "Please use the QBO website to make these changes.",
        "code": "6210",
    }
    version = {"Id": record["Id"], "SyncToken": "0"}
    assert uk.fault("POST", "invoice", body) == closed
    assert uk.fault("POST", "invoice", {**version, "sparse": True, "TxnDate": "2026-06-01"}) == closed
    assert uk.fault("POST", "invoice", version, operation="void") == closed
    assert uk.fault("POST", "invoice", version, operation="delete") == closed
    assert uk.create("Invoice", {**body, "TxnDate": "2026-05-06"})["TotalAmt"] == 12
    assert uk.call("GET", "preferences").json()["Preferences"]["AccountingInfoPrefs"]["BookCloseDate"] == "2026-05-05"


def test_discount_lowers_total_and_tax(uk: Company) -> None:
    standard = uk.code("20.0% S")
    discount = {"DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10}}
    record = uk.create("Invoice", invoice_body(uk, line("100", standard), discount))
    assert [each["DetailType"] for each in record["Line"]] == [
        "SalesItemLineDetail",
        "SubTotalLineDetail",
        "DiscountLineDetail",
    ]
    assert (record["Line"][2]["Amount"], record["TxnTaxDetail"]["TotalTax"], record["TotalAmt"]) == (10, 18, 108)


def test_requestid_replays_the_first_answer_even_after_deletion(uk: Company) -> None:
    body = invoice_body(uk, line("10", uk.code("20.0% S")))
    first = uk.call("POST", "invoice", body, requestid="once-1")
    again = uk.call("POST", "invoice", {**body, "PrivateNote": "other"}, requestid="once-1")
    assert (again.status_code, again.content) == (200, first.content)
    number = exact(first)["Invoice"]["Id"]
    uk.create("Invoice", {"Id": number, "SyncToken": "0"}, operation="delete")
    ghost = uk.call("POST", "invoice", body, requestid="once-1")
    assert ghost.content == first.content
    assert uk.query("select count(*) from Invoice") == {"totalCount": 0}
    assert uk.fault("POST", "invoice", body, requestid="x" * 51)["code"] == "2130"


def test_faults_are_not_remembered_by_requestid(uk: Company) -> None:
    body = invoice_body(uk, line("10", "99"))
    assert uk.fault("POST", "invoice", body, requestid="once-2")["code"] == "2500"
    fixed = invoice_body(uk, line("10", uk.code("20.0% S")))
    assert uk.create("Invoice", fixed, requestid="once-2")["TotalAmt"] == 12


def test_payment_changes_the_invoice_and_back(uk: Company) -> None:
    invoice = uk.create("Invoice", invoice_body(uk, line("100", uk.code("20.0% S")), DocNumber="P-1"))
    customer = invoice["CustomerRef"]["value"]
    link = [{"Amount": 50, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}]
    payment = uk.create("Payment", {"CustomerRef": {"value": customer}, "TotalAmt": 70, "Line": link})
    assert (payment["UnappliedAmt"], payment["ProcessPayment"]) == (20, False)
    assert payment["DepositToAccountRef"] == {"value": uk.account("Undeposited Funds")}
    assert [each["value"] for each in payment["Line"][0]["LineEx"]["any"]] == [
        {"Name": "txnId", "Value": invoice["Id"]},
        {"Name": "txnOpenBalance", "Value": "120.00"},
        {"Name": "txnReferenceNumber", "Value": "P-1"},
    ]
    paid = uk.read("Invoice", invoice["Id"])
    assert (paid["Balance"], paid["SyncToken"], paid["LinkedTxn"]) == (
        70,
        "1",
        [{"TxnId": payment["Id"], "TxnType": "Payment"}],
    )
    assert uk.read("Customer", customer)["Balance"] == 50
    voided = uk.create(
        "Payment", {"Id": payment["Id"], "SyncToken": "0", "sparse": True}, operation="update", include="void"
    )
    assert (voided["TotalAmt"], voided["UnappliedAmt"], voided["Line"], voided["PrivateNote"]) == (0, 0, [], "Voided")
    reopened = uk.read("Invoice", invoice["Id"])
    assert (reopened["Balance"], reopened["SyncToken"], reopened["LinkedTxn"]) == (120, "2", [])
    assert uk.read("Customer", customer)["Balance"] == 120


def test_payment_amount_goes_with_its_lines(uk: Company) -> None:
    customer = {"value": uk.all("Customer")[0]["Id"]}
    payment = uk.create("Payment", {"CustomerRef": customer, "TotalAmt": 10})
    change = {"Id": payment["Id"], "SyncToken": "0", "sparse": True}
    assert uk.fault("POST", "payment", {**change, "TotalAmt": 12})["code"] == "2020"
    assert uk.create("Payment", {**change, "PrivateNote": "x"})["TotalAmt"] == 10
    assert uk.create("Payment", {**change, "SyncToken": "1", "TotalAmt": 12, "Line": []})["UnappliedAmt"] == 12


def test_customer_of_a_paid_invoice_stays(uk: Company) -> None:
    invoice = uk.create("Invoice", invoice_body(uk, line("10", uk.code("0.0% Z"))))
    link = {"Amount": 4, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
    uk.create("Payment", {"CustomerRef": invoice["CustomerRef"], "TotalAmt": 4, "Line": [link]})
    [other] = [each for each in uk.all("Customer") if each["Id"] != invoice["CustomerRef"]["value"]]
    change = {"Id": invoice["Id"], "SyncToken": "1", "sparse": True, "CustomerRef": {"value": other["Id"]}}
    assert uk.fault("POST", "invoice", change)["code"] == "6000"
    assert uk.read("Invoice", invoice["Id"])["CustomerRef"] == invoice["CustomerRef"]


def test_copies_go_to_longer_addresses(uk: Company) -> None:
    copy = {"Address": "c" * 188 + "@example.com"}
    body = invoice_body(uk, line("10", uk.code("0.0% Z")), BillEmailCc=copy, BillEmailBcc=copy)
    assert uk.create("Invoice", body)["BillEmailCc"] == copy
    longer = {"Address": f"c{copy['Address']}"}
    assert uk.fault("POST", "invoice", {**body, "BillEmailBcc": longer})["code"] == "2050"
    assert uk.fault("POST", "invoice", {**body, "BillEmail": copy})["code"] == "2050"


def test_payment_of_another_customer_is_620(uk: Company) -> None:
    invoice = uk.create("Invoice", invoice_body(uk, line("10", uk.code("20.0% S"))))
    other = uk.create("Customer", {"DisplayName": "Somebody else"})["Id"]
    link = [{"Amount": 5, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}]
    fault = uk.fault("POST", "payment", {"CustomerRef": {"value": other}, "TotalAmt": 5, "Line": link})
    assert (fault["code"], fault["Detail"]) == ("620", "Cannot validate linked transactions")
    assert uk.read("Invoice", invoice["Id"]) == invoice
