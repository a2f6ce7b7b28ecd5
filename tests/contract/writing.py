"""Documents for the suite: made with the book's own arithmetic, sent through the port."""

from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import uuid4

from cone.accounting.port.company import TaxCode
from cone.accounting.port.documents import (
    Address,
    AllocationDocument,
    Create,
    CustomerDocument,
    Document,
    InvoiceDocument,
    InvoiceLineDocument,
    PaymentDocument,
    RemoteRecord,
    Removal,
    ServiceDocument,
    Update,
)
from cone.accounting.port.provider import Sent
from cone.domain.totals import AmountsAre, PricedLine, total_up

from .platform import Connected


async def take(connected: Connected, step: Removal) -> RemoteRecord:
    """Void or delete."""
    request = connected.provider.prepare(step, connected.facts)
    sent = await connected.client.send(connected.access, request, request_id=str(uuid4()), kind=step.kind)
    return sent.record


async def send(
    connected: Connected, document: Document, *, over: RemoteRecord | None = None, key: str = "", has_text: bool = False
) -> Sent:
    """Create, or update `over`, where a text of ours may stand."""
    step = Create(document) if over is None else Update(document, over.remote_id, over.version, has_text=has_text)
    request = connected.provider.prepare(step, connected.facts)
    return await connected.client.send(connected.access, request, request_id=key or str(uuid4()), kind=document.kind)


def a_customer(connected: Connected, *, name: str = "") -> CustomerDocument:
    """A customer whose name nobody else has."""
    return CustomerDocument(
        uuid=uuid4(),
        revision=1,
        name=name or f"Zoë & Søn's Bakery {uuid4()}",
        email="zoe@example.com",
        phone="020 7946 0000",
        tax_number="GB 123 4567 89",
        address=Address(line1="1 High Street", city="Leeds", postal_code="LS1 1AA", country="GB"),
        currency=connected.facts.home_currency,
        notes="Pays on time",
    )


def a_service(connected: Connected) -> ServiceDocument:
    """A service on the suggested income account."""
    account = connected.reference.suggested_income_account_id
    assert account is not None
    return ServiceDocument(
        uuid=uuid4(),
        revision=1,
        name=f"O'Brien's advice {uuid4()}",
        description="By the hour",
        unit_price=Decimal("85.50"),
        income_account_id=account,
    )


def taxed_code(connected: Connected) -> TaxCode:
    """The active code with the highest fixed percentage."""
    codes = [code for code in connected.reference.tax_codes if code.is_active and code.percent]
    return max(codes, key=lambda code: code.percent or Decimal(0))


def untaxed_code(connected: Connected) -> TaxCode:
    """An active code of zero per cent."""
    return next(code for code in connected.reference.tax_codes if code.is_active and code.percent == 0)


async def an_invoice(
    connected: Connected,
    *lines: tuple[str, str, str, TaxCode],
    amounts_are: Literal["exclusive", "inclusive"] = "exclusive",
) -> InvoiceDocument:
    """An invoice of (quantity, unit price, discount percent, code) lines, with its customer and service sent."""
    customer = await send(connected, a_customer(connected))
    service = await send(connected, a_service(connected))
    given = lines or (("2", "50", "0", taxed_code(connected)),)
    uuids = {code.remote_id: uuid4() for *_, code in given}
    inputs = [
        PricedLine(
            Decimal(quantity), Decimal(price), Decimal(discount), uuids[code.remote_id], code.percent or Decimal(0)
        )
        for quantity, price, discount, code in given
    ]
    totals = total_up(inputs, amounts_are=AmountsAre(amounts_are), currency=connected.facts.home_currency)
    return InvoiceDocument(
        uuid=uuid4(),
        revision=1,
        number=uuid4().hex[:21],
        customer_id=customer.record.remote_id,
        customer_email="zoe@example.com",
        issue_date=date(2026, 11, 2),
        due_date=date(2026, 12, 2),
        currency=connected.facts.home_currency,
        amounts_are=amounts_are,
        lines=tuple(
            InvoiceLineDocument(
                item_id=service.record.remote_id,
                description="Advice – as agreed",
                quantity=line.quantity,
                unit_price=line.unit_price,
                amount=amounts.amount,
                net=amounts.net,
                tax_code_id=code.remote_id,
                tax_percent=line.tax_percent,
            )
            for line, amounts, (*_, code) in zip(inputs, totals.lines, given, strict=True)
        ),
        memo="Thank you",
        net=totals.net,
        tax=totals.tax,
        total=totals.total,
        deposit_account_id=None,
    )


def a_payment(connected: Connected, customer_id: str, amount: Decimal, *parts: tuple[str, Decimal]) -> PaymentDocument:
    """A payment into the first bank account, of (invoice's id there, amount) parts."""
    bank = next(account for account in connected.reference.accounts if account.can_receive_deposits)
    return PaymentDocument(
        uuid=uuid4(),
        revision=1,
        customer_id=customer_id,
        received_date=date(2026, 11, 5),
        amount=amount,
        currency=connected.facts.home_currency,
        deposit_account_id=bank.remote_id,
        method="Standing order",
        method_id="",
        reference="BACS 7",
        allocations=tuple(AllocationDocument(invoice_id, part) for invoice_id, part in parts),
    )
