"""Suggestions: only when percentage and name agree and nothing else fits as well."""

from decimal import Decimal

import pytest

from cone.accounting.port.company import TaxCode, TaxModel
from cone.accounting.suggestions import suggest_tax_code, warn_about


def code(name: str, percent: str | None, *, is_active: bool = True, description: str = "") -> TaxCode:
    """A tax code whose id is its name."""
    return TaxCode(name, name, description, Decimal(percent) if percent is not None else None, is_active)


UK = (
    code("20.0% S", "20"),
    code("5.0% R", "5"),
    code("0.0% Z", "0"),
    code("Exempt", "0"),
    code("No VAT", None),
    code("20.0% EC Goods", "20"),
    code("20.0% RC SG", "20"),
    code("17.5% S", "17.5", is_active=False),
)
US = (code("TAX", None), code("NON", "0"), code("California", "8"), code("Tucson", "9.1"))


def suggest(name: str, percent: str, codes: tuple[TaxCode, ...], model: TaxModel, *, is_no_tax: bool) -> str | None:
    found = suggest_tax_code(name=name, percent=Decimal(percent), is_no_tax=is_no_tax, codes=codes, tax_model=model)
    return found.remote_id if found else None


@pytest.mark.parametrize(
    ("name", "percent", "wanted"),
    [
        ("VAT 20 %", "20", "20.0% S"),
        ("VAT 20 %", "20.0000", "20.0% S"),
        ("20.0% rc sg", "20", "20.0% RC SG"),  # the very name wins over the plain code
        ("VAT 5 %", "5", "5.0% R"),
        ("VAT 0 %", "0", "0.0% Z"),
        ("exempt", "0", "Exempt"),
        ("Old VAT", "17.5", None),  # inactive there
        ("Levy", "12.5", None),
    ],
)
def test_uk_rate_is_suggested_by_percentage_and_name(name: str, percent: str, wanted: str | None) -> None:
    assert suggest(name, percent, UK, "global", is_no_tax=False) == wanted


def test_no_tax_goes_to_the_code_outside_any_tax_and_never_to_zero_or_exempt() -> None:
    assert suggest("No tax", "0", UK, "global", is_no_tax=True) == "No VAT"
    assert suggest("No tax", "0", US, "us", is_no_tax=True) == "NON"
    without = tuple(each for each in UK if each.name != "No VAT")
    assert suggest("No tax", "0", without, "global", is_no_tax=True) is None


@pytest.mark.parametrize(("percent", "wanted"), [("8", "California"), ("9.1", "Tucson"), ("7", None), ("0", None)])
def test_us_rate_is_suggested_by_its_percentage(percent: str, wanted: str | None) -> None:
    assert suggest("Sales tax", percent, US, "us", is_no_tax=False) == wanted


@pytest.mark.parametrize("model", ["us", "global", "none"])
def test_ties_are_never_guessed(model: TaxModel) -> None:
    twins = (code("20.0% S", "20"), code("20.0% P", "20"))
    assert suggest("VAT 20 %", "20", twins, model, is_no_tax=False) is None
    outside = (code("No VAT", None), code("Out of scope", None))
    assert suggest("No tax", "0", outside, model, is_no_tax=True) is None


def test_warning_names_both_percentages_only_when_they_differ() -> None:
    assert warn_about(percent=Decimal("20.0000"), code=UK[0]) == ""
    assert warn_about(percent=Decimal(20), code=None) == ""
    assert warn_about(percent=Decimal(20), code=code("TAX", None)) == ""
    assert warn_about(percent=Decimal("12.50"), code=UK[0]) == (
        "20.0% S charges 20 %, this rate 12.5 %: the tax of synced invoices will differ."
    )
