"""People at work while everything goes wrong: they issue, edit, void, delete, take money, pause and reconnect.

Each has a chance of their own, made from the seed. What the books refuse is refused; when the database is away they
try something else. What they did is in the books alone: the audit asks nobody.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import psycopg
from django.db import Error, close_old_connections, connection
from django.utils import timezone

from bench.faults.firm import Firm
from cone.books.models import Customer, Invoice, Payment
from cone.domain.customers import CustomerInput
from cone.domain.errors import RefusalError
from cone.domain.invoices import InvoiceInput, LineInput
from cone.domain.payments import AllocationInput, PaymentInput
from cone.domain.totals import NO_DISCOUNT, AmountsAre, Discount
from cone.operations.delete_invoice import delete_invoice
from cone.operations.disconnect_provider import disconnect_provider
from cone.operations.edit_payment import edit_payment
from cone.operations.invoice_content import read_input
from cone.operations.issue_invoice import issue_invoice
from cone.operations.pause_sync import pause_sync
from cone.operations.record_payment import record_payment
from cone.operations.resume_sync import resume_sync
from cone.operations.save_customer import save_customer
from cone.operations.save_invoice import save_invoice
from cone.operations.sync_now import sync_all
from cone.operations.void_invoice import void_invoice
from cone.operations.void_payment import void_payment

_CENT = Decimal("0.01")
_BASES: tuple[AmountsAre, ...] = ("exclusive", "exclusive", "inclusive")


class User:
    """One person with access to all firms."""

    weights: ClassVar[dict[str, int]] = {
        "issue": 34,
        "edit": 14,
        "void": 4,
        "delete": 3,
        "pay": 14,
        "edit_payment": 4,
        "void_payment": 3,
        "edit_customer": 6,
        "pause": 2,
        "reconnect": 1,
        "press_sync_now": 3,
        "look_after": 6,
    }

    def __init__(self, seed: str, firms: Sequence[Firm], *, pause_seconds: Decimal, has_ended: threading.Event) -> None:
        self._chance = random.Random(seed)  # noqa: S311  # a repeatable run, not a secret
        self._firms = firms
        self._pause_seconds = pause_seconds
        self._has_ended = has_ended
        self._serial = 0
        self._name = seed
        self.did: Counter[str] = Counter()

    def run(self) -> None:
        """Work until the end is rung."""
        names, weights = zip(*self.weights.items(), strict=True)
        try:
            while not self._has_ended.wait(float(self._pause_seconds * self._chance.randrange(50, 150) / 100)):
                firm, act = self._chance.choice(self._firms), self._chance.choices(names, weights)[0]
                self._try(firm, act)
        finally:
            connection.close()

    def _try(self, firm: Firm, act: str) -> None:
        work: Callable[[Firm], None] = getattr(self, f"_{act}")
        try:
            if act == "reconnect":
                work(firm)
            else:
                with firm.door.shared() as may_enter:
                    if not may_enter:
                        return
                    work(firm)
        except RefusalError as refusal:
            self.did[f"refused: {refusal.code}"] += 1
        except (Error, psycopg.Error):
            self.did["the database was away"] += 1
            close_old_connections()
            connection.close()
        else:
            self.did[act] += 1

    # --- invoices --------------------------------------------------------------------------------------------

    def _issue(self, firm: Firm) -> None:
        invoice = save_invoice(firm.actor, self._write_invoice(firm, self._some_customer(firm)))
        firm.invoices.append(invoice.uuid)
        if self._chance.randrange(20):
            issue_invoice(firm.actor, invoice.uuid)

    def _edit(self, firm: Firm) -> None:
        if (uuid := self._some(firm.invoices)) is None:
            return
        invoice = Invoice.objects.filter(uuid=uuid).first()
        if invoice is not None:
            typed = self._write_invoice(firm, read_input(invoice).customer)
            save_invoice(firm.actor, typed, uuid=uuid)

    def _void(self, firm: Firm) -> None:
        if (uuid := self._some(firm.invoices)) is not None:
            void_invoice(firm.actor, uuid)

    def _delete(self, firm: Firm) -> None:
        if firm.invoices:
            uuid = firm.invoices[-1] if self._chance.randrange(2) else self._chance.choice(firm.invoices)
            delete_invoice(firm.actor, uuid)
            firm.invoices.remove(uuid)

    def _write_invoice(self, firm: Firm, customer: UUID) -> InvoiceInput:
        chance, today = self._chance, timezone.localdate()
        lines = tuple(
            LineInput(
                service=chance.choice(firm.services),
                description=f"Work {chance.randrange(1000)}",
                quantity=Decimal(chance.randrange(1, 40)) / 4,
                unit_price=Decimal(chance.randrange(1, 50_000)) / 100,
                discount_percent=Decimal(chance.choice([0, 0, 0, 10])),
                tax_rate=chance.choice(firm.rates),
            )
            for _ in range(chance.randrange(1, 5))
        )
        return InvoiceInput(
            customer=customer,
            issue_date=today,
            due_date=today + timedelta(days=chance.randrange(60)),
            amounts_are=chance.choice(_BASES),
            memo=f"Memo {chance.randrange(1000)}",
            lines=lines,
            discount=chance.choice([NO_DISCOUNT, NO_DISCOUNT, NO_DISCOUNT, Discount(percent=Decimal(5))]),
        )

    # --- customers and money ---------------------------------------------------------------------------------

    def _some_customer(self, firm: Firm) -> UUID:
        if firm.customers and self._chance.randrange(6):
            return self._chance.choice(firm.customers)
        self._serial += 1
        typed = CustomerInput(name=f"Client {self._name} {self._serial}", email=f"client{self._serial}@example.com")
        customer = save_customer(firm.actor, typed)
        firm.customers.append(customer.uuid)
        return customer.uuid

    def _edit_customer(self, firm: Firm) -> None:
        if (uuid := self._some(firm.customers)) is None:
            return
        customer = Customer.objects.get(uuid=uuid)
        # A person renames at times; the mark in front keeps names unlike.
        name = f"{customer.name.partition(' (')[0]} ({self._chance.randrange(100)})"
        typed = CustomerInput(
            name=name if self._chance.randrange(2) else customer.name,
            email=f"moved{self._chance.randrange(1000)}@example.com",
            city=self._chance.choice(["Leeds", "York", "Hull"]),
            country="GB",
            currency=customer.currency,
        )
        save_customer(firm.actor, typed, uuid=uuid)

    def _pay(self, firm: Firm) -> None:
        if (uuid := self._some(firm.invoices)) is None:
            return
        first = Invoice.objects.filter(uuid=uuid, status="issued").select_related("customer").first()
        if first is None:
            return
        others = Invoice.objects.filter(customer=first.customer, status="issued").exclude(pk=first.pk).order_by("id")
        owed = [invoice for invoice in (first, *others[:2]) if invoice.total > invoice.paid]
        parts = tuple(AllocationInput(each.uuid, self._part(each.total - each.paid)) for each in owed)
        if not parts:
            return
        rest = Decimal(self._chance.choice([0, 0, 0, 25]))
        amount = sum((part.amount for part in parts), start=rest)
        today = timezone.localdate()
        typed = PaymentInput(first.customer.uuid, today, amount, parts, reference=f"R{self._chance.randrange(10**6)}")
        firm.payments.append(record_payment(firm.actor, typed).uuid)

    def _part(self, owed: Decimal) -> Decimal:
        part = owed if self._chance.randrange(2) else owed * self._chance.randrange(10, 90) / 100
        return max(part.quantize(_CENT, "ROUND_DOWN"), _CENT)

    def _edit_payment(self, firm: Firm) -> None:
        if (uuid := self._some(firm.payments)) is None:
            return
        payment = Payment.objects.select_related("customer").get(uuid=uuid)
        parts = [AllocationInput(*pair) for pair in payment.allocations.values_list("invoice__uuid", "amount")]
        if len(parts) > 1 and self._chance.randrange(2):
            parts.pop()
        amount = sum((part.amount for part in parts), start=Decimal(self._chance.choice([0, 0, 10])))
        typed = PaymentInput(
            payment.customer.uuid,
            payment.received_date,
            amount,
            tuple(parts),
            reference=f"E{self._chance.randrange(10**6)}",
        )
        edit_payment(firm.actor, typed, uuid=uuid)

    def _void_payment(self, firm: Firm) -> None:
        if (uuid := self._some(firm.payments)) is not None:
            void_payment(firm.actor, uuid)

    # --- the connection --------------------------------------------------------------------------------------

    def _pause(self, firm: Firm) -> None:
        pause_sync(firm.actor)
        self._has_ended.wait(self._chance.randrange(1, 4))
        resume_sync(firm.actor)

    def _press_sync_now(self, firm: Firm) -> None:
        sync_all(firm.actor)

    def _reconnect(self, firm: Firm) -> None:
        """Disconnect, work on unconnected, connect again, and send by name what was made meanwhile."""
        with firm.door.alone() as is_mine:
            if not is_mine:
                return
            disconnect_provider(firm.actor)
            for act in ("issue", "edit", "void", "edit_customer", "pay"):
                if self._chance.randrange(2):
                    getattr(self, f"_{act}")(firm)
            while not firm.ensure_running() and not self._has_ended.wait(1):
                continue
            firm.send_what_was_made_apart()

    def _look_after(self, firm: Firm) -> None:
        firm.ensure_running()

    def _some(self, uuids: Sequence[UUID]) -> UUID | None:
        return self._chance.choice(uuids) if uuids else None
