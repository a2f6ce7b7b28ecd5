"""Credit memos, receipts, estimates, deposits, currencies, tracking, merges, sending and PDFs over raw HTTP."""

from decimal import Decimal
from typing import Any

import pytest

from tests.emulator.running import Company, Json, Running, exact


@pytest.fixture
def many(emulator: Running) -> Company:
    """A UK company with multicurrency."""
    return emulator.company(emulator.reset("multicurrency")[0]["realm_id"])


def _line(company: Company, amount: str, **detail: Any) -> Json:
    code = {"value": company.code("0.0% Z")}
    full = {"ItemRef": {"value": "1"}, "TaxCodeRef": code, **detail}
    return {"Amount": Decimal(amount), "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": full}


def _customer(company: Company, name: str = "Marlowe Interiors") -> Json:
    [found] = [each for each in company.all("Customer") if each["DisplayName"] == name]
    return {"value": found["Id"]}


def _body(company: Company, amount: str = "100", **fields: Any) -> Json:
    base = {"CustomerRef": _customer(company), "GlobalTaxCalculation": "TaxExcluded", "TxnDate": "2026-05-05"}
    return {**base, "Line": [_line(company, amount)], **fields}


def _link(kind: str, record: Json, amount: Any) -> Json:
    return {"Amount": amount, "LinkedTxn": [{"TxnId": record["Id"], "TxnType": kind}]}


def _balance(company: Company, name: str) -> Any:
    return company.read("Account", company.account(name))["CurrentBalance"]


def test_credit_memo_pays_an_invoice_through_a_payment_of_zero(uk: Company) -> None:
    invoice, memo = uk.create("Invoice", _body(uk)), uk.create("CreditMemo", _body(uk, "30"))
    assert (memo["TotalAmt"], memo["Balance"], memo["RemainingCredit"]) == (30, 30, 30)
    assert uk.read("Customer", invoice["CustomerRef"]["value"])["Balance"] == 70
    lines = [_link("Invoice", invoice, 30), _link("CreditMemo", memo, 30)]
    payment = uk.create("Payment", {"CustomerRef": invoice["CustomerRef"], "TotalAmt": 0, "Line": lines})
    assert (payment["TotalAmt"], payment["UnappliedAmt"]) == (0, 0)
    after, used = uk.read("Invoice", invoice["Id"]), uk.read("CreditMemo", memo["Id"])
    assert (after["Balance"], after["SyncToken"], used["Balance"], used["SyncToken"]) == (70, "1", 0, "1")
    assert uk.read("Customer", invoice["CustomerRef"]["value"])["Balance"] == 70
    assert _balance(uk, "Accounts Receivable (A/R)") == 70
    refused = uk.fault("POST", "creditmemo", {"Id": memo["Id"], "SyncToken": "1"}, operation="delete")
    assert refused["code"] == "6000"
    uk.create("Payment", {"Id": payment["Id"], "SyncToken": "0"}, operation="delete")
    assert uk.read("CreditMemo", memo["Id"])["Balance"] == 30
    assert uk.fault("POST", "creditmemo", {"Id": memo["Id"], "SyncToken": "2"}, operation="void")["code"] == "500"


def test_auto_applied_credit(uk: Company, emulator: Running) -> None:
    fields = {"SalesFormsPrefs": {"AutoApplyCredit": True}}
    emulator.control("POST", "act", {"realm_id": uk.realm, "action": "preferences", "fields": fields})
    uk.create("CreditMemo", _body(uk, "30"))
    invoice = uk.create("Invoice", _body(uk))
    assert (invoice["Balance"], [each["TxnType"] for each in invoice["LinkedTxn"]]) == (70, ["Payment"])
    assert uk.create("Invoice", _body(uk))["Balance"] == 100


def test_sales_receipt_and_refund_move_money(uk: Company) -> None:
    body = {key: value for key, value in _body(uk).items() if key != "CustomerRef"}
    receipt = uk.create("SalesReceipt", body)
    assert receipt["DepositToAccountRef"]["name"] == "Undeposited Funds"
    assert (receipt["Balance"], _balance(uk, "Undeposited Funds"), _balance(uk, "Services")) == (0, 100, 100)
    assert uk.fault("POST", "refundreceipt", body)["element"] == "DepositToAccountRef"
    bank = {"value": uk.account("Business Current Account")}
    uk.create("RefundReceipt", {**body, "DepositToAccountRef": bank, "Line": [_line(uk, "40")]})
    assert (_balance(uk, "Business Current Account"), _balance(uk, "Services")) == (-40, 60)
    version = {"Id": receipt["Id"], "SyncToken": "0", "sparse": True}
    voided = uk.create("SalesReceipt", version, operation="update", include="void")
    assert (voided["TotalAmt"], voided["PrivateNote"], _balance(uk, "Undeposited Funds")) == (0, "Voided", 0)


def test_deposited_payment_is_locked(uk: Company) -> None:
    payment = uk.create("Payment", {"CustomerRef": _customer(uk), "TotalAmt": 50})
    bank = {"value": uk.account("Business Current Account")}
    deposit = uk.create("Deposit", {"DepositToAccountRef": bank, "Line": [_link("Payment", payment, 50)]})
    assert (deposit["TotalAmt"], _balance(uk, "Business Current Account"), _balance(uk, "Undeposited Funds")) == (
        50,
        50,
        0,
    )
    version = {"Id": payment["Id"], "SyncToken": "0"}
    for options in ({"operation": "delete"}, {"operation": "update", "include": "void"}):
        assert uk.fault("POST", "payment", version, **options)["code"] == "6540"
    assert uk.fault("POST", "payment", {**version, "sparse": True, "PrivateNote": "x"})["code"] == "6540"
    again = {"DepositToAccountRef": bank, "Line": [_link("Payment", payment, 50)]}
    assert uk.fault("POST", "deposit", again)["code"] == "620"
    uk.create("Deposit", {"Id": deposit["Id"], "SyncToken": "0"}, operation="delete")
    assert uk.create("Payment", version, operation="delete")["status"] == "Deleted"


def test_deposit_lines_may_name_the_line_of_a_payment(uk: Company) -> None:
    payment = uk.create("Payment", {"CustomerRef": _customer(uk), "TotalAmt": 30})
    link = {"TxnId": payment["Id"], "TxnType": "Payment", "TxnLineId": "0"}
    bank = {"value": uk.account("Business Current Account")}
    deposit = uk.create("Deposit", {"DepositToAccountRef": bank, "Line": [{"Amount": 30, "LinkedTxn": [link]}]})
    assert deposit["Line"][0]["LinkedTxn"] == [link]
    assert uk.fault("POST", "payment", {"Id": payment["Id"], "SyncToken": "0"}, include="void")["code"] == "6540"


def test_payment_is_sent_and_printed(uk: Company) -> None:
    invoice = uk.create("Invoice", _body(uk, DocNumber="R-7"))
    line = _link("Invoice", invoice, 40)
    payment = uk.create("Payment", {"CustomerRef": invoice["CustomerRef"], "TotalAmt": 50, "Line": [line]})
    path = f"payment/{payment['Id']}"
    document = uk.call("GET", f"{path}/pdf").content
    assert all(text in document for text in (b"%PDF-", b"Payment receipt", b"Invoice R-7", b"40.00", b"Unapplied"))
    assert exact(uk.call("POST", f"{path}/send"))["Payment"]["SyncToken"] == "1"
    assert exact(uk.call("POST", f"{path}/send", sendTo="b@example.com"))["Payment"]["SyncToken"] == "2"
    assert uk.fault("POST", f"{path}/send", sendTo="nobody")["code"] == "2210"
    silent = uk.create("Payment", {"CustomerRef": _customer(uk, "Tamar Valley Growers"), "TotalAmt": 1})
    assert uk.fault("POST", f"payment/{silent['Id']}/send")["code"] == "2020"


def test_estimate_posts_nothing_and_closes_with_its_invoice(uk: Company) -> None:
    estimate = uk.create("Estimate", _body(uk))
    assert (estimate["TxnStatus"], _balance(uk, "Services")) == ("Pending", 0)
    link = [{"TxnId": estimate["Id"], "TxnType": "Estimate"}]
    invoice = uk.create("Invoice", _body(uk, LinkedTxn=link))
    assert invoice["LinkedTxn"] == link
    after = uk.read("Estimate", estimate["Id"])
    assert (after["TxnStatus"], after["SyncToken"]) == ("Closed", "1")
    assert after["LinkedTxn"] == [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]
    assert uk.fault("POST", "invoice", _body(uk, LinkedTxn=[{"TxnId": "99", "TxnType": "Estimate"}]))["code"] == "620"
    uk.create("Invoice", {"Id": invoice["Id"], "SyncToken": "0"}, operation="delete")
    assert uk.read("Estimate", estimate["Id"])["TxnStatus"] == "Pending"


def test_foreign_invoice_and_payment(many: Company) -> None:
    lumen = _customer(many, "Brasserie Lumen")
    assert many.fault("POST", "invoice", _body(many, CustomerRef=lumen))["element"] == "CurrencyRef"
    assert many.fault("POST", "invoice", _body(many, CustomerRef=lumen, CurrencyRef={"value": "GBP"}))["code"] == "6000"
    euro: dict[str, Any] = {"CustomerRef": lumen, "CurrencyRef": {"value": "EUR"}}
    invoice = many.create("Invoice", _body(many, **euro))
    assert (invoice["ExchangeRate"], invoice["TotalAmt"], invoice["HomeTotalAmt"], invoice["HomeBalance"]) == (
        Decimal("0.86"),
        100,
        86,
        86,
    )
    assert (_balance(many, "Accounts Receivable (A/R) - EUR"), _balance(many, "Services")) == (100, 86)
    pounds = {"CustomerRef": _customer(many), "CurrencyRef": {"value": "GBP"}, "TotalAmt": 100}
    assert many.fault("POST", "payment", {**pounds, "Line": [_link("Invoice", invoice, 100)]})["code"] == "620"
    bank = {"value": many.account("Euro Account")}
    paid = {**euro, "TotalAmt": 60, "ExchangeRate": Decimal("0.9"), "DepositToAccountRef": bank}
    many.create("Payment", {**paid, "Line": [_link("Invoice", invoice, 60)]})
    after = many.read("Invoice", invoice["Id"])
    assert (after["Balance"], after["HomeBalance"]) == (40, Decimal("34.4"))
    assert (_balance(many, "Euro Account"), _balance(many, "Accounts Receivable (A/R) - EUR")) == (60, 40)


def test_currency_of_a_customer_is_fixed_and_opens_its_account(many: Company) -> None:
    made = many.create("Customer", {"DisplayName": "Fjord AS", "CurrencyRef": {"value": "NOK"}})
    assert many.named("Account", "Accounts Receivable (A/R) - NOK")["CurrencyRef"]["value"] == "NOK"
    codes = {each["Code"] for each in many.all("CompanyCurrency")}
    assert codes == {"EUR", "USD", "NOK"}
    change = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "CurrencyRef": {"value": "EUR"}}
    assert many.fault("POST", "customer", change)["code"] == "6000"
    off = {"Id": "1", "SyncToken": "0", "sparse": True, "CurrencyPrefs": {"MultiCurrencyEnabled": False}}
    assert many.fault("POST", "preferences", off)["code"] == "6000"


def test_exchange_rates_are_read_by_day_and_written_without_version(many: Company) -> None:
    def rate(day: str) -> Json:
        answer = many.call("GET", "exchangerate", sourcecurrencycode="EUR", asofdate=day)
        found: Json = exact(answer)["ExchangeRate"]
        return found

    assert (rate("2026-03-01")["Rate"], rate("2026-08-01")["Rate"]) == (Decimal("0.86"), Decimal("0.87"))
    for value in ("0.88", "0.89"):
        body = {"SourceCurrencyCode": "EUR", "Rate": Decimal(value), "AsOfDate": "2026-08-01"}
        assert "Id" not in many.create("ExchangeRate", body)
    assert rate("2026-08-01") == {
        "SourceCurrencyCode": "EUR",
        "TargetCurrencyCode": "GBP",
        "Rate": Decimal("0.89"),
        "AsOfDate": "2026-08-01",
        "MetaData": rate("2026-08-01")["MetaData"],
    }
    found = many.query("select * from ExchangeRate where SourceCurrencyCode = 'EUR' and AsOfDate = '2026-08-01'")
    assert [each["Rate"] for each in found["ExchangeRate"]] == [Decimal("0.89")]


def test_classes_and_locations_need_their_preference(uk: Company) -> None:
    parent = uk.create("Class", {"Name": "North"})
    child = uk.create("Class", {"Name": "Leeds", "ParentRef": {"value": parent["Id"]}})
    assert (child["FullyQualifiedName"], child["SubClass"]) == ("North:Leeds", True)
    uk.create("Class", {"Id": parent["Id"], "SyncToken": "0", "sparse": True, "Name": "Nord"})
    assert uk.read("Class", child["Id"])["FullyQualifiedName"] == "Nord:Leeds"
    assert uk.fault("POST", "class", {"Name": "nord"})["code"] == "6240"
    place = uk.create("Department", {"Name": "Shop"})
    body = _body(uk, ClassRef={"value": child["Id"]}, DepartmentRef={"value": place["Id"]})
    assert uk.fault("POST", "invoice", body)["code"] == "5030"
    prefs = exact(uk.call("GET", "preferences"))["Preferences"]
    section = {"ClassTrackingPerTxn": True, "TrackDepartments": True, "BookCloseDate": "2026-12-31"}
    changed = uk.create("Preferences", {**prefs, "AccountingInfoPrefs": section})
    assert (changed["SyncToken"], "BookCloseDate" in changed["AccountingInfoPrefs"]) == ("1", False)
    invoice = uk.create("Invoice", body)
    assert (invoice["ClassRef"]["name"], invoice["DepartmentRef"]["name"]) == ("Nord:Leeds", "Shop")
    unknown = uk.fault("POST", "invoice", {**body, "ClassRef": {"value": "99"}})
    assert unknown["Detail"] == "Invalid Reference Id : Klasses element id 99 not found"


def test_sub_customers_add_to_their_parent(uk: Company) -> None:
    parent = _customer(uk)
    job = uk.create("Customer", {"DisplayName": "Kitchen", "ParentRef": parent, "Job": True})
    assert (job["FullyQualifiedName"], job["Job"], job["Level"]) == ("Marlowe Interiors:Kitchen", True, 1)
    uk.create("Invoice", _body(uk, CustomerRef={"value": job["Id"]}))
    above = uk.read("Customer", parent["value"])
    assert (above["Balance"], above["BalanceWithJobs"]) == (0, 100)
    circle = {"Id": parent["value"], "SyncToken": "0", "sparse": True, "ParentRef": {"value": job["Id"]}}
    assert uk.fault("POST", "customer", circle)["code"] == "6000"
    number = job["Id"]
    for name in ("two", "three", "four"):
        number = uk.create("Customer", {"DisplayName": name, "ParentRef": {"value": number}, "Job": True})["Id"]
    assert uk.fault("POST", "customer", {"DisplayName": "five", "ParentRef": {"value": number}})["code"] == "6180"


def test_merge_moves_everything_and_the_loser_is_gone(uk: Company, emulator: Running) -> None:
    loser, winner = _customer(uk), _customer(uk, "Tamar Valley Growers")
    invoice = uk.create("Invoice", _body(uk))
    order = {"action": "merge", "entity": "Customer", "id": loser["value"], "fields": {"into": winner["value"]}}
    emulator.control("POST", "act", {"realm_id": uk.realm, **order})
    assert uk.fault("GET", f"customer/{loser['value']}")["code"] == "610"
    moved = uk.read("Invoice", invoice["Id"])
    assert (moved["CustomerRef"]["value"], moved["SyncToken"]) == (winner["value"], "1")
    assert uk.read("Customer", winner["value"])["Balance"] == 100


def test_inventory_counts_what_is_sold(uk: Company) -> None:
    roles = {
        "IncomeAccountRef": {"value": uk.account("Sales of Product Income")},
        "ExpenseAccountRef": {"value": uk.account("Subcontractors")},
        "AssetAccountRef": {"value": uk.account("Prepaid Expenses")},
    }
    body = {"Name": "Lamp", "Type": "Inventory", "TrackQtyOnHand": True, "InvStartDate": "2026-01-01", **roles}
    assert uk.fault("POST", "item", body)["element"] == "QtyOnHand"
    item = uk.create("Item", {**body, "QtyOnHand": 10, "PurchaseCost": 4, "UnitPrice": 9})
    assert _balance(uk, "Prepaid Expenses") == 40
    line = _line(uk, "27", ItemRef={"value": item["Id"]}, Qty=3, UnitPrice=9)
    invoice = uk.create("Invoice", _body(uk, Line=[line]))
    assert "_Stock" not in invoice["Line"][0]["SalesItemLineDetail"]
    assert uk.read("Item", item["Id"])["QtyOnHand"] == 7
    assert (_balance(uk, "Prepaid Expenses"), _balance(uk, "Subcontractors")) == (28, 12)
    uk.create("Invoice", {"Id": invoice["Id"], "SyncToken": "0"}, operation="void")
    assert (uk.read("Item", item["Id"])["QtyOnHand"], _balance(uk, "Prepaid Expenses")) == (10, 40)


def test_send_marks_the_document_and_needs_an_address(uk: Company) -> None:
    invoice = uk.create("Invoice", _body(uk))
    assert uk.fault("POST", f"invoice/{invoice['Id']}/send")["element"] == "BillEmail"
    answer = uk.call("POST", f"invoice/{invoice['Id']}/send", b"", sendTo="buyer@example.com")
    sent = exact(answer)["Invoice"]
    assert (sent["EmailStatus"], sent["BillEmail"], sent["SyncToken"]) == (
        "EmailSent",
        {"Address": "buyer@example.com"},
        "1",
    )
    assert sent["DeliveryInfo"] == {"DeliveryType": "Email", "DeliveryTime": sent["MetaData"]["LastUpdatedTime"]}
    assert uk.create("Invoice", sent) == sent
    assert uk.fault("POST", f"invoice/{invoice['Id']}/send", sendTo="nobody")["code"] == "2210"


def test_pdf_is_a_whole_file_with_the_amounts(uk: Company) -> None:
    invoice = uk.create("Invoice", _body(uk, "1234.5", DocNumber="P(1)"))
    response = uk.call("GET", f"invoice/{invoice['Id']}/pdf")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/pdf")
    data = response.content
    assert (data[:8], data[-6:]) == (b"%PDF-1.4", b"%%EOF\n")
    assert rb"Invoice P\(1\)" in data
    assert b"1,234.50" in data
    table = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
    entries = data[table:].split(b"trailer")[0].splitlines()[3:]
    for number, entry in enumerate(entries, start=1):
        assert data[int(entry[:10]) :].startswith(b"%d 0 obj" % number)
    assert uk.fault("GET", "invoice/99/pdf")["code"] == "610"
    assert uk.fault("GET", "customer/1/pdf")["code"] == "500"


def test_us_sample_has_what_clients_take_for_granted(us: Company) -> None:
    assert us.read("Customer", "1")["DisplayName"] == "Amy's Bird Sanctuary"
    assert us.read("Item", "10")["Name"] == "Pest Control"
    names = {number: us.read("Account", number)["Name"] for number in ("35", "42", "86")}
    assert names == {"35": "Checking", "42": "Visa", "86": "Discounts given"}
    assert {each["Id"]: each["Name"] for each in us.all("TaxCode")} == {
        "TAX": "TAX",
        "NON": "NON",
        "CustomSalesTax": "CustomSalesTax",
        "2": "California",
        "3": "Tucson",
    }
    kinds = ("Customer", "Vendor", "Employee", "Item", "Account", "Invoice", "Payment", "Estimate", "SalesReceipt")
    counts = {kind: us.query(f"select count(*) from {kind}")["totalCount"] for kind in kinds}  # noqa: S608 - a query to the emulator, of the test's own words
    assert min(counts.values()) > 10
    assert counts["Account"] > 20
    balances = {each["Balance"] == 0 for each in us.all("Invoice")}
    assert balances == {True, False}
    assert us.read("TaxAgency", "1")["Id"] == exact(us.call("GET", "preferences"))["Preferences"]["Id"] == "1"
