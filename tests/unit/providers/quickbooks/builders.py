"""Documents, facts and tokens with valid defaults."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from cone.accounting.port.company import CompanyFacts
from cone.accounting.port.documents import (
    Address,
    AllocationDocument,
    CustomerDocument,
    InvoiceDocument,
    InvoiceLineDocument,
    PaymentDocument,
    ServiceDocument,
)
from cone.accounting.port.verdicts import ReconnectError

UUID_ONE = UUID("11111111-2222-4333-8444-555555555555")


def a_company(**changes: Any) -> CompanyFacts:
    """A British company that charges VAT and numbers its invoices by itself."""
    given: dict[str, Any] = {
        "name": "Ledger & Sons",
        "country": "GB",
        "home_currency": "GBP",
        "tax_model": "global",
        "allows_invoice_deposit": True,
        "uses_own_numbers": True,
        "is_multicurrency": False,
        "books_closed_through_date": None,
    }
    return CompanyFacts(**(given | changes))


def an_american_company(**changes: Any) -> CompanyFacts:
    """A company in the US model."""
    return a_company(**({"country": "US", "home_currency": "USD", "tax_model": "us"} | changes))


def a_customer(**changes: Any) -> CustomerDocument:
    given: dict[str, Any] = {
        "uuid": UUID_ONE,
        "revision": 1,
        "name": "Zoë & Søn's Bakery",
        "email": "zoe@example.com",
        "phone": "020 7946 0000",
        "tax_number": "",
        "address": Address(line1="1 High Street", city="Leeds", postal_code="LS1 1AA", country="GB"),
        "currency": "GBP",
        "notes": "",
    }
    return CustomerDocument(**(given | changes))


def a_service(**changes: Any) -> ServiceDocument:
    given: dict[str, Any] = {
        "uuid": UUID_ONE,
        "revision": 1,
        "name": "Bookkeeping",
        "description": "Monthly bookkeeping",
        "unit_price": Decimal("85.50"),
        "income_account_id": "1",
    }
    return ServiceDocument(**(given | changes))


def a_line(**changes: Any) -> InvoiceLineDocument:
    given: dict[str, Any] = {
        "item_id": "7",
        "description": "Advice",
        "quantity": Decimal(2),
        "unit_price": Decimal(50),
        "amount": Decimal(100),
        "net": Decimal(100),
        "tax_code_id": "6",
        "tax_percent": Decimal(20),
    }
    return InvoiceLineDocument(**(given | changes))


def an_invoice(**changes: Any) -> InvoiceDocument:
    given: dict[str, Any] = {
        "uuid": UUID_ONE,
        "revision": 3,
        "number": "INV-0042",
        "customer_id": "12",
        "customer_email": "zoe@example.com",
        "issue_date": date(2026, 5, 5),
        "due_date": date(2026, 6, 4),
        "currency": "GBP",
        "amounts_are": "exclusive",
        "lines": (a_line(),),
        "memo": "",
        "net": Decimal(100),
        "tax": Decimal(20),
        "total": Decimal(120),
        "deposit_account_id": None,
    }
    return InvoiceDocument(**(given | changes))


class StoredAccess:
    """An `Access` whose tokens are known beforehand; `renewals` counts what was refused."""

    def __init__(self, *tokens: str, company_id: str = "9130350000000001") -> None:
        self.company_id = company_id
        self.renewals: list[str] = []
        self.turns = 0
        self._tokens = list(tokens or ("token-1",))

    async def turn(self) -> None:
        self.turns += 1

    async def token(self) -> str:
        return self._tokens[0]

    async def renew(self, *, rejected: str) -> str:
        self.renewals.append(rejected)
        if len(self._tokens) < 2:
            raise ReconnectError
        self._tokens.pop(0)
        return self._tokens[0]


def a_payment(**changes: Any) -> PaymentDocument:
    given: dict[str, Any] = {
        "uuid": UUID_ONE,
        "revision": 1,
        "customer_id": "58",
        "received_date": date(2026, 11, 5),
        "amount": Decimal("150.00"),
        "currency": "GBP",
        "deposit_account_id": "35",
        "method": "Bank transfer",
        "method_id": "",
        "reference": "BACS 7",
        "allocations": (AllocationDocument("155", Decimal("100.00")), AllocationDocument("156", Decimal("20.5"))),
    }
    return PaymentDocument(**(given | changes))
