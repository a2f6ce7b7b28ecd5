"""include=, optionsData, the forms of void, and updates of the company's own record."""

from typing import Any

import pytest

from tests.emulator.running import Company, Json, Running, exact


def _sale(company: Company, **fields: Any) -> Json:
    detail = {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": company.code("0.0% Z")}}
    line = {"Amount": 10, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    base = {"CustomerRef": {"value": company.all("Customer")[0]["Id"]}, "GlobalTaxCalculation": "TaxExcluded"}
    return {**base, "Line": [line], **fields}


def _version(record: Json) -> Json:
    return {"Id": record["Id"], "SyncToken": record["SyncToken"]}


def _batch(company: Company, *items: Json) -> list[Json]:
    response = company.call("POST", "batch", {"BatchItemRequest": list(items)})
    assert response.status_code == 200, response.text
    answers: list[Json] = exact(response)["BatchItemResponse"]
    return answers


PAYABLE: Json = {"AllowOnlineACHPayment": True, "BillEmail": {"Address": "a@example.com"}}


def test_invoice_link_comes_when_asked_for_and_payable(uk: Company) -> None:
    record = uk.create("Invoice", _sale(uk, **PAYABLE), include="invoiceLink")
    link = record["InvoiceLink"]
    assert link.startswith("https://")
    path = f"invoice/{record['Id']}"
    assert "InvoiceLink" not in exact(uk.call("GET", path))["Invoice"]
    assert exact(uk.call("GET", path, include="INVOICELINK"))["Invoice"]["InvoiceLink"] == link
    silent = uk.create("Invoice", _sale(uk), include="invoiceLink")
    assert "InvoiceLink" not in silent
    asked = {"query": "select * from Invoice orderby Id", "include": "invoiceLink"}
    rows = exact(uk.call("GET", "query", **asked))["QueryResponse"]["Invoice"]
    assert [each.get("InvoiceLink") for each in rows] == [link, None]
    sent = uk.call("POST", f"{path}/send", include="invoiceLink")
    assert exact(sent)["Invoice"]["InvoiceLink"] == link
    gone = uk.create("Invoice", {"Id": record["Id"], "SyncToken": "1"}, operation="delete", include="invoiceLink")
    assert gone == {"domain": "QBO", "status": "Deleted", "Id": record["Id"]}


def test_words_of_include_are_known_or_refused(uk: Company) -> None:
    record = uk.create("Invoice", _sale(uk, DocNumber="7", **PAYABLE))
    assert uk.fault("POST", "invoice", _sale(uk, DocNumber="7"))["code"] == "6140"
    double = uk.create("Invoice", _sale(uk, DocNumber="7", **PAYABLE), include="allowDuplicateDocNum,invoiceLink")
    assert (double["DocNumber"], "InvoiceLink" in double) == ("7", True)
    refused = uk.fault("GET", f"invoice/{record['Id']}", include="enhancedAllCustomFields")
    assert refused["code"] == "500"
    assert "not covered by the emulator" in refused["Detail"]
    assert uk.fault("POST", "invoice", _sale(uk), include="nothing")["code"] == "500"
    assert len(uk.all("Invoice")) == 2


@pytest.mark.parametrize(
    ("entity", "options", "accepted"),
    [
        ("Invoice", {"operation": "void"}, True),
        ("Invoice", {"operation": "update", "include": "void"}, True),
        ("SalesReceipt", {"operation": "void"}, True),
        ("SalesReceipt", {"include": "void"}, True),
        ("Payment", {"operation": "update", "include": "void"}, True),
        ("Payment", {"include": "void"}, True),
        ("Payment", {"operation": "void"}, False),
        ("CreditMemo", {"operation": "void"}, False),
        ("CreditMemo", {"operation": "update", "include": "void"}, False),
        ("RefundReceipt", {"operation": "void"}, False),
        ("Estimate", {"operation": "void"}, False),
        ("Customer", {"operation": "void"}, False),
    ],
)
def test_documented_forms_of_void(uk: Company, entity: str, options: dict[str, str], accepted: bool) -> None:
    body: Json = _sale(uk, PrivateNote="kept")
    if entity == "Payment":
        body = {"CustomerRef": body["CustomerRef"], "TotalAmt": 10}
    elif entity == "Customer":
        body = {"DisplayName": "Nobody"}
    elif entity == "RefundReceipt":
        body["DepositToAccountRef"] = {"value": uk.account("Petty Cash")}
    record = uk.create(entity, body)
    response = uk.call("POST", entity.lower(), {**_version(record), "sparse": True}, **options)
    after = uk.read(entity, record["Id"])
    if accepted:
        assert response.status_code == 200
        assert (after["TotalAmt"], after["SyncToken"]) == (0, "1")
        assert after["PrivateNote"] in {"Voided", "Voided - kept"}
    else:
        assert exact(response)["Fault"]["Error"][0]["code"] == "500"
        assert after == record


@pytest.mark.parametrize("entity", ["CreditMemo", "RefundReceipt"])
def test_person_voids_what_the_api_does_not(uk: Company, emulator: Running, entity: str) -> None:
    fields = {"DepositToAccountRef": {"value": uk.account("Petty Cash")}} if entity == "RefundReceipt" else {}
    record = uk.create(entity, _sale(uk, **fields))
    body = {"realm_id": uk.realm, "action": "void", "entity": entity, "id": record["Id"]}
    shown = emulator.control("POST", "act", body)["record"]
    assert (shown["TotalAmt"], shown["PrivateNote"], shown.get("RemainingCredit", 0)) == (0, "Voided", 0)
    assert uk.named("Account", "Services")["CurrentBalance"] == 0


def test_options_of_batch_items(uk: Company) -> None:
    payment = uk.create("Payment", {"CustomerRef": {"value": uk.all("Customer")[0]["Id"]}, "TotalAmt": 10})
    uk.create("Invoice", _sale(uk, DocNumber="7"))
    void = {"Payment": {**_version(payment), "sparse": True}, "operation": "update"}
    answers = _batch(
        uk,
        {"bId": "1", "operation": "void", "Payment": _version(payment)},
        {"bId": "2", **void, "optionsData": "void"},
        {"bId": "3", "operation": "create", "Invoice": _sale(uk, DocNumber="7"), "optionsData": ""},
        {
            "bId": "4",
            "operation": "create",
            "Invoice": _sale(uk, DocNumber="7", **PAYABLE),
            "optionsData": "include=allowduplicatedocnum&include=invoiceLink",
        },
        {"bId": "5", "operation": "create", "Invoice": _sale(uk), "optionsData": "overwrite=true"},
        {"bId": "6", "operation": "create", "Invoice": _sale(uk), "optionsData": {"include": "void"}},
    )
    codes = [each.get("Fault", {"Error": [{"code": ""}]})["Error"][0]["code"] for each in answers]
    assert codes == ["500", "", "6140", "", "500", "500"]
    assert answers[1]["Payment"]["TotalAmt"] == 0
    assert answers[3]["Invoice"]["InvoiceLink"].startswith("https://")


def test_batch_items_see_changes_but_not_what_was_made(uk: Company) -> None:
    record = uk.create("Invoice", _sale(uk, **PAYABLE))
    update = {"Id": record["Id"], "sparse": True, "PrivateNote": "x"}
    sent = uk.create("Payment", {"CustomerRef": record["CustomerRef"], "TotalAmt": 1})
    answers = _batch(
        uk,
        {"bId": "1", "operation": "update", "Invoice": {**update, "SyncToken": "0"}},
        {"bId": "2", "operation": "update", "Invoice": {**update, "SyncToken": "0"}},
        {"bId": "3", "operation": "send", "Invoice": {"Id": record["Id"]}},
        {"bId": "4", "operation": "Void", "Invoice": {"Id": record["Id"], "SyncToken": "2"}},
        {"bId": "5", "operation": "merge", "Invoice": {"Id": record["Id"]}},
        {"bId": "6", "operation": "send", "Payment": {"Id": sent["Id"]}},
    )
    codes = [each.get("Fault", {"Error": [{"code": ""}]})["Error"][0]["code"] for each in answers]
    assert codes == ["", "5010", "", "", "500", ""]
    assert (answers[2]["Invoice"]["EmailStatus"], answers[3]["Invoice"]["SyncToken"]) == ("EmailSent", "3")


def test_company_info_takes_full_and_sparse_updates(uk: Company) -> None:
    before = exact(uk.call("GET", f"companyinfo/{uk.realm}"))["CompanyInfo"]
    change = {**_version(before), "sparse": True, "CompanyName": "Harbour Ltd", "Country": "US"}
    after = uk.create("CompanyInfo", change)
    kept = {name: value for name, value in before.items() if name not in {"SyncToken", "MetaData", "CompanyName"}}
    assert {name: value for name, value in after.items() if name in kept} == kept
    assert (after["CompanyName"], after["SyncToken"]) == ("Harbour Ltd", "1")
    assert uk.fault("POST", "companyinfo", change)["code"] == "5010"
    whole = {**_version(after), "CompanyName": "Vale Ltd", "CompanyAddr": {"Line1": "1 Quay", "City": "Bath"}}
    full = uk.create("CompanyInfo", whole)
    assert full["CompanyAddr"] == {"Id": "1", "Line1": "1 Quay", "City": "Bath"}
    assert ("LegalName" in full, full["Country"]) == (False, "GB")
    assert uk.fault("POST", "companyinfo", {**_version(full), "CompanyName": "Vale"})["code"] == "2020"
    assert uk.fault("POST", "companyinfo", {**whole, "SyncToken": "2", "CompanyName": "x" * 1025})["code"] == "2050"
    assert uk.fault("POST", "companyinfo", {"CompanyName": "New"})["code"] == "500"
    assert exact(uk.call("GET", f"companyinfo/{uk.realm}"))["CompanyInfo"] == full
