"""Values of the engine with valid defaults: an issued invoice of 100.00 at 20 % that could be sent."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from cone.accounting.port.company import CompanyFacts
from cone.accounting.port.documents import Address, CustomerDocument, Kind
from cone.accounting.port.provider import WireRequest
from cone.accounting.records import (
    InvoiceRecord,
    LineRecord,
    LinkState,
    MappedCode,
    OpenAttempt,
    Record,
    Row,
    ServiceRecord,
    Situation,
    Subject,
)
from cone.kit.values import replace

_SPACE = UUID("6f0f7f0e-58a4-4d0c-9d3b-3b8b1f0f0a01")
WORKSPACE, CUSTOMER, SERVICE, INVOICE, STANDARD, REDUCED = (
    uuid5(_SPACE, name) for name in ("workspace", "customer", "service", "invoice", "standard", "reduced")
)
CONNECTED_AT = datetime(2026, 9, 1, 9, tzinfo=UTC)

FACTS = CompanyFacts(
    name="Hartley & Rowe",
    country="GB",
    home_currency="GBP",
    tax_model="global",
    allows_invoice_deposit=True,
    uses_own_numbers=True,
    is_multicurrency=False,
    books_closed_through_date=None,
)

LINE = LineRecord(
    service_uuid=SERVICE,
    service_name="Advice",
    description="Advice in September",
    quantity=Decimal(1),
    unit_price=Decimal("100.000000"),
    amount=Decimal("100.00"),
    net=Decimal("100.00"),
    tax_rate_uuid=STANDARD,
    tax_rate_name="VAT 20 %",
    tax_percent=Decimal("20.0000"),
)

ISSUED = InvoiceRecord(
    uuid=INVOICE,
    revision=3,
    status="issued",
    number="INV-0042",
    customer_uuid=CUSTOMER,
    customer_name="Brûlé & Söhne",
    customer_email="books@example.com",
    issued_at=datetime(2026, 9, 2, 9, tzinfo=UTC),
    issue_date=date(2026, 9, 2),
    due_date=date(2026, 10, 2),
    currency="GBP",
    amounts_are="exclusive",
    memo="Thank you",
    net=Decimal("100.00"),
    tax=Decimal("20.00"),
    total=Decimal("120.00"),
    lines=(LINE,),
)

NAMED = CustomerDocument(
    uuid=CUSTOMER,
    revision=2,
    name="Brûlé & Söhne",
    email="books@example.com",
    phone="",
    tax_number="",
    address=Address(),
    currency="GBP",
    notes="",
)

SERVED = ServiceRecord(uuid=SERVICE, revision=1, name="Advice", description="By the hour", unit_price=Decimal(100))

READY = Situation(
    connection_id=7,
    company_pk=9,
    workspace_uuid=WORKSPACE,
    remote_company_id="4620816365",
    sends_batches_only=False,
    settings_revision=5,
    facts=FACTS,
    deposit_account_id="35",
    deposit_account_name="Current account",
    is_deposit_account_active=True,
    income_account_id="1",
    connected_at=CONNECTED_AT,
    tax_codes={STANDARD: MappedCode("20S", "20.0% S", is_active=True)},
    linked={("customer", CUSTOMER): "58", ("service", SERVICE): "12"},
)

ATTEMPT = OpenAttempt(
    id=1,
    operation="create",
    revision=1,
    request=WireRequest("create invoice", b"{}"),
    request_id="1b4e28ba-2fa1-5d2e-883f-0016d3cca427",
    expected=None,
    sends=1,
    age_seconds=40,
    silence=timedelta(seconds=40),
)


def link(synced_revision: int, *, is_equal: bool = True) -> LinkState:
    """The record as number 130 there."""
    return LinkState(remote_id="130", remote_version="4", synced_revision=synced_revision, is_equal=is_equal)


def subject(record: Record | None, link: LinkState | None = None, attempt: OpenAttempt | None = None) -> Subject:
    """A due row with what belongs to it."""
    kind: Kind = "invoice"
    if isinstance(record, CustomerDocument):
        kind = "customer"
    elif isinstance(record, ServiceRecord):
        kind = "service"
    row = Row(
        id=1,
        kind=kind,
        uuid=record.uuid if record else INVOICE,
        wanted_revision=record.revision if record else 1,
        priority=0,
        tries=0,
        last_generation=0,
        is_in_scope=False,
    )
    return Subject(row=row, record=record, link=link, attempt=attempt)


def facts(**changes: Any) -> CompanyFacts:
    """The company's facts with these changed."""
    return replace(FACTS, **changes)


def ready(**changes: Any) -> Situation:
    """The situation with these changed."""
    return replace(READY, **changes)


def issued(**changes: Any) -> InvoiceRecord:
    """The issued invoice with these changed."""
    return replace(ISSUED, **changes)
