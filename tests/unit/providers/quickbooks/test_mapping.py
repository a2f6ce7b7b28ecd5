"""Documents in QuickBooks' words: whole requests, exact money, and refusals before anything is sent."""

from datetime import date
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cone.accounting.port.company import CompanyFacts
from cone.accounting.port.documents import Address, Create, Document, Update
from cone.accounting.port.verdicts import CauseCode, RejectedError
from cone.kit.money import round_amount
from cone.kit.values import replace
from cone.providers.quickbooks.mapping import prepare

from .builders import UUID_ONE, a_company, a_customer, a_line, a_payment, a_service, an_american_company, an_invoice

_EXACT = msgspec.json.Decoder(float_hook=Decimal)


def body_of(document: Document, facts: CompanyFacts | None = None) -> Any:
    return _EXACT.decode(prepare(Create(document), facts or a_company()).body)


def update_of(document: Document, facts: CompanyFacts | None = None, *, has_text: bool = False) -> Any:
    return _EXACT.decode(prepare(Update(document, "155", "4", has_text=has_text), facts or a_company()).body)


def refusal_of(document: Document, facts: CompanyFacts | None = None) -> RejectedError:
    with pytest.raises(RejectedError) as caught:
        prepare(Create(document), facts or a_company())
    return caught.value


# Customers


def test_customer_is_written_whole() -> None:
    request = prepare(Create(a_customer(notes="Pays late", tax_number="GB123")), a_company())
    assert request.line == "POST /customer?minorversion=75"
    assert _EXACT.decode(request.body) == {
        "DisplayName": "Zoë & Søn's Bakery",
        "PrimaryEmailAddr": {"Address": "zoe@example.com"},
        "PrimaryPhone": {"FreeFormNumber": "020 7946 0000"},
        "BillAddr": {
            "Line1": "1 High Street",
            "Line2": "",
            "City": "Leeds",
            "CountrySubDivisionCode": "",
            "PostalCode": "LS1 1AA",
            "Country": "GB",
        },
        "Notes": "Pays late",
        "PrimaryTaxIdentifier": "GB123",
    }


def test_customer_sends_nothing_of_what_is_empty() -> None:
    document = a_customer(email="", phone="", address=Address())
    assert body_of(document) == {"DisplayName": "Zoë & Søn's Bakery"}
    assert update_of(document) == {
        "Id": "155",
        "SyncToken": "4",
        "sparse": True,
        "DisplayName": "Zoë & Søn's Bakery",
    }


def test_customer_currency_is_said_once_and_only_with_multicurrency() -> None:
    facts = a_company(is_multicurrency=True)
    euro = a_customer(currency="EUR")
    assert body_of(euro, facts)["CurrencyRef"] == {"value": "EUR"}
    assert "CurrencyRef" not in update_of(euro, facts)
    assert "CurrencyRef" not in body_of(a_customer())
    refusal = refusal_of(euro)
    assert refusal.cause == CauseCode.CURRENCY_UNSUPPORTED
    assert refusal.params == {"currency": "EUR", "home_currency": "GBP"}


@pytest.mark.parametrize("name", ["A:B", "A\tB", "A\nB", "A\rB", "", "   ", "x" * 501])
def test_customer_name_that_quickbooks_cant_take_is_refused(name: str) -> None:
    refusal = refusal_of(a_customer(name=name))
    assert (refusal.cause, refusal.field_name) == (CauseCode.NAME_INVALID, "name")


@pytest.mark.parametrize(
    ("changes", "field_name"),
    [
        ({"phone": "1" * 31}, "phone"),
        ({"notes": "n" * 2001}, "notes"),
        ({"address": Address(line1="l" * 501)}, "address"),
        ({"address": Address(postal_code="p" * 31)}, "postal code"),
    ],
)
def test_customer_text_that_would_be_cut_is_refused(changes: dict[str, Any], field_name: str) -> None:
    refusal = refusal_of(a_customer(**changes))
    assert (refusal.cause, refusal.field_name) == (CauseCode.REFUSED, field_name)
    assert refusal.params["explanation"] == str(refusal)


@pytest.mark.parametrize("email", ["x" * 90 + "@example.com", "nobody", "nobody@example"])
def test_customer_with_an_impossible_address_is_refused(email: str) -> None:
    refusal = refusal_of(a_customer(email=email))
    assert (refusal.cause, refusal.field_name) == (CauseCode.EMAIL_INVALID, "e-mail")


# Services


def test_service_is_a_service_item_on_its_income_account() -> None:
    request = prepare(Create(a_service()), a_company())
    assert request.line == "POST /item?minorversion=75"
    assert _EXACT.decode(request.body) == {
        "Name": "Bookkeeping",
        "Type": "Service",
        "Description": "Monthly bookkeeping",
        "UnitPrice": Decimal("85.5"),
        "IncomeAccountRef": {"value": "1"},
    }


def test_service_update_leaves_the_type_alone() -> None:
    body = update_of(a_service())
    assert "Type" not in body
    assert (body["Id"], body["SyncToken"], body["sparse"]) == ("155", "4", True)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"income_account_id": ""}, CauseCode.INCOME_ACCOUNT_MISSING),
        ({"name": "Audit: yearly"}, CauseCode.NAME_INVALID),
        ({"name": "x" * 101}, CauseCode.NAME_INVALID),
        ({"description": "x" * 4001}, CauseCode.REFUSED),
    ],
)
def test_service_that_quickbooks_cant_take_is_refused(changes: dict[str, Any], cause: CauseCode) -> None:
    assert refusal_of(a_service(**changes)).cause == cause


# Invoices


def test_invoice_exclusive_of_tax_is_written_whole() -> None:
    document = an_invoice(memo="Thank you", deposit_account_id="35")
    request = prepare(Create(document), a_company())
    assert request.line == "POST /invoice?minorversion=75"
    assert _EXACT.decode(request.body) == {
        "CustomerRef": {"value": "12"},
        "DocNumber": "INV-0042",
        "TxnDate": "2026-05-05",
        "DueDate": "2026-06-04",
        "GlobalTaxCalculation": "TaxExcluded",
        "Line": [
            {
                "Amount": 100,
                "Description": "Advice",
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {
                    "ItemRef": {"value": "7"},
                    "Qty": 2,
                    "UnitPrice": 50,
                    "TaxCodeRef": {"value": "6"},
                },
            }
        ],
        "CustomerMemo": {"value": "Thank you"},
        "PrivateNote": f"cone:{UUID_ONE}",
        "BillEmail": {"Address": "zoe@example.com"},
        "DepositToAccountRef": {"value": "35"},
    }


def test_invoice_inclusive_of_tax_has_net_amounts_with_the_gross_beside_them() -> None:
    line = a_line(quantity=Decimal(3), unit_price=Decimal(40), amount=Decimal(120), net=Decimal(100))
    document = an_invoice(amounts_are="inclusive", lines=(line,))
    body = body_of(document)
    assert body["GlobalTaxCalculation"] == "TaxInclusive"
    [written] = body["Line"]
    assert written["Amount"] == 100
    detail = written["SalesItemLineDetail"]
    assert detail["TaxInclusiveAmt"] == 120
    assert (detail["Qty"], detail["UnitPrice"]) == (3, Decimal("33.3333333"))


def test_invoice_update_leaves_a_memo_that_was_never_ours() -> None:
    assert "CustomerMemo" not in update_of(an_invoice())


def test_invoice_update_replaces_lines_empties_the_memo_and_leaves_the_note() -> None:
    body = update_of(an_invoice(), has_text=True)
    assert (body["Id"], body["SyncToken"], body["sparse"]) == ("155", "4", True)
    assert len(body["Line"]) == 1
    assert body["CustomerMemo"] == {"value": ""}
    assert body.keys().isdisjoint({"PrivateNote", "TxnTaxDetail", "DepositToAccountRef"})


def test_discounted_line_is_one_times_its_amount() -> None:
    line = a_line(quantity=Decimal(3), unit_price=Decimal("19.99"), amount=Decimal("53.97"), net=Decimal("53.97"))
    [written] = body_of(an_invoice(lines=(line,)))["Line"]
    detail = written["SalesItemLineDetail"]
    assert (written["Amount"], detail["Qty"], detail["UnitPrice"]) == (Decimal("53.97"), 1, Decimal("53.97"))


def test_small_prices_have_no_exponent() -> None:
    line = a_line(
        quantity=Decimal(1_000_000), unit_price=Decimal("0.000001"), amount=Decimal("1.00"), net=Decimal("1.00")
    )
    body = prepare(Create(an_invoice(lines=(line,))), a_company()).body
    assert b'"Amount":1,' in body
    assert b'"Qty":1000000,"UnitPrice":0.000001,' in body


def test_equal_decimals_of_other_spelling_give_the_same_bytes() -> None:
    plain = an_invoice(lines=(a_line(),))
    stored = an_invoice(
        lines=(
            a_line(
                quantity=Decimal("2.000000"),
                unit_price=Decimal("5E+1"),
                amount=Decimal("100.0000"),
                net=Decimal("100.00"),
            ),
        )
    )
    assert prepare(Create(plain), a_company()) == prepare(Create(stored), a_company())


def test_currency_is_named_with_multicurrency_only() -> None:
    assert body_of(an_invoice(currency="EUR"), a_company(is_multicurrency=True))["CurrencyRef"] == {"value": "EUR"}
    assert "CurrencyRef" not in body_of(an_invoice())
    assert refusal_of(an_invoice(currency="EUR")).cause == CauseCode.CURRENCY_UNSUPPORTED


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"number": "N" * 22}, CauseCode.NUMBER_TOO_LONG),
        ({"memo": "m" * 1001}, CauseCode.REFUSED),
        ({"customer_email": "nobody"}, CauseCode.EMAIL_INVALID),
        ({"lines": (a_line(description="d" * 4001),)}, CauseCode.REFUSED),
        ({"lines": (a_line(tax_code_id=""),)}, CauseCode.TAX_UNMAPPED),
        ({"lines": (a_line(net=Decimal(10) ** 10),)}, CauseCode.REFUSED),
    ],
)
def test_invoice_that_quickbooks_cant_take_is_refused(changes: dict[str, Any], cause: CauseCode) -> None:
    assert refusal_of(an_invoice(**changes)).cause == cause


# The American model


def american(*codes: str) -> Any:
    lines = tuple(a_line(tax_code_id=code) for code in codes)
    tax = Decimal(0) if set(codes) == {"NON"} else Decimal(8)
    return body_of(an_invoice(currency="USD", lines=lines, tax=tax), an_american_company())


@pytest.mark.parametrize(
    ("codes", "line_codes", "document_code"),
    [
        (("TAX", "NON"), ["TAX", "NON"], None),
        (("NON",), ["NON"], None),
        (("2", "NON", "2"), ["TAX", "NON", "TAX"], "2"),
    ],
)
def test_american_lines_are_taxable_or_not_and_the_code_is_the_documents(
    codes: tuple[str, ...], line_codes: list[str], document_code: str | None
) -> None:
    body = american(*codes)
    assert "GlobalTaxCalculation" not in body
    assert [line["SalesItemLineDetail"]["TaxCodeRef"]["value"] for line in body["Line"]] == line_codes
    expected = {"TxnTaxCodeRef": {"value": document_code}} if document_code else None
    assert body.get("TxnTaxDetail") == expected


@pytest.mark.parametrize("codes", [("2", "3"), ("TAX", "2")])
def test_american_invoice_of_two_codes_is_refused(codes: tuple[str, str]) -> None:
    document = an_invoice(currency="USD", lines=tuple(a_line(tax_code_id=code) for code in codes))
    assert refusal_of(document, an_american_company()).cause == CauseCode.TAX_CODES_MIXED


def test_company_without_sales_tax_takes_untaxed_invoices_only() -> None:
    facts = a_company(tax_model="none")
    body = body_of(an_invoice(tax=Decimal("0.00")), facts)
    assert body["GlobalTaxCalculation"] == "NotApplicable"
    assert "TaxCodeRef" not in body["Line"][0]["SalesItemLineDetail"]
    assert refusal_of(an_invoice(), facts).field_name == "tax"


# Properties

quantities = st.decimals(min_value="-9999", max_value="9999", places=6).filter(bool)
prices = st.decimals(min_value="0", max_value="999999", places=6)
discounts = st.decimals(min_value="0", max_value="100", places=4)


@given(quantities, prices, discounts, st.sampled_from(["0", "5", "9.375", "20"]), st.sampled_from(["GBP", "JPY"]))
@pytest.mark.parametrize("amounts_are", ["exclusive", "inclusive"])
def test_amounts_arrive_exactly_and_agree_with_quantity_times_price(
    amounts_are: Literal["exclusive", "inclusive"],
    quantity: Decimal,
    price: Decimal,
    discount: Decimal,
    percent: str,
    currency: str,
) -> None:
    amount = round_amount(quantity * price * (100 - discount) / 100, currency)
    net = amount if amounts_are == "exclusive" else round_amount(amount * 100 / (100 + Decimal(percent)), currency)
    line = a_line(quantity=quantity, unit_price=price, amount=amount, net=net, tax_percent=Decimal(percent))
    document = an_invoice(lines=(line,), currency=currency, amounts_are=amounts_are)
    facts = a_company(home_currency=currency)
    request = prepare(Create(document), facts)
    [written] = _EXACT.decode(request.body)["Line"]
    detail = written["SalesItemLineDetail"]
    assert Decimal(written["Amount"]) == net
    assert round_amount(Decimal(detail["Qty"]) * Decimal(detail["UnitPrice"]), currency) == net
    assert -Decimal(detail["UnitPrice"]).as_tuple().exponent <= 7  # type: ignore[operator]  # finite, so a number
    assert detail.get("TaxInclusiveAmt") == (None if amounts_are == "exclusive" else amount)
    assert request == prepare(Create(replace(document)), facts)


@given(st.text(min_size=1), st.text(max_size=100), st.dates())
def test_any_text_is_written_or_refused(name: str, memo: str, day: date) -> None:
    documents: tuple[Document, ...] = (a_customer(name=name), an_invoice(memo=memo, issue_date=day, due_date=day))
    for document in documents:
        try:
            first = prepare(Create(document), a_company())
        except RejectedError:
            continue
        assert first == prepare(Create(document), a_company())
        assert isinstance(_EXACT.decode(first.body), dict)


# Exchange rates of our own


def test_own_rate_goes_with_the_currency_where_currencies_are_known() -> None:
    facts = a_company(is_multicurrency=True)
    euro = an_invoice(currency="EUR", exchange_rate=Decimal("0.8500000000"))
    payment = a_payment(currency="EUR", exchange_rate=Decimal("0.8500000000"))
    for document in (euro, payment):
        for body in (body_of(document, facts), update_of(document, facts)):
            assert (body["CurrencyRef"], body["ExchangeRate"]) == ({"value": "EUR"}, Decimal("0.85"))
    assert "ExchangeRate" not in body_of(an_invoice(currency="EUR"), facts)
    assert "ExchangeRate" not in body_of(an_invoice(exchange_rate=Decimal(1)))
