"""What a run left when it was stopped goes with the next one."""

import asyncio
import threading
from datetime import timedelta

import pytest

from cone.accounting.runs.reading import view_run
from cone.books.models import Link, OutboxRow
from cone.operations.actor import Actor
from cone.operations.cancel_run import cancel_run
from cone.operations.send_existing_invoices import NothingToSendError, send_existing_invoices
from cone.operations.sync_now import sync_record
from cone.operations.void_payment import void_payment
from tests.builders import make_customer, make_invoice, make_payment
from tests.fakes.ledger import FakeLedger, Sending
from tests.integration.accounting.conftest import MakeWorker, configure, connect, is_settled, wait_until
from tests.integration.accounting.test_runs import TODAY, finish

pytestmark = pytest.mark.django_db(transaction=True)


class _HeldPayments:
    """A hook that keeps every payment until they're released, at most ten seconds."""

    def __init__(self) -> None:
        self.are_released = threading.Event()

    async def __call__(self, sending: Sending) -> None:
        if sending.kind == "payment":
            await asyncio.to_thread(self.are_released.wait, 10)


def test_payments_that_a_stopped_run_left_go_with_the_next_though_their_invoices_are_there(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    customer = make_customer(owner)
    invoices = [make_invoice(owner, customer, is_issued=True) for _ in range(20)]
    older = make_invoice(owner, customer, is_issued=True, issue_date=TODAY - timedelta(days=1))
    payments = [make_payment(owner, invoice) for invoice in invoices]
    paid_there = make_payment(owner, older)
    connect(owner, ledger)
    configure(owner)
    ledger.largest_batch = 1
    held = _HeldPayments()
    ledger.before_send = held
    make_worker()
    sync_record(owner, "invoice", older.uuid)

    run = send_existing_invoices(owner, TODAY)
    wait_until(lambda: Link.objects.filter(kind="invoice").count() == 21)
    cancel_run(owner, run.uuid)
    held.are_released.set()
    wait_until(lambda: is_settled(owner) and not view_run(run).progress.left)
    # No run took it on: it's as if the bookkeeper had recorded it there.
    Link.objects.get(record_uuid=paid_there.uuid).delete()
    left = [each for each in payments if not Link.objects.filter(record_uuid=each.uuid).exists()]
    assert len(left) >= 2
    assert not OutboxRow.objects.exists()

    void_payment(owner, left[0].uuid)
    again = send_existing_invoices(owner, TODAY - timedelta(days=1))
    finish(again)

    assert view_run(again).progress.done == len(left) - 1
    gone = {paid_there.uuid, left[0].uuid}
    linked = set(Link.objects.filter(kind="payment").values_list("record_uuid", flat=True))
    assert linked == {each.uuid for each in payments} - gone
    with pytest.raises(NothingToSendError):
        send_existing_invoices(owner, TODAY - timedelta(days=1))
