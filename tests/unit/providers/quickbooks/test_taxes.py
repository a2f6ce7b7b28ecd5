"""The tax QuickBooks will come to, known before anything is sent: an independent model of its published rounding."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID, uuid5

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cone.accounting.port.company import CompanyFacts, TaxComponent
from cone.accounting.port.documents import Create, InvoiceDocument
from cone.accounting.port.verdicts import AMOUNTS_IN, CauseCode, RejectedError
from cone.domain.totals import AmountsAre, PricedLine, total_up
from cone.providers.quickbooks.mapping import prepare
from cone.providers.quickbooks.taxes import MOST_TAXABLE_LINES, predict_tax

from .builders import a_company, a_line, an_american_company, an_invoice

_SPACE = UUID("6f0f7f0e-58a4-4d0c-9d3b-3b8b1f0f0a01")
_EXACT = msgspec.json.Decoder(float_hook=Decimal)

# Code → its rates there. The last two are of two rates, rounded apart, as in Canada.
CODES: Mapping[str, tuple[TaxComponent, ...]] = {
    "20S": (TaxComponent("8", Decimal(20), takes_amounts=False),),
    "5R": (TaxComponent("12", Decimal(5), takes_amounts=False),),
    "0Z": (TaxComponent("5", Decimal(0), takes_amounts=False),),
    "NY": (TaxComponent("9", Decimal("8.875"), takes_amounts=False),),
    "QC": (
        TaxComponent("3", Decimal(5), takes_amounts=True),
        TaxComponent("10", Decimal("9.975"), takes_amounts=True),
    ),
    "AZ": (
        TaxComponent("1", Decimal("7.1"), takes_amounts=False),
        TaxComponent("2", Decimal("2.05"), takes_amounts=False),
    ),
}


def percent_of(code: str) -> Decimal:
    return sum((part.percent for part in CODES[code]), start=Decimal(0))


def priced(lines: list[tuple[str, Decimal, Decimal]], amounts_are: AmountsAre, **changes: Any) -> InvoiceDocument:
    """An invoice as our domain makes it: one rate of ours for each code."""
    totals = total_up(
        [
            PricedLine(quantity, price, Decimal(0), uuid5(_SPACE, code), percent_of(code))
            for code, quantity, price in lines
        ],
        amounts_are=amounts_are,
        currency="GBP",
    )
    return an_invoice(
        lines=tuple(
            a_line(
                quantity=quantity,
                unit_price=price,
                amount=made.amount,
                net=made.net,
                tax_code_id=code,
                tax_percent=percent_of(code),
                tax_components=CODES[code],
            )
            for (code, quantity, price), made in zip(lines, totals.lines, strict=True)
        ),
        amounts_are=amounts_are.value,
        **({"net": totals.net, "tax": totals.tax, "total": totals.total} | changes),
    )


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def total_there(body: Any) -> Decimal:
    """QuickBooks' arithmetic over the bytes sent, from its documentation alone."""
    net, bases, gross_tax = Decimal(0), dict[str, Decimal](), Decimal(0)
    percents = {part.remote_id: part.percent for code in CODES.values() for part in code}
    code_of_document = (body.get("TxnTaxDetail") or {}).get("TxnTaxCodeRef", {}).get("value")
    for line in body["Line"]:
        detail = line["SalesItemLineDetail"]
        amount = _cents(Decimal(detail["Qty"]) * Decimal(detail["UnitPrice"]))
        net += amount
        code = detail["TaxCodeRef"]["value"]
        if "TaxInclusiveAmt" in detail:
            gross = Decimal(detail["TaxInclusiveAmt"])
            gross_tax += gross - _cents(gross * 100 / (100 + percent_of(code)))
        for part in CODES.get(code_of_document if code == "TAX" else code, ()):
            bases[part.remote_id] = bases.get(part.remote_id, Decimal(0)) + amount
    if stated := (body.get("TxnTaxDetail") or {}).get("TaxLine"):
        assert {line["TaxLineDetail"]["TaxRateRef"]["value"] for line in stated} == set(bases)
        return net + sum(Decimal(line["Amount"]) for line in stated)
    if body.get("GlobalTaxCalculation") == "TaxInclusive":
        return net + gross_tax
    return net + sum((_cents(base * percents[rate] / 100) for rate, base in bases.items()), start=Decimal(0))


quantities = st.decimals("0.01", "500", places=2)
prices = st.decimals("0.01", "9999", places=2)


def lines_of(*codes: str) -> st.SearchStrategy[list[tuple[str, Decimal, Decimal]]]:
    return st.lists(st.tuples(st.sampled_from(codes), quantities, prices), min_size=1, max_size=6)


def sent_or_none(document: InvoiceDocument, facts: CompanyFacts) -> Any:
    """The body, or None when it was flagged beforehand as coming to another total."""
    try:
        return _EXACT.decode(prepare(Create(document), facts).body)
    except RejectedError as refusal:
        if refusal.cause is not CauseCode.TOTAL_WOULD_DIFFER:
            raise
        return None


@given(lines_of("20S", "5R", "0Z", "QC"), st.sampled_from(AmountsAre))
def test_total_outside_the_us_is_ours_or_flagged_beforehand(
    lines: list[tuple[str, Decimal, Decimal]], amounts_are: AmountsAre
) -> None:
    document = priced(lines, amounts_are)
    body = sent_or_none(document, a_company())
    assert body is None or total_there(body) == document.total
    codes = {code for code, _, _ in lines}
    if codes <= {"20S", "5R", "0Z"} or codes == {"QC"}:
        assert body is not None  # one rate a code, or rates that take our amounts: it can always be sent


@given(lines_of("NY"), st.sampled_from(AmountsAre))
def test_american_total_is_ours_or_flagged_beforehand(
    lines: list[tuple[str, Decimal, Decimal]], amounts_are: AmountsAre
) -> None:
    document = priced(lines, amounts_are, currency="USD")
    body = sent_or_none(document, an_american_company())
    assert body is None or total_there(body) == document.total
    if amounts_are is AmountsAre.EXCLUSIVE:
        assert body is not None


@given(lines_of("AZ"))
def test_american_code_of_two_rates_is_ours_or_flagged_beforehand(lines: list[tuple[str, Decimal, Decimal]]) -> None:
    document = priced(lines, AmountsAre.EXCLUSIVE, currency="USD")
    body = sent_or_none(document, an_american_company())
    assert body is None or total_there(body) == document.total


def test_rates_rounded_apart_are_stated_where_that_is_allowed() -> None:
    """Of 10.10, 5 % and 9.975 % are 0.51 and 1.01, together 1.52; 14.975 % is 1.51."""
    document = priced([("QC", Decimal(1), Decimal("10.10"))], AmountsAre.EXCLUSIVE)
    assert (document.tax, predict_tax(document, a_company())) == (Decimal("1.51"), Decimal("1.52"))
    detail = _EXACT.decode(prepare(Create(document), a_company()).body)["TxnTaxDetail"]
    assert detail["TotalTax"] == Decimal("1.51")
    stated = [(line["TaxLineDetail"]["TaxRateRef"]["value"], line["Amount"]) for line in detail["TaxLine"]]
    assert stated == [("3", Decimal("0.51")), ("10", 1)]


def test_total_that_would_differ_is_told_with_both_figures_and_why() -> None:
    document = priced([("20S", Decimal(1), Decimal(100))], AmountsAre.EXCLUSIVE, tax=Decimal(5), total=Decimal(105))
    with pytest.raises(RejectedError) as caught:
        prepare(Create(document), a_company())
    assert caught.value.cause is CauseCode.TOTAL_WOULD_DIFFER
    params = caught.value.params
    assert (params["ours"], params["theirs"], params[AMOUNTS_IN]) == ("105", "120.00", "GBP")


def test_code_of_another_percentage_is_a_cause_of_its_own() -> None:
    line = a_line(tax_percent=Decimal(17), tax_components=CODES["20S"])
    with pytest.raises(RejectedError) as caught:
        prepare(Create(an_invoice(lines=(line,), tax=Decimal(17), total=Decimal(117))), a_company())
    assert caught.value.cause is CauseCode.TAX_PERCENT_DIFFERS


def test_automated_sales_tax_goes_by_the_address_unless_ours_is_wanted() -> None:
    facts = an_american_company(computes_tax_itself=True)
    document = an_invoice(currency="USD", lines=(a_line(tax_code_id="TAX"),), tax=Decimal("8.88"))
    assert "TxnTaxDetail" not in _EXACT.decode(prepare(Create(document), facts).body)
    ours = an_invoice(currency="USD", lines=(a_line(tax_code_id="TAX"),), tax=Decimal("8.88"), is_tax_ours=True)
    assert _EXACT.decode(prepare(Create(ours), facts).body)["TxnTaxDetail"] == {"TotalTax": Decimal("8.88")}


def test_more_taxed_lines_than_quickbooks_takes_are_refused() -> None:
    lines = (a_line(),) * (MOST_TAXABLE_LINES + 1)
    with pytest.raises(RejectedError) as caught:
        prepare(Create(an_invoice(lines=lines)), a_company())
    assert caught.value.cause is CauseCode.TOO_MANY_LINES
