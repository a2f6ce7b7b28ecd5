"""Existing invoices are sent only when asked for, from the date, and never in the way of live ones."""

import asyncio
import threading

import msgspec
import pytest
from django.utils import timezone

from cone.accounting.runs.reading import view_run
from cone.operations.actor import Actor
from cone.operations.send_existing_invoices import send_existing_invoices
from tests.builders import make_customer, make_invoice
from tests.fakes.ledger import FakeLedger, Sending
from tests.integration.accounting.conftest import MakeWorker, configure, connect, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = timezone.localdate()


def number_of(sending: Sending) -> str:
    return str(msgspec.json.decode(sending.request.body)["number"])


@pytest.mark.parametrize(("largest_batch", "under_way"), [(1, 6), (30, 2)])
def test_live_invoice_overtakes_its_own_companys_backfill_of_sixty(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, largest_batch: int, under_way: int
) -> None:
    ledger.largest_batch = largest_batch
    customer = make_customer(owner)
    old = {make_invoice(owner, customer, is_issued=True).number for _ in range(60)}
    connect(owner, ledger)
    configure(owner)
    run = send_existing_invoices(owner, TODAY)
    is_released = threading.Event()
    held: list[str] = []

    async def hold_the_old(sending: Sending) -> None:
        """The platform is slow: backfill fills every slot it may have."""
        if sending.kind == "invoice" and number_of(sending) in old and not is_released.is_set():
            held.append(number_of(sending))
            await asyncio.to_thread(is_released.wait, 10)

    ledger.before_send = hold_the_old
    make_worker()
    wait_until(lambda: len(held) == under_way)
    live = make_invoice(owner, customer, is_issued=True)
    wait_until(lambda: ledger.records("invoice"))
    assert [record.document.uuid for record in ledger.records("invoice")] == [live.uuid]
    assert under_way <= len(held) <= 6

    # And while it flows: at most what was on its way already leaves before a live one.
    is_released.set()
    wait_until(lambda: ledger.count_sends("invoice") >= 12, seconds=20)
    before = ledger.count_sends("invoice")
    second = make_invoice(owner, customer, is_issued=True)
    wait_until(lambda: any(record.document.uuid == second.uuid for record in ledger.records("invoice")))
    numbers = [number_of(sending) for sending in ledger.sent if sending.kind == "invoice"]
    # What is on its way is six single writes, or in batches thirty at a time and a few beside them.
    assert numbers.index(second.number or "") - before <= (8 if largest_batch == 1 else 48)
    progress = view_run(run).progress
    assert (progress.total, progress.done + progress.left, progress.failed) == (60, 60, 0)
