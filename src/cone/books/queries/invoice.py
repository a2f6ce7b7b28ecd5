"""One invoice with all that its page shows."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from cone.books.models import Invoice, InvoiceLine, InvoiceTax, PaymentAllocation, Workspace
from cone.books.queries.statuses import read_facts
from cone.domain.errors import RecordNotFoundError
from cone.domain.invoices import DisplayStatus, InvoiceStatus, Verb, can, display_status
from cone.domain.numbering import shown_number
from cone.domain.totals import AmountsAre
from cone.kit.money import Money


@dataclass(frozen=True, slots=True)
class LineView:
    """One line. `amount` contains tax when the invoice's amounts do; `net` never."""

    service_uuid: UUID | None
    service_name: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    discount_percent: Decimal
    tax_rate_uuid: UUID
    tax_rate_name: str
    tax_percent: Decimal
    amount: Money
    net: Money


@dataclass(frozen=True, slots=True)
class TaxView:
    """The invoice's tax under one rate."""

    tax_rate_uuid: UUID
    name: str
    percent: Decimal
    net: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class PaymentPart:
    """The part of a payment that pays this invoice."""

    payment_uuid: UUID
    received_date: date
    method: str
    reference: str
    amount: Money
    is_void: bool


@dataclass(frozen=True, slots=True)
class InvoiceCustomer:
    """Whom the invoice is for; `address` is the lines of a letter, without the name."""

    uuid: UUID
    name: str
    email: str
    tax_number: str
    address: tuple[str, ...]
    country: str
    is_archived: bool


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice; `shown_number` says so where it has no number yet.

    `verbs` are the acts that its state allows; whether the person may is the role's question.
    """

    uuid: UUID
    revision: int
    number: str
    shown_number: str
    status: DisplayStatus
    is_draft: bool
    customer: InvoiceCustomer
    issue_date: date
    due_date: date
    currency: str
    amounts_are: AmountsAre
    memo: str
    exchange_rate: Decimal | None
    lines: tuple[LineView, ...]
    taxes: tuple[TaxView, ...]
    payments: tuple[PaymentPart, ...]
    discount: Money
    discount_percent: Decimal
    net: Money
    tax: Money
    total: Money
    paid: Money
    balance: Money
    verbs: frozenset[Verb]
    created_at: datetime
    issued_at: datetime | None
    sent_at: datetime | None
    voided_at: datetime | None
    written_off_at: datetime | None


def get_invoice(workspace: Workspace, uuid: UUID, *, today: date) -> InvoiceView:
    """Return an invoice of the workspace, in four queries.

    Raises: RecordNotFoundError.
    """
    invoice = Invoice.objects.select_related("customer").filter(workspace=workspace, uuid=uuid).first()
    if invoice is None:
        raise RecordNotFoundError
    lines = InvoiceLine.objects.filter(invoice=invoice).select_related("service", "tax_rate").order_by("position")
    taxes = InvoiceTax.objects.filter(invoice=invoice).select_related("tax_rate").order_by("id")
    parts = PaymentAllocation.objects.filter(invoice=invoice).select_related("payment")
    status = display_status(read_facts(invoice), today=today)
    currency = invoice.currency
    return InvoiceView(
        uuid=invoice.uuid,
        revision=invoice.revision,
        number=invoice.number or "",
        shown_number=shown_number(invoice.number, status=invoice.status),
        status=status,
        is_draft=invoice.status == InvoiceStatus.DRAFT,
        customer=_customer(invoice),
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        currency=currency,
        amounts_are=AmountsAre(invoice.amounts_are),
        memo=invoice.memo,
        exchange_rate=invoice.exchange_rate,
        lines=tuple(_line(line, currency) for line in lines),
        taxes=tuple(_tax(entry, currency) for entry in taxes),
        payments=tuple(_payment(part, currency) for part in parts.order_by("payment__received_date", "payment__id")),
        discount=Money(invoice.discount, currency).rounded(),
        discount_percent=invoice.discount_percent,
        net=Money(invoice.net, currency).rounded(),
        tax=Money(invoice.tax, currency).rounded(),
        total=Money(invoice.total, currency).rounded(),
        paid=Money(invoice.paid, currency).rounded(),
        balance=Money(invoice.total - invoice.paid, currency).rounded(),
        verbs=frozenset(verb for verb in Verb if can(verb, status)),
        created_at=invoice.created_at,
        issued_at=invoice.issued_at,
        sent_at=invoice.sent_at,
        voided_at=invoice.voided_at,
        written_off_at=invoice.written_off_at,
    )


def _customer(invoice: Invoice) -> InvoiceCustomer:
    customer = invoice.customer
    place = " ".join(filter(None, [customer.city, customer.region, customer.postal_code]))
    return InvoiceCustomer(
        uuid=customer.uuid,
        name=customer.name,
        email=customer.email,
        tax_number=customer.tax_number,
        address=tuple(filter(None, [customer.address_line1, customer.address_line2, place])),
        country=customer.country,
        is_archived=customer.archived_at is not None,
    )


def _line(line: InvoiceLine, currency: str) -> LineView:
    return LineView(
        service_uuid=line.service.uuid if line.service else None,
        service_name=line.service.name if line.service else "",
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_percent=line.discount_percent,
        tax_rate_uuid=line.tax_rate.uuid,
        tax_rate_name=line.tax_rate.name,
        tax_percent=line.tax_percent,
        amount=Money(line.amount, currency).rounded(),
        net=Money(line.net, currency).rounded(),
    )


def _tax(entry: InvoiceTax, currency: str) -> TaxView:
    return TaxView(
        tax_rate_uuid=entry.tax_rate.uuid,
        name=entry.name,
        percent=entry.percent,
        net=Money(entry.net, currency).rounded(),
        tax=Money(entry.tax, currency).rounded(),
    )


def _payment(part: PaymentAllocation, currency: str) -> PaymentPart:
    return PaymentPart(
        payment_uuid=part.payment.uuid,
        received_date=part.payment.received_date,
        method=part.payment.method,
        reference=part.payment.reference,
        amount=Money(part.amount, currency).rounded(),
        is_void=part.payment.voided_at is not None,
    )
