"""Builders with valid defaults, and a fixed cast: an owner, a biller and a bookkeeper of one firm, and an outsider.

Everything is made by the operations themselves, so that a test starts from books that could exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

from django.utils import timezone

from cone.books.models import Customer, Invoice, Membership, Payment, Service, TaxRate, User, Workspace
from cone.domain.customers import CustomerInput
from cone.domain.invoices import InvoiceInput, LineInput
from cone.domain.payments import AllocationInput, PaymentInput
from cone.domain.permissions import Role
from cone.domain.services import ServiceInput
from cone.domain.tax_presets import suggest_tax_rates
from cone.domain.tax_rates import TaxRateInput
from cone.domain.totals import AmountsAre
from cone.domain.workspaces import FirmInput
from cone.operations.actor import Actor
from cone.operations.create_firm import create_firm
from cone.operations.issue_invoice import issue_invoice
from cone.operations.record_payment import record_payment
from cone.operations.save_customer import save_customer
from cone.operations.save_invoice import save_invoice
from cone.operations.save_service import save_service
from cone.operations.save_tax_rate import save_tax_rate

_serial = count(1)


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of the tests. The outsider owns another firm."""

    owner: Actor
    biller: Actor
    bookkeeper: Actor
    outsider: Actor

    @property
    def workspace(self) -> Workspace:
        return self.owner.workspace


def make_user(email: str = "", *, name: str = "", password: str | None = None) -> User:
    """Make a person; without a password they can't sign in (hashing one is slow)."""
    return User.objects.create_user(email or f"person{next(_serial)}@example.com", password, name=name)


def make_workspace(
    name: str = "Hartley & Rowe", *, country: str = "GB", currency: str = "GBP", owner: User | None = None
) -> Workspace:
    """Make a firm with its country's suggested tax rates and "No tax"."""
    rates = suggest_tax_rates(country)
    return create_firm(owner or make_user(), FirmInput(name, country, currency, rates))


def make_owner(name: str = "Hartley & Rowe", *, country: str = "GB", currency: str = "GBP", email: str = "") -> Actor:
    """Make a firm and return its owner."""
    user = make_user(email)
    return Actor(make_workspace(name, country=country, currency=currency, owner=user), user, Role.OWNER)


def make_member(workspace: Workspace, role: Role = Role.BILLER, *, user: User | None = None) -> Actor:
    """Make a person a member."""
    person = user or make_user()
    Membership.objects.create(workspace=workspace, user=person, role=role.value)
    return Actor(workspace, person, role)


def make_cast() -> Cast:
    """Make two firms: one with an owner, a biller and a bookkeeper; the other is the outsider's."""
    owner = make_owner()
    return Cast(
        owner=owner,
        biller=make_member(owner.workspace, Role.BILLER),
        bookkeeper=make_member(owner.workspace, Role.BOOKKEEPER),
        outsider=make_owner("Outside Ltd"),
    )


def make_customer(actor: Actor, name: str = "Brûlé & Söhne", *, typed: CustomerInput | None = None) -> Customer:
    """Make a customer; `typed` gives all its other fields."""
    return save_customer(actor, replace(typed or CustomerInput(name=name, email="books@example.com"), name=name))


def make_service(actor: Actor, name: str = "", *, unit_price: Decimal = Decimal("150.00")) -> Service:
    """Make a service with a name of its own."""
    return save_service(actor, ServiceInput(name or f"Bookkeeping {next(_serial)}", unit_price=unit_price))


def make_tax_rate(actor: Actor, name: str = "", *, percent: Decimal = Decimal("12.5")) -> TaxRate:
    """Make a tax rate with a name of its own."""
    return save_tax_rate(actor, TaxRateInput(name or f"Levy {next(_serial)}", percent))


def get_tax_rate(workspace: Workspace, percent: Decimal | int = 20) -> TaxRate:
    """Return the firm's first rate of that percentage that isn't "No tax"."""
    rate = TaxRate.objects.filter(workspace=workspace, percent=percent, is_no_tax=False).order_by("id").first()
    assert rate is not None
    return rate


def get_no_tax(workspace: Workspace) -> TaxRate:
    """Return the firm's "No tax"."""
    return TaxRate.objects.get(workspace=workspace, is_no_tax=True)


def make_line(
    tax_rate: TaxRate,
    *,
    quantity: str = "1",
    unit_price: str = "100.00",
    discount: str = "0",
    service: Service | None = None,
    description: str = "Advice",
) -> LineInput:
    """Return a line as typed."""
    return LineInput(
        service=service.uuid if service else None,
        description=description,
        quantity=Decimal(quantity),
        unit_price=Decimal(unit_price),
        discount_percent=Decimal(discount),
        tax_rate=tax_rate.uuid,
    )


def make_invoice_input(
    customer: Customer | UUID,
    lines: Sequence[LineInput],
    *,
    issue_date: date | None = None,
    due_date: date | None = None,
    amounts_are: AmountsAre = AmountsAre.EXCLUSIVE,
    memo: str = "",
) -> InvoiceInput:
    """Return an invoice as typed: issued today, due in 30 days."""
    start = issue_date or timezone.localdate()
    return InvoiceInput(
        customer=customer if isinstance(customer, UUID) else customer.uuid,
        issue_date=start,
        due_date=due_date or start + timedelta(days=30),
        amounts_are=amounts_are,
        memo=memo,
        lines=tuple(lines),
    )


def make_invoice(
    actor: Actor,
    customer: Customer | None = None,
    *,
    lines: Sequence[LineInput] = (),
    is_issued: bool = False,
    issue_date: date | None = None,
    due_date: date | None = None,
    amounts_are: AmountsAre = AmountsAre.EXCLUSIVE,
) -> Invoice:
    """Make an invoice; by default a draft of 100.00 under the firm's highest rate."""
    highest = TaxRate.objects.filter(workspace=actor.workspace).order_by("-percent", "id")[0]
    typed = make_invoice_input(
        customer or make_customer(actor),
        lines or [make_line(highest)],
        issue_date=issue_date,
        due_date=due_date,
        amounts_are=amounts_are,
    )
    invoice = save_invoice(actor, typed)
    return issue_invoice(actor, invoice.uuid) if is_issued else invoice


def make_payment(actor: Actor, invoice: Invoice, amount: str | Decimal = "") -> Payment:
    """Record a payment of one invoice; by default of all that's owed."""
    invoice.refresh_from_db()
    paid = Decimal(amount) if amount else invoice.total - invoice.paid
    typed = PaymentInput(
        customer=invoice.customer.uuid,
        received_date=timezone.localdate(),
        amount=paid,
        allocations=(AllocationInput(invoice.uuid, paid),),
        method="Bank transfer",
    )
    return record_payment(actor, typed)
