"""Permissions, numbering, tax rates, presets, customers and firms: the smaller rules."""

from dataclasses import fields, replace
from decimal import Decimal

import pytest

from cone.domain.customers import CustomerInput, check_customer
from cone.domain.errors import InvalidFieldError, NotAllowedError, RefusalError
from cone.domain.numbering import check_prefix, invoice_number
from cone.domain.permissions import Permission, Role, check_may, may
from cone.domain.services import ServiceInput, check_service
from cone.domain.tax_presets import suggest_tax_rates
from cone.domain.tax_rates import TaxRateInput, check_tax_rate
from cone.domain.workspaces import WorkspaceInput, check_workspace


def test_permissions_are_this_table() -> None:
    table = {role.value: [permission.value for permission in Permission if may(role, permission)] for role in Role}
    assert table == {
        "owner": ["read", "invoicing", "settings", "integrations", "team"],
        "biller": ["read", "invoicing"],
        "bookkeeper": ["read"],
    }


def test_check_may_refused_says_whom_to_ask() -> None:
    check_may(Role.BILLER, Permission.INVOICING)
    with pytest.raises(NotAllowedError, match="ask an owner"):
        check_may(Role.BOOKKEEPER, Permission.INVOICING)


def test_invoice_number_is_padded_and_grows() -> None:
    assert [invoice_number("INV-", value) for value in (1, 9999, 10000)] == ["INV-0001", "INV-9999", "INV-10000"]
    assert len(invoice_number("ABCDEFGHI-", 10**11 - 1)) == 21


@pytest.mark.parametrize("prefix", ["INV-", "", "2026/", "Nº"])
def test_check_prefix_accepts(prefix: str) -> None:
    assert check_prefix("invoice_prefix", prefix) == prefix


@pytest.mark.parametrize("prefix", ["INV-1", "2026", "ABCDEFGHIJ-", "a\x00b", "INV²"])
def test_check_prefix_refuses(prefix: str) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        check_prefix("invoice_prefix", prefix)
    assert refusal.value.field == "invoice_prefix"


def test_check_tax_rate_keeps_four_decimals() -> None:
    assert check_tax_rate(TaxRateInput(" QST ", Decimal("9.975"))) == TaxRateInput("QST", Decimal("9.9750"))


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (TaxRateInput("", Decimal(1)), "name"),
        (TaxRateInput("x" * 101, Decimal(1)), "name"),
        (TaxRateInput("VAT", Decimal("100.0001")), "percent"),
        (TaxRateInput("VAT", Decimal(-1)), "percent"),
        (TaxRateInput("VAT", Decimal("NaN")), "percent"),
        (TaxRateInput("VAT", Decimal("1.00001")), "percent"),
    ],
)
def test_check_tax_rate_refused_names_the_field(typed: TaxRateInput, field: str) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        check_tax_rate(typed)
    assert refusal.value.field == field


def test_tax_presets_are_valid_and_named_apart() -> None:
    assert suggest_tax_rates("gb") == (
        TaxRateInput("VAT 20%", Decimal(20)),
        TaxRateInput("VAT 5%", Decimal(5)),
        TaxRateInput("VAT 0%", Decimal(0)),
    )
    assert suggest_tax_rates("US") == ()
    for country in ("GB", "DE", "FR", "AU", "CA", "JP", "IE"):
        rates = suggest_tax_rates(country)
        assert len({rate.name for rate in rates}) == len(rates) > 0
        for rate in rates:
            check_tax_rate(rate)


def test_check_customer_checks_every_text() -> None:
    good = CustomerInput(name="Anna")
    assert check_customer(good) == good
    codes = {"country", "currency"}
    for field in (entry.name for entry in fields(CustomerInput) if entry.name not in codes):
        with pytest.raises(InvalidFieldError) as refusal:
            check_customer(replace(good, **{field: "x" * 2001}))
        assert refusal.value.field == field


def test_check_customer_takes_markup_as_text() -> None:
    name = "<script>alert('x')</script> & Söhne"
    assert check_customer(CustomerInput(name=name)).name == name


def test_check_service_refuses_what_quickbooks_would() -> None:
    for typed, field in (
        (ServiceInput("x" * 101), "name"),
        (ServiceInput("A", description="x" * 4001), "description"),
        (ServiceInput("A", unit_price=Decimal("-0.01")), "unit_price"),
        (ServiceInput("A", unit_price=Decimal("1.0000001")), "unit_price"),
    ):
        with pytest.raises(InvalidFieldError) as refusal:
            check_service(typed)
        assert refusal.value.field == field


def test_check_workspace_checks_every_text_and_the_terms() -> None:
    good = WorkspaceInput(name="Firm", country="GB")
    assert check_workspace(good) == good
    other = {"country", "payment_terms_days", "amounts_are"}
    for field in (entry.name for entry in fields(WorkspaceInput) if entry.name not in other):
        with pytest.raises(InvalidFieldError) as refusal:
            check_workspace(replace(good, **{field: "x" * 201}))  # type: ignore[arg-type]  # text fields only
        assert refusal.value.field == field
    for days in (-1, 366, 10**9):
        with pytest.raises(InvalidFieldError, match="Give between 0 and 365 days to pay"):
            check_workspace(replace(good, payment_terms_days=days))


def test_refusals_have_codes_of_their_own_and_say_something() -> None:
    def family(kind: type[RefusalError]) -> list[type[RefusalError]]:
        return [kind, *(entry for child in kind.__subclasses__() for entry in family(child))]

    mine = [kind for kind in family(RefusalError) if kind.__module__.startswith("cone.domain.")]
    assert len({kind.code for kind in mine}) == len(mine)
    for kind in mine:
        assert (kind.__doc__ or "").strip().endswith("."), kind
