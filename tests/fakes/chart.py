"""The chart of accounts and the tax codes that every company of the in-memory ledger starts with."""

from decimal import Decimal

from cone.accounting.port.company import Account, CompanyFacts, PaymentMethod, TaxCode

BANK, SAVINGS, CLOSED_BANK, INCOME, UNDEPOSITED = "35", "36", "37", "1", "4"
STANDARD, REDUCED, ZERO, RETIRED = "20S", "5R", "0Z", "17S"


def usual_accounts(currency: str) -> tuple[Account, ...]:
    """Two bank accounts, a closed one, an income account and one that may not receive deposits."""

    def account(remote_id: str, name: str, kind: str, *, is_active: bool = True) -> Account:
        return Account(
            remote_id=remote_id,
            name=name,
            full_name=name,
            type=kind,
            subtype=kind,
            is_active=is_active,
            currency=currency,
            can_receive_deposits=is_active and kind == "Bank",
            is_income=kind == "Income",
        )

    return (
        account(BANK, "Current account", "Bank"),
        account(SAVINGS, "Savings", "Bank"),
        account(CLOSED_BANK, "Old bank", "Bank", is_active=False),
        account(INCOME, "Sales", "Income"),
        account(UNDEPOSITED, "Undeposited funds", "Other asset"),
    )


def usual_tax_codes() -> tuple[TaxCode, ...]:
    """20, 5 and 0 per cent, and one that was retired."""
    return (
        TaxCode(STANDARD, "20.0% S", "Standard", Decimal(20), is_active=True),
        TaxCode(REDUCED, "5.0% R", "Reduced", Decimal(5), is_active=True),
        TaxCode(ZERO, "0.0% Z", "Zero", Decimal(0), is_active=True),
        TaxCode(RETIRED, "17.5% S", "Until 2011", Decimal("17.5"), is_active=False),
    )


def usual_payment_methods() -> tuple[PaymentMethod, ...]:
    """Cash and cards, and one that was retired; bank transfers have no name of their own."""
    return (
        PaymentMethod("1", "Cash", is_active=True),
        PaymentMethod("2", "Card", is_active=True),
        PaymentMethod("3", "Cheque", is_active=False),
    )


def usual_facts(company_id: str, *, country: str, currency: str) -> CompanyFacts:
    """What a company tells about itself."""
    return CompanyFacts(
        name=f"Books of {company_id}",
        country=country,
        home_currency=currency,
        tax_model="global",
        allows_invoice_deposit=True,
        uses_own_numbers=True,
        is_multicurrency=False,
        books_closed_through_date=None,
        email="books@example.com",
    )
