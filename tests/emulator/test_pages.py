"""The pages a person reads, and the few changes made on them."""

from html import unescape

import pytest

from tests.emulator.running import Company, Json, Running

PAGES = ("homepage", "invoices", "customers", "payments", "items", "chartofaccounts", "taxes", "activity", "webhooks")


def _invoice(company: Company, **fields: Json | str) -> Json:
    line = {
        "Amount": 100,
        "DetailType": "SalesItemLineDetail",
        "Description": "<script>alert(1)</script>",
        "SalesItemLineDetail": {
            "ItemRef": {"value": "1"},
            "Qty": 1,
            "UnitPrice": 100,
            "TaxCodeRef": {"value": company.code("20.0% S")},
        },
    }
    customer = company.create("Customer", {"DisplayName": "O'Neill & <b>Söhne</b>"})
    return company.create(
        "Invoice",
        {
            "CustomerRef": {"value": customer["Id"]},
            "GlobalTaxCalculation": "TaxExcluded",
            "DocNumber": "P-77",
            "TxnDate": "2026-05-05",
            "Line": [line],
            **fields,
        },
    )


def test_front_page_says_what_it_is_and_shows_the_sign_in(emulator: Running) -> None:
    text = emulator.http.get("/").text
    for words in (
        "QuickBooks emulator – not Intuit",
        "bookkeeper@example.com",
        "emulator-client",
        "emulator-secret",
        "Harbour & Vale Ltd",
        "Bluebird Advisory LLC",
    ):
        assert words in unescape(text)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scenario", ["uk-vat", "us-sample"])
def test_every_page_renders_with_strict_headers(emulator: Running, scenario: str, name: str) -> None:
    realm = emulator.reset(scenario)[0]["realm_id"]
    response = emulator.http.get(f"/app/{name}", params={"realmId": realm})
    assert response.status_code == 200
    assert response.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )
    assert response.headers["x-content-type-options"] == "nosniff"


def test_invoice_page_shows_lines_tax_and_totals_escaped(uk: Company, emulator: Running) -> None:
    bank = uk.account("Business Current Account")
    invoice = _invoice(uk, DepositToAccountRef={"value": bank})
    text = emulator.http.get(f"/app/invoice?txnId={invoice['Id']}&realmId={uk.realm}").text
    assert "<script>" not in text
    assert "<b>Söhne" not in text
    for words in (
        "Invoice P-77",
        "O'Neill & <b>Söhne</b>",
        "<script>alert(1)</script>",
        "20.0% S",
        "120.00",
        "Overdue",
        "Business Current Account",
        "(20 %) on 100.00",
        "5 May 2026",
    ):
        assert words in unescape(text), words


def test_lists_link_to_the_invoice_and_search_finds_it(uk: Company, emulator: Running) -> None:
    invoice = _invoice(uk)
    link = f"/app/invoice?txnId={invoice['Id']}&amp;realmId={uk.realm}"
    for path in (
        f"/app/invoices?realmId={uk.realm}",
        f"/app/invoices?realmId={uk.realm}&q=p-77",
        f"/app/homepage?realmId={uk.realm}",
        f"/app/customerdetail?nameId={invoice['CustomerRef']['value']}&realmId={uk.realm}",
    ):
        assert link in emulator.http.get(path).text
    assert "Nothing matches" in emulator.http.get(f"/app/invoices?realmId={uk.realm}&q=zzz").text


def test_payment_pages(uk: Company, emulator: Running) -> None:
    invoice = _invoice(uk)
    paid = emulator.control("POST", "act", {"realm_id": uk.realm, "action": "pay", "id": invoice["Id"]})["record"]
    assert "120.00" in emulator.http.get(f"/app/payments?realmId={uk.realm}").text
    payment = emulator.http.get(f"/app/recvpayment?txnId={paid['Id']}&realmId={uk.realm}").text
    assert "Invoice P-77" in payment
    assert "Paid" in emulator.http.get(f"/app/invoice?txnId={invoice['Id']}&realmId={uk.realm}").text


def test_account_type_is_changed_on_the_page(uk: Company, emulator: Running) -> None:
    number = uk.account("Client Money")
    form = {"realmId": uk.realm, "back": "chartofaccounts", "action": "set_account_type", "id": number, "type": "Bank"}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}):
        assert emulator.http.post("/app/change", data=form, headers=headers).status_code == 403
    assert uk.read("Account", number)["AccountType"] == "Other Current Asset"
    response = emulator.http.post("/app/change", data=form, headers={"Origin": emulator.base})
    assert response.status_code == 303
    account = uk.read("Account", number)
    assert (account["AccountType"], account["AccountSubType"], account["SyncToken"]) == ("Bank", "CashOnHand", "1")
    assert "Saved: Client Money" in emulator.http.get(response.headers["location"]).text


@pytest.mark.parametrize(
    ("entity", "back", "name"), [("Account", "chartofaccounts", "Petty Cash"), ("TaxCode", "taxes", "5.0% R")]
)
def test_account_and_tax_code_are_made_inactive_and_active_again(
    uk: Company, emulator: Running, entity: str, back: str, name: str
) -> None:
    number = uk.named(entity, name)["Id"]
    form = {"realmId": uk.realm, "back": back, "entity": entity, "id": number}
    for action, active in (("deactivate", False), ("activate", True)):
        assert emulator.http.post("/app/change", data={**form, "action": action}).status_code == 303
        assert uk.read(entity, number)["Active"] is active
        assert uk.read(entity, number)["Name"].startswith(name)


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/app/invoice?txnId=999",
        "/app/customerdetail?nameId=x",
        "/app/recvpayment",
        "/app/request",
        f"/app/request?number={'9' * 5000}",
        "/app/invoices?realmId=1",
    ],
)
def test_missing_things_are_decent_pages(emulator: Running, path: str) -> None:
    response = emulator.http.get(path)
    assert response.status_code == 404
    assert "Back to the companies" in response.text


def test_pages_refuse_a_foreign_host(emulator: Running) -> None:
    for path in ("/", "/app/invoices"):
        assert emulator.http.get(path, headers={"Host": "evil.example"}).status_code == 403


def test_closing_date_is_set_on_the_overview(uk: Company, emulator: Running) -> None:
    form = {"realmId": uk.realm, "back": "homepage", "action": "close_books", "date": "2026-03-31"}
    answer = emulator.http.post("/app/change", data=form)
    assert "31 Mar 2026" in emulator.http.get(answer.headers["location"]).text
    assert emulator.http.post("/app/change", data={**form, "date": "soon"}).status_code == 400
    emulator.http.post("/app/change", data={**form, "date": ""})
    assert "BookCloseDate" not in uk.call("GET", "preferences").json()["Preferences"]["AccountingInfoPrefs"]


def test_disconnecting_on_the_front_page_kills_the_tokens(uk: Company, emulator: Running) -> None:
    form = {"key": f"emulator-client {uk.realm}"}
    assert emulator.http.post("/app/disconnect", data=form, headers={"Origin": "null"}).status_code == 403
    assert uk.call("GET", "preferences").status_code == 200
    assert emulator.http.post("/app/disconnect", data=form).status_code == 303
    assert uk.call("GET", "preferences").status_code == 401
    assert "No app is connected." in emulator.http.get("/").text
