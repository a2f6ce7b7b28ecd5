"""Write the planned year into the books in bulk, by the rules and row builders that single invoices use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db import connection

from cone.books.models import (
    Activity,
    Counter,
    Customer,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    Payment,
    PaymentAllocation,
    Service,
)
from cone.demo.year import PlannedInvoice
from cone.domain.invoices import DisplayStatus, InvoiceInput, InvoiceStatus, LineInput, check_invoice
from cone.domain.numbering import INVOICE_COUNTER, invoice_number
from cone.kit.money import round_amount
from cone.operations.actor import Actor
from cone.operations.invoice_content import References, build_rows, fill, price


@dataclass(frozen=True, slots=True)
class Books:
    """What the year is written with. Customers and services stand in the order of the cast."""

    actor: Actor
    customers: Sequence[Customer]
    services: Sequence[Service]
    today: date


def write_year(books: Books, planned: Sequence[PlannedInvoice]) -> None:
    """Write invoices with lines, taxes, payments and history; and the counter as it stands after them."""
    written = [_build(books, plan, position) for position, plan in enumerate(planned)]
    Invoice.objects.bulk_create([invoice for invoice, _, _ in written])
    lines: list[InvoiceLine] = []
    taxes: list[InvoiceTax] = []
    for invoice, wanted, references in written:
        new_lines, new_taxes = build_rows(invoice, wanted, references, price(wanted, references))
        lines += new_lines
        taxes += new_taxes
    InvoiceLine.objects.bulk_create(lines)
    InvoiceTax.objects.bulk_create(taxes)
    invoices = [invoice for invoice, _, _ in written]
    _write_payments(books, planned, invoices)
    _write_history(books, invoices)
    Counter.objects.filter(workspace=books.actor.workspace, name=INVOICE_COUNTER).update(
        next_value=1 + sum(invoice.number is not None for invoice in invoices)
    )


def _build(books: Books, plan: PlannedInvoice, position: int) -> tuple[Invoice, InvoiceInput, References]:
    references = References(
        customer=books.customers[plan.customer],
        services={service.uuid: service for service in books.services},
        tax_rates={service.tax_rate.uuid: service.tax_rate for service in books.services if service.tax_rate},
    )
    wanted = check_invoice(
        InvoiceInput(
            customer=references.customer.uuid,
            issue_date=plan.issue_date,
            due_date=plan.due_date,
            amounts_are=plan.amounts_are,
            memo=plan.memo,
            lines=tuple(_lines(books, plan)),
        )
    )
    totals = price(wanted, references)
    invoice = Invoice(workspace=books.actor.workspace)
    fill(invoice, wanted, references, totals)
    if plan.fate is not DisplayStatus.DRAFT:
        _settle(invoice, plan, number=invoice_number(books.actor.workspace.invoice_prefix, position + 1))
    return invoice, wanted, references


def _lines(books: Books, plan: PlannedInvoice) -> list[LineInput]:
    lines = []
    for line in plan.lines:
        service = books.services[line.service]
        if service.tax_rate is None:
            raise ValueError(f"{service.name} has no tax rate")
        lines.append(
            LineInput(
                service=service.uuid,
                description=service.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount_percent=line.discount_percent,
                tax_rate=service.tax_rate.uuid,
            )
        )
    return lines


def _settle(invoice: Invoice, plan: PlannedInvoice, *, number: str) -> None:
    issued_at = _at(plan.issue_date, 9)
    invoice.number, invoice.issued_at, invoice.revision = number, issued_at, 2
    invoice.status = (InvoiceStatus.VOID if plan.fate is DisplayStatus.VOID else InvoiceStatus.ISSUED).value
    invoice.sent_at = issued_at + timedelta(minutes=12) if plan.is_sent else None
    invoice.voided_at = issued_at + timedelta(hours=5) if plan.fate is DisplayStatus.VOID else None
    if plan.fate is DisplayStatus.WRITTEN_OFF:
        invoice.written_off_at = _at(plan.due_date + timedelta(days=90), 16)
    invoice.paid = round_amount(invoice.total * plan.paid_percent / Decimal(100), invoice.currency)


def _write_payments(books: Books, planned: Sequence[PlannedInvoice], invoices: Sequence[Invoice]) -> None:
    """Write a payment for each invoice that is paid, in full or in part."""
    payments: list[Payment] = []
    allocations: list[PaymentAllocation] = []
    for plan, invoice in zip(planned, invoices, strict=True):
        if not invoice.paid:
            continue
        days = 4 + len(payments) * 11 % 40
        payment = Payment(
            workspace=invoice.workspace,
            customer=invoice.customer,
            # Yesterday at the latest: history never lies ahead, at whatever hour the demo is made.
            received_date=min(plan.issue_date + timedelta(days=days), books.today - timedelta(days=1)),
            amount=invoice.paid,
            allocated=invoice.paid,
            currency=invoice.currency,
            method=("Bank transfer", "Bank transfer", "Card", "Cheque")[len(payments) % 4],
            reference=f"BACS {4000 + len(payments) * 13}",
        )
        payments.append(payment)
        allocations.append(
            PaymentAllocation(workspace=invoice.workspace, payment=payment, invoice=invoice, amount=invoice.paid)
        )
    Payment.objects.bulk_create(payments)
    PaymentAllocation.objects.bulk_create(allocations)


def _write_history(books: Books, invoices: Sequence[Invoice]) -> None:
    entries: list[Activity] = []
    moments: list[datetime] = []
    for invoice in invoices:
        number = {"number": invoice.number or ""}
        happened = [
            (
                "created",
                invoice.issued_at or _at(invoice.issue_date - timedelta(days=1), 8),
                {"total": f"{invoice.total:f}"},
            ),
            ("issued", invoice.issued_at, number),
            ("sent", invoice.sent_at, number),
            ("voided", invoice.voided_at, number),
            ("written_off", invoice.written_off_at, number),
        ]
        for verb, at, detail in happened:
            if at is not None:
                entries.append(_entry(books, invoice, verb, detail))
                moments.append(at)
    for allocation in PaymentAllocation.objects.filter(workspace=books.actor.workspace).select_related(
        "payment", "invoice"
    ):
        detail = {"amount": f"{allocation.amount:.2f}", "currency": allocation.payment.currency}
        entries.append(_entry(books, allocation.invoice, "payment_recorded", detail))
        moments.append(_at(allocation.payment.received_date, 7))
    Activity.objects.bulk_create(entries)
    _set_moments([entry.pk for entry in entries], moments)


def _entry(books: Books, invoice: Invoice, verb: str, detail: dict[str, str]) -> Activity:
    return Activity(
        workspace=books.actor.workspace,
        kind="invoice",
        record_uuid=invoice.uuid,
        verb=verb,
        detail=detail,
        actor=books.actor.user,
    )


def _set_moments(ids: list[int], moments: list[datetime]) -> None:
    # The column is filled with the present moment on insert; one statement sets them all.
    with connection.cursor() as cursor:
        cursor.execute(
            "update books_activity set at = moment.at "
            "from unnest(%s::bigint[], %s::timestamptz[]) as moment (id, at) where books_activity.id = moment.id",
            [ids, moments],
        )


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=UTC)
