"""A firm at work for the state machine: what people do in it and there, and what must hold once all has settled."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Literal, TypeVar
from uuid import UUID

from django.utils import timezone

from cone.accounting.candidates import list_stored
from cone.accounting.facts import as_kind
from cone.accounting.port.documents import InvoiceDocument, Kind, PaymentDocument
from cone.accounting.registry import register, unregister
from cone.books.models import Attempt, Connection, Customer, Invoice, Link, OutboxRow, Payment
from cone.domain.customers import CustomerInput
from cone.domain.errors import RefusalError
from cone.domain.payments import AllocationInput, PaymentInput
from cone.operations.actor import Actor
from cone.operations.disconnect_provider import disconnect_provider
from cone.operations.edit_payment import edit_payment
from cone.operations.pause_sync import pause_sync
from cone.operations.resolve_uncertain import link_candidate, send_again
from cone.operations.resume_sync import resume_sync
from cone.operations.save_customer import save_customer
from cone.operations.save_invoice import save_invoice
from cone.operations.save_removal_policy import save_removal_policy
from cone.operations.save_terms import save_terms
from cone.operations.sync_now import sync_all, sync_record
from cone.operations.void_invoice import void_invoice
from cone.operations.void_payment import void_payment
from tests.builders import get_tax_rate, make_customer, make_invoice, make_invoice_input, make_line, make_owner
from tests.builders import make_payment as record_payment
from tests.fakes.ledger import FakeLedger, FakeRecord
from tests.integration.accounting.conftest import configure, connect
from tests.integration.accounting.driving import Driver

_serial = count(1)
_Model = TypeVar("_Model", Customer, Invoice, Payment)
A_LONG_TIME = timedelta(minutes=10)


class Firm:
    """One firm, its ledger and its worker. What people do is done or refused as it would be on a page."""

    def __init__(self) -> None:
        self.actor: Actor = make_owner()
        self.ledger = FakeLedger(key=f"fake{next(_serial)}")
        self.ledger.request_timeout = timedelta(seconds=30)
        register(self.ledger)
        connect(self.actor, self.ledger)
        configure(self.actor)
        self.driver = Driver(self.ledger, self.actor)
        # Ids there of what its bookkeeper voided or deleted by hand.
        self._taken_back: set[str] = set()

    def close(self) -> None:
        self.driver.close()
        unregister(self.ledger.key)

    def some(self, model: type[_Model], pick: int) -> _Model | None:
        """One of the firm's records, if it has any."""
        found = model._default_manager.filter(workspace=self.actor.workspace).order_by("id")
        number = found.count()
        return found[pick % number] if number else None

    @property
    def active(self) -> Connection | None:
        return Connection.objects.filter(workspace=self.actor.workspace).exclude(state="disconnected").first()

    # What people do here

    def add_customer(self, name: str, email: str) -> None:
        make_customer(self.actor, name, typed=CustomerInput(name=name, email=email))

    def rename_customer(self, pick: int, name: str) -> None:
        if (customer := self.some(Customer, pick)) is not None:
            with suppress(RefusalError):
                save_customer(self.actor, CustomerInput(name=name, email=customer.email), uuid=customer.uuid)

    def issue(self, pick: int, price: str, *, number: int = 1) -> None:
        customer = self.some(Customer, pick) or make_customer(self.actor, "The first")
        line = make_line(get_tax_rate(self.actor.workspace, 20), unit_price=price)
        for _ in range(number):
            make_invoice(self.actor, customer, lines=[line], is_issued=True)

    def edit_invoice(self, pick: int, price: str) -> None:
        if (invoice := self.some(Invoice, pick)) is not None:
            line = make_line(get_tax_rate(self.actor.workspace, 20), unit_price=price)
            with suppress(RefusalError):
                save_invoice(self.actor, make_invoice_input(invoice.customer, [line]), uuid=invoice.uuid)

    def void_invoice(self, pick: int) -> None:
        if (invoice := self.some(Invoice, pick)) is not None:
            with suppress(RefusalError):
                void_invoice(self.actor, invoice.uuid)

    def pay(self, pick: int, amount: str) -> None:
        if (invoice := self.some(Invoice, pick)) is not None:
            with suppress(RefusalError):
                record_payment(self.actor, invoice, amount)

    def edit_payment(self, pick: int, amount: str) -> None:
        if (payment := self.some(Payment, pick)) is not None:
            part = payment.allocations.select_related("invoice").first()
            parts = (AllocationInput(part.invoice.uuid, Decimal(amount)),) if part else ()
            typed = PaymentInput(payment.customer.uuid, timezone.localdate(), Decimal(amount), parts)
            with suppress(RefusalError):
                edit_payment(self.actor, typed, uuid=payment.uuid)

    def void_payment(self, pick: int) -> None:
        if (payment := self.some(Payment, pick)) is not None:
            with suppress(RefusalError):
                void_payment(self.actor, payment.uuid)

    def set_paused(self, *, is_paused: bool) -> None:
        with suppress(RefusalError):
            (pause_sync if is_paused else resume_sync)(self.actor)

    def leave(self) -> None:
        """Disconnect; answers in flight were given up before."""
        self.driver.pass_time(timedelta(seconds=31))
        with suppress(RefusalError):
            disconnect_provider(self.actor)

    def come_back(self) -> None:
        active = self.active
        if active is None or active.state in ("needs_reconnect", "read_only"):
            connect(self.actor, self.ledger)
            configure(self.actor)

    def set_policy(self, policy: str) -> None:
        with suppress(RefusalError):
            save_removal_policy(self.actor, policy)

    def set_terms(self, answers: dict[str, str]) -> None:
        with suppress(RefusalError):
            save_terms(self.actor, answers)

    def sync_now(self, kind: Kind, pick: int) -> None:
        found: Customer | Invoice | Payment | None = self.some(Customer, pick) if kind == "customer" else None
        if kind in ("invoice", "payment"):
            found = self.some(Invoice, pick) if kind == "invoice" else self.some(Payment, pick)
        if found is not None:
            with suppress(RefusalError):
                sync_record(self.actor, kind, found.uuid)

    def sync_all(self) -> None:
        with suppress(RefusalError):
            sync_all(self.actor)

    def answer_what_is_uncertain(self) -> None:
        """A person looks there, long after anything could still arrive, and says how it is."""
        self.driver.pass_time(A_LONG_TIME)
        if self.active is None:
            return
        for row in OutboxRow.objects.filter(
            company__workspace=self.actor.workspace, state="blocked", cause_key__startswith="outcome_uncertain:"
        ):
            there = self.find_there(as_kind(row.kind), row.record_uuid)
            candidates = {each["remote_id"] for each in list_stored(row.cause)}
            with suppress(RefusalError):
                if not there:
                    send_again(self.actor, as_kind(row.kind), row.record_uuid)
                elif candidates.intersection(each.remote_id for each in there):
                    link_candidate(self.actor, as_kind(row.kind), row.record_uuid, remote_id=there[0].remote_id)

    # What happens there

    def find_there(self, kind: Kind, uuid: UUID) -> list[FakeRecord]:
        """The records there of one of ours."""
        return [each for each in self.ledger.records(kind) if each.document.uuid == uuid]

    def touch_there(self, kind: Kind, pick: int, what: Callable[[Kind, str], None]) -> None:
        """Something is done there to a record of ours that is linked."""
        links = Link.objects.filter(company__workspace=self.actor.workspace, kind=kind, standing="live").order_by("id")
        known = [link for link in links if (kind, link.remote_id) in self.ledger.companies["fake-company"].records]
        if known:
            what(kind, known[pick % len(known)].remote_id)

    def take_back_there(self, kind: Kind, pick: int, *, by: Literal["void", "delete"]) -> None:
        """The bookkeeper voids or deletes one of ours."""

        def take_back(kind: Kind, remote_id: str) -> None:
            self._taken_back.add(remote_id)
            (self.ledger.void_there if by == "void" else self.ledger.remove_there)(kind, remote_id)

        self.touch_there(kind, pick, take_back)

    # What must hold in the end

    def come_to_rest(self) -> None:
        """Nobody disturbs anything any more; people answer what they're asked, and everything settles."""
        self.ledger.stop_failing()
        self.set_paused(is_paused=False)
        self.come_back()
        for _ in range(3):
            self.driver.settle()
            self.answer_what_is_uncertain()
            self.sync_all()
        self.driver.settle()

    def list_wrongs(self) -> list[str]:
        """Everything that isn't as it must be."""
        rows = {(row.kind, row.record_uuid): row for row in self._rows()}
        links = {(link.kind, link.record_uuid): link for link in self._links()}
        wrong = [
            f"{key} is {row.state} and waits for nothing" for key, row in rows.items() if not _is_explained(row, rows)
        ]
        for kind in ("customer", "invoice", "payment"):
            for record in self.ledger.records(as_kind(kind)):
                if len(self.find_there(as_kind(kind), record.document.uuid)) > 1:
                    wrong += [f"{kind} {record.document.uuid} stands there twice"]
        for attempt in Attempt.objects.filter(company__workspace=self.actor.workspace, state="unknown"):
            if rows.get((attempt.kind, attempt.record_uuid)) is None:
                wrong += [f"{attempt.kind} {attempt.record_uuid}: nobody finds out what became of it"]
        for invoice in Invoice.objects.filter(workspace=self.actor.workspace):
            if ("invoice", invoice.uuid) not in rows:
                wrong += self._wrongs_of_invoice(invoice, links.get(("invoice", invoice.uuid)))
        for payment in Payment.objects.filter(workspace=self.actor.workspace):
            if ("payment", payment.uuid) not in rows:
                wrong += self._wrongs_of_payment(payment, links.get(("payment", payment.uuid)))
        return wrong

    def _rows(self) -> list[OutboxRow]:
        return list(OutboxRow.objects.filter(company__workspace=self.actor.workspace))

    def _links(self) -> list[Link]:
        return list(Link.objects.filter(company__workspace=self.actor.workspace))

    def _wrongs_of_invoice(self, invoice: Invoice, link: Link | None) -> list[str]:
        there = self.find_there("invoice", invoice.uuid)
        live = [record for record in there if record.standing == "live"]
        name = f"invoice {invoice.uuid} ({invoice.status})"
        if invoice.status == "void":
            return [f"{name} stands there"] if live and (link is None or link.standing != "removed") else []
        if link is None:
            return [f"{name} stands there and isn't linked"] if there else self._wrongs_of_unsent(name, invoice)
        if link.remote_id in self._taken_back:
            return [f"{name} was taken back there and made again"] if live else []
        if [record.remote_id for record in live] != [link.remote_id]:
            return [f"{name} is linked to {link.remote_id}, there are {[record.remote_id for record in there]}"]
        document = live[0].document
        assert isinstance(document, InvoiceDocument)
        return [] if document.total == invoice.total else [f"{name}: {invoice.total} here, {document.total} there"]

    def _wrongs_of_unsent(self, name: str, invoice: Invoice) -> list[str]:
        active = self.active
        assert active is not None
        is_older = invoice.issued_at is not None and invoice.issued_at < active.connected_at
        return [] if is_older else [f"{name} isn't there, and nothing says why"]

    def _wrongs_of_payment(self, payment: Payment, link: Link | None) -> list[str]:
        live = [record for record in self.find_there("payment", payment.uuid) if record.standing == "live"]
        name = f"payment {payment.uuid}"
        if payment.voided_at is not None:
            return [f"{name} is void and stands there"] if live and (link is None or link.standing != "removed") else []
        if link is None:
            return [f"{name} stands there and isn't linked"] if live else []
        if link.remote_id in self._taken_back:
            return [f"{name} was taken back there and made again"] if live else []
        if [record.remote_id for record in live] != [link.remote_id]:
            return [f"{name} is linked to {link.remote_id}, there are {[record.remote_id for record in live]}"]
        document = live[0].document
        assert isinstance(document, PaymentDocument)
        ours = {
            Link.objects.get(kind="invoice", record_uuid=part.invoice.uuid).remote_id: part.amount
            for part in payment.allocations.select_related("invoice")
        }
        applied = {part.invoice_id: part.amount for part in document.allocations}
        is_equal = document.amount == payment.amount and applied == ours
        return [] if is_equal else [f"{name}: {payment.amount} {ours} here, {document.amount} {applied} there"]


def _is_explained(row: OutboxRow, rows: dict[tuple[str, UUID], OutboxRow]) -> bool:
    """Whether a row that is left says why: its own cause, or that of the record it waits for."""
    if row.state == "blocked":
        return True
    waited_for = rows.get((row.waits_for_kind or "", row.waits_for_uuid or row.record_uuid))
    return row.state == "due" and waited_for is not None and waited_for is not row and _is_explained(waited_for, rows)


@contextmanager
def working_firm() -> Iterator[Firm]:
    """A firm until the end of the block."""
    firm = Firm()
    try:
        yield firm
    finally:
        firm.close()
