"""What stands on an invoice: its references found, its figures made, its rows written. Shared by save and issue."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from cone.books.models import Customer, Invoice, InvoiceLine, InvoiceTax, Service, TaxRate
from cone.domain.errors import InvalidFieldError
from cone.domain.invoices import InvoiceInput, LineInput
from cone.domain.totals import AmountsAre, Discount, InvoiceTotals, PricedLine, total_up
from cone.operations.actor import Actor
from cone.operations.records import find_referred


@dataclass(frozen=True, slots=True)
class References:
    """The records that an invoice refers to, by uuid, held against change."""

    customer: Customer
    services: Mapping[UUID, Service]
    tax_rates: Mapping[UUID, TaxRate]


def read_input(invoice: Invoice) -> InvoiceInput:
    """Return the stored invoice as if it had been typed."""
    lines = invoice.lines.select_related("service", "tax_rate").order_by("position")
    return InvoiceInput(
        customer=invoice.customer.uuid,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        amounts_are=AmountsAre(invoice.amounts_are),
        memo=invoice.memo,
        lines=tuple(_read_line(line) for line in lines),
        discount=Discount(
            percent=invoice.discount_percent, amount=Decimal(0) if invoice.discount_percent else invoice.discount
        ),
        exchange_rate=invoice.exchange_rate,
    )


def _read_line(line: InvoiceLine) -> LineInput:
    return LineInput(
        service=line.service.uuid if line.service else None,
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_percent=line.discount_percent,
        tax_rate=line.tax_rate.uuid,
    )


def find_references(actor: Actor, wanted: InvoiceInput, *, before: InvoiceInput | None) -> References:
    """Find what the invoice refers to in the actor's workspace; archived records only where they stood `before`.

    Raises: InvalidFieldError, naming the field.
    """
    customers = find_referred(Customer, actor, {wanted.customer})
    services = find_referred(Service, actor, {line.service for line in wanted.lines if line.service})
    rates = find_referred(TaxRate, actor, {line.tax_rate for line in wanted.lines})
    kept = set() if before is None else {before.customer} | {line.tax_rate for line in before.lines}
    kept_services = set() if before is None else {line.service for line in before.lines}
    customer = customers.get(wanted.customer)
    if customer is None:
        raise InvalidFieldError("customer", "Choose a customer from the list.")
    if customer.archived_at and customer.uuid not in kept:
        raise InvalidFieldError("customer", "This customer is archived; restore it first, or choose another.")
    for position, line in enumerate(wanted.lines):
        rate = rates.get(line.tax_rate)
        if rate is None or (rate.archived_at and rate.uuid not in kept):
            raise InvalidFieldError(f"lines.{position}.tax_rate", "Choose a tax rate from the list.")
        service = services.get(line.service) if line.service else None
        if line.service and (service is None or (service.archived_at and service.uuid not in kept_services)):
            raise InvalidFieldError(f"lines.{position}.service", "Choose a service from the list.")
    return References(customer=customer, services=services, tax_rates=rates)


def price(wanted: InvoiceInput, references: References) -> InvoiceTotals:
    """Make the invoice's figures with the rates' present percentages, in the customer's currency."""
    priced = [
        PricedLine(
            quantity=line.quantity,
            unit_price=line.unit_price,
            discount_percent=line.discount_percent,
            tax_rate=line.tax_rate,
            tax_percent=references.tax_rates[line.tax_rate].percent,
        )
        for line in wanted.lines
    ]
    currency, discount = references.customer.currency, wanted.discount
    totals = total_up(priced, amounts_are=wanted.amounts_are, currency=currency, discount=discount)
    if discount.amount and totals.discount != discount.amount:
        raise InvalidFieldError(
            "discount", f"The lines come to {totals.discount:,f}: keep the discount at that or below, in whole cents."
        )
    return totals


def fill(invoice: Invoice, wanted: InvoiceInput, references: References, totals: InvoiceTotals) -> None:
    """Set the invoice's own columns; the caller saves it, then its rows."""
    invoice.customer = references.customer
    invoice.currency = references.customer.currency
    invoice.issue_date, invoice.due_date = wanted.issue_date, wanted.due_date
    invoice.amounts_are, invoice.memo = wanted.amounts_are.value, wanted.memo
    invoice.exchange_rate = wanted.exchange_rate
    invoice.discount_percent, invoice.discount = wanted.discount.percent, totals.discount
    invoice.net, invoice.tax, invoice.total = totals.net, totals.tax, totals.total


def build_rows(
    invoice: Invoice, wanted: InvoiceInput, references: References, totals: InvoiceTotals
) -> tuple[list[InvoiceLine], list[InvoiceTax]]:
    """Return the invoice's lines and taxes as rows to insert; `invoice` must have its id."""
    lines = [
        InvoiceLine(
            workspace_id=invoice.workspace_id,
            invoice=invoice,
            position=position,
            service=references.services[line.service] if line.service else None,
            description=line.description,
            quantity=line.quantity,
            unit_price=line.unit_price,
            discount_percent=line.discount_percent,
            tax_rate=references.tax_rates[line.tax_rate],
            tax_percent=references.tax_rates[line.tax_rate].percent,
            amount=amounts.amount,
            net=amounts.net,
        )
        for position, (line, amounts) in enumerate(zip(wanted.lines, totals.lines, strict=True))
    ]
    taxes = [
        InvoiceTax(
            workspace_id=invoice.workspace_id,
            invoice=invoice,
            tax_rate=references.tax_rates[entry.tax_rate],
            name=references.tax_rates[entry.tax_rate].name,
            percent=entry.percent,
            net=entry.net,
            tax=entry.tax,
        )
        for entry in totals.taxes
    ]
    return lines, taxes


def write_rows(
    invoice: Invoice, wanted: InvoiceInput, references: References, totals: InvoiceTotals, *, is_new: bool
) -> None:
    """Put the lines and taxes in the place of the former ones."""
    if not is_new:
        InvoiceLine.objects.filter(invoice=invoice).delete()
        InvoiceTax.objects.filter(invoice=invoice).delete()
    lines, taxes = build_rows(invoice, wanted, references, totals)
    InvoiceLine.objects.bulk_create(lines)
    InvoiceTax.objects.bulk_create(taxes)
