"""A worker may die at any point of a step: the next one converges to exactly one record, byte for byte.

Three points: the attempt is written and nothing has left; it was done there and no answer came; the answer came and
wasn't committed. Each for every kind of step.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from cone.accounting.attempts import Attempt as Attempted
from cone.accounting.database import Database
from cone.accounting.delivered import Delivered
from cone.accounting.port.documents import Document, InvoiceDocument, Kind, PaymentDocument
from cone.accounting.records import Situation, Subject
from cone.accounting.removals import RemovalSettler
from cone.accounting.sending import Sender
from cone.books.models import Attempt, Customer, Invoice, Link, OutboxRow, Payment
from cone.domain.customers import CustomerInput
from cone.domain.payments import AllocationInput, PaymentInput
from cone.operations.actor import Actor
from cone.operations.edit_payment import edit_payment
from cone.operations.pause_sync import pause_sync
from cone.operations.resume_sync import resume_sync
from cone.operations.save_customer import save_customer
from cone.operations.save_invoice import save_invoice
from cone.operations.save_removal_policy import save_removal_policy
from cone.operations.void_invoice import void_invoice
from cone.operations.void_payment import void_payment
from tests.builders import get_tax_rate, make_customer, make_invoice, make_invoice_input, make_line, make_payment
from tests.fakes.ledger import FakeLedger, Sending
from tests.integration.accounting.conftest import Held, MakeWorker, configure, connect, hurry, is_settled, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

Point = str
POINTS = ("before it leaves", "done there, no answer", "answered, not committed")


def crash_at(
    point: Point, kind: Kind, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run a worker up to the point of the first such step, and end it there."""
    held = Held(kind)
    with monkeypatch.context() as patch:
        if point == "before it leaves":
            ledger.before_send = held
        elif point == "done there, no answer":
            ledger.after_send = held
        else:
            deliver, settle_removed = Sender.deliver, RemovalSettler.removed

            async def hold(self: Sender, delivered: Sequence[Delivered], situation: Situation) -> None:
                for one in delivered:
                    await held(Sending("", one.attempt.kind, "", one.attempt.request))
                await deliver(self, delivered, situation)

            async def hold_removed(
                self: RemovalSettler, database: Database, subject: Subject, attempt: Attempted | None, **named: Any
            ) -> None:
                if attempt is not None:
                    await held(Sending("", attempt.kind, "", attempt.request))
                await settle_removed(self, database, subject, attempt, **named)

            patch.setattr(Sender, "deliver", hold)
            patch.setattr(RemovalSettler, "removed", hold_removed)
        worker = make_worker()
        assert held.is_asked.wait(10)
        worker.stop()
        held.is_released.set()
    ledger.before_send = ledger.after_send = None


def sends_of(ledger: FakeLedger, kind: Kind) -> list[Sending]:
    return [sending for sending in ledger.sent if sending.kind == kind]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("kind", ["customer", "service", "invoice", "payment"])
def test_crash_while_creating_leaves_one_record(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
    kind: Kind,
    point: Point,
) -> None:
    hurry(ledger, 400)
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, is_issued=True)
    payment = make_payment(owner, invoice, "20.00")
    crash_at(point, kind, ledger, make_worker, monkeypatch)
    crashed = Attempt.objects.get(kind=kind)
    assert (crashed.state, crashed.sends) == ("unknown", 1)
    assert len(ledger.records(kind)) == (0 if point == POINTS[0] else 1)
    assert not Link.objects.filter(kind=kind).exists()

    make_worker()
    wait_until(lambda: Link.objects.filter(record_uuid=payment.uuid).exists() and is_settled(owner))

    resolved = Attempt.objects.get(kind=kind, operation="create")
    is_repeated = point == POINTS[0]
    assert (resolved.pk, resolved.state, resolved.verdict, resolved.sends) == (
        (crashed.pk, "succeeded", "sent", 2) if is_repeated else (crashed.pk, "succeeded", "found", 1)
    )
    sends = sends_of(ledger, kind)
    assert (sends[0].request_id, sends[0].request.body) == (crashed.request_id, bytes(crashed.body))
    # What is found by its name and not by a mark is brought up to date, whatever it says there.
    is_updated = not is_repeated and kind in ("customer", "service")
    assert [sending.request.line.split()[0] for sending in sends[1:]] == ["update"] * is_updated
    kinds: tuple[Kind, ...] = ("customer", "service", "invoice", "payment")
    assert [len(ledger.records(each)) for each in kinds] == [1, 1, 1, 1]
    assert OutboxRow.objects.count() == 0


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("kind", ["customer", "invoice", "payment"])
def test_crash_while_updating_and_an_edit_after_it_end_in_the_latest_state(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
    kind: Kind,
    point: Point,
) -> None:
    hurry(ledger, 400)
    first = make_worker()
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, make_customer(owner, "Name 0"), is_issued=True)
    wait_until(lambda: Link.objects.filter(record_uuid=invoice.uuid).exists() and is_settled(owner))
    if kind == "payment":
        make_payment(owner, invoice, "5.00")
        wait_until(lambda: Link.objects.filter(kind="payment").exists() and is_settled(owner))
    first.stop()

    edit = _editor(owner, kind, invoice)
    edit(1)
    crash_at(point, kind, ledger, make_worker, monkeypatch)
    assert Attempt.objects.filter(kind=kind, operation="update", state="unknown").count() == 1
    edit(2)
    make_worker()
    wait_until(lambda: is_settled(owner) and not Attempt.objects.filter(state="unknown").exists())

    updates = list(
        Attempt.objects.filter(kind=kind, operation="update").order_by("id").values_list("state", "sends", "generation")
    )
    assert updates == [("succeeded", 2, 2), ("succeeded", 1, 3)]
    (record,) = ledger.records(kind)
    assert (
        _figure_of(record.document)
        == {"customer": "Name 2", "invoice": Decimal("24.00"), "payment": Decimal("20.00")}[kind]
    )
    assert record.version == 2
    link = Link.objects.get(kind=kind)
    source = {"customer": Customer, "invoice": Invoice, "payment": Payment}[kind]._default_manager.get()
    assert (link.synced_revision, link.remote_version) == (source.revision, "2")


def _editor(actor: Actor, kind: Kind, invoice: Invoice) -> Callable[[int], None]:
    def edit(number: int) -> None:
        if kind == "customer":
            save_customer(actor, CustomerInput(name=f"Name {number}"), uuid=invoice.customer.uuid)
        elif kind == "payment":
            paid = Decimal(f"{number}0.00")
            parts = (AllocationInput(invoice.uuid, paid),)
            typed = PaymentInput(invoice.customer.uuid, timezone.localdate(), paid, parts)
            edit_payment(actor, typed, uuid=Payment.objects.get().uuid)
        else:
            line = make_line(get_tax_rate(actor.workspace, 20), unit_price=f"{number}0.00")
            save_invoice(actor, make_invoice_input(invoice.customer, [line]), uuid=invoice.uuid)

    return edit


def _figure_of(document: Document) -> object:
    match document:
        case InvoiceDocument():
            return document.total
        case PaymentDocument():
            return document.amount
        case _:
            return document.name


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(
    ("kind", "policy", "standing"),
    [("payment", "void", "void"), ("invoice", "void", "void"), ("invoice", "delete", "deleted")],
)
def test_crash_while_taking_back_leaves_nothing_live_and_nothing_twice(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
    kind: Kind,
    policy: str,
    standing: str,
    point: Point,
) -> None:
    hurry(ledger, 400)
    first = make_worker()
    connect(owner, ledger)
    configure(owner)
    save_removal_policy(owner, policy)
    invoice = make_invoice(owner, is_issued=True)
    payment = make_payment(owner, invoice, "20.00") if kind == "payment" else None
    wait_until(lambda: Link.objects.filter(kind=kind).exists() and is_settled(owner))
    first.stop()

    if payment is not None:
        void_payment(owner, payment.uuid)
    else:
        void_invoice(owner, invoice.uuid)
    crash_at(point, kind, ledger, make_worker, monkeypatch)
    crashed = Attempt.objects.get(state="unknown")
    assert crashed.operation == ("delete" if policy == "delete" else "void")
    assert Link.objects.get(kind=kind).standing == "live"

    make_worker()
    wait_until(lambda: not OutboxRow.objects.exists())
    assert Link.objects.get(kind=kind).standing == standing
    verdicts = Attempt.objects.filter(operation=crashed.operation).order_by("id").values_list("verdict", flat=True)
    assert list(verdicts) == (["not_done", "removed"] if point == POINTS[0] else ["removed"])
    assert [record.standing for record in ledger.records(kind)] == ([] if standing == "deleted" else [standing])


def test_two_workers_after_a_crash_find_it_once(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(ledger, 400)
    connect(owner, ledger)
    configure(owner)
    make_invoice(owner, is_issued=True)
    crash_at(POINTS[1], "invoice", ledger, make_worker, monkeypatch)
    make_worker()
    make_worker()
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner))
    assert len(sends_of(ledger, "invoice")) == 1
    assert len(ledger.records("invoice")) == 1


def test_answer_of_another_record_is_never_linked(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, caplog: pytest.LogCaptureFixture
) -> None:
    """A request id that comes again, in a restored database say: the stored answer is somebody else's."""
    make_worker()
    connect(owner, ledger)
    configure(owner)
    first = make_invoice(owner, is_issued=True)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    answers = ledger.companies["fake-company"].answers
    stored = answers[Attempt.objects.get(kind="invoice").request_id]
    second_started = threading.Event()

    async def answer_with_the_first(sending: Sending) -> None:
        if sending.kind == "invoice" and not second_started.is_set():
            second_started.set()
            answers[sending.request_id] = stored
        await asyncio.sleep(0)

    ledger.before_send = answer_with_the_first
    pause_sync(owner)
    second = make_invoice(owner, first.customer, is_issued=True)
    # Tried in vain as often as may be: only such answers count.
    OutboxRow.objects.update(tries=12)
    resume_sync(owner)
    wait_until(lambda: Link.objects.filter(record_uuid=second.uuid).exists() and is_settled(owner))

    ids = set(Link.objects.filter(kind="invoice").values_list("remote_id", flat=True))
    assert len(ids) == 2
    assert {record.document.uuid for record in ledger.records("invoice")} == {first.uuid, second.uuid}
    verdicts = Attempt.objects.filter(record_uuid=second.uuid).order_by("id").values_list("verdict", "generation")
    assert list(verdicts) == [("ghost", 1), ("sent", 2)]
    assert "is of another record" in caplog.text
