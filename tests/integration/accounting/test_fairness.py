"""Existing invoices are sent only when asked for, from the date, and never in the way of live ones."""

import asyncio
import threading
from datetime import timedelta

import msgspec
import pytest
from django.utils import timezone

from cone.accounting.overview import read_backfill
from cone.accounting.values import BackfillProgress
from cone.books.models import OutboxRow
from cone.domain.errors import NotAllowedError
from cone.domain.permissions import Role
from cone.operations.actor import Actor
from cone.operations.pause_sync import pause_sync
from cone.operations.resume_sync import resume_sync
from cone.operations.send_existing_invoices import count_existing_invoices, send_existing_invoices
from tests.builders import make_customer, make_invoice, make_member, make_owner
from tests.fakes.ledger import FakeLedger, Sending
from tests.integration.accounting.conftest import MakeWorker, configure, connect, is_settled, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = timezone.localdate()


def number_of(sending: Sending) -> str:
    return str(msgspec.json.decode(sending.request.body)["number"])


def test_existing_invoices_go_from_the_date_and_progress_counts_right(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    customer = make_customer(owner)
    from_date = TODAY - timedelta(days=10)
    older, on_it, later = (
        make_invoice(owner, customer, is_issued=True, issue_date=day)
        for day in (from_date - timedelta(days=1), from_date, TODAY)
    )
    make_invoice(owner, customer)  # a draft
    make_invoice(make_owner("Outside Ltd"), is_issued=True)
    make_worker()
    connect(owner, ledger)
    configure(owner)
    assert read_backfill(owner.workspace.pk) is None
    assert OutboxRow.objects.count() == 0
    for verb in (count_existing_invoices, send_existing_invoices):
        with pytest.raises(NotAllowedError):
            verb(make_member(owner.workspace, Role.BILLER), from_date)

    pause_sync(owner)
    assert count_existing_invoices(owner, from_date) == 2
    assert send_existing_invoices(owner, from_date) == 2
    assert read_backfill(owner.workspace.pk) == BackfillProgress(from_date, total=2, done=0, failed=0, left=2)
    assert set(OutboxRow.objects.values_list("record_uuid", "priority")) == {(on_it.uuid, 10), (later.uuid, 10)}
    live = make_invoice(owner, customer, is_issued=True)
    assert ledger.sent == []

    resume_sync(owner)
    wait_until(lambda: len(ledger.records("invoice")) == 3 and is_settled(owner))
    assert {record.document.uuid for record in ledger.records("invoice")} == {live.uuid, on_it.uuid, later.uuid}
    assert read_backfill(owner.workspace.pk) == BackfillProgress(from_date, total=2, done=2, failed=0, left=0)

    # An earlier date adds what lies between; the same one adds nothing.
    assert send_existing_invoices(owner, from_date) == 0
    assert send_existing_invoices(owner, older.issue_date) == 1
    wait_until(lambda: len(ledger.records("invoice")) == 4 and is_settled(owner))
    assert read_backfill(owner.workspace.pk) == BackfillProgress(older.issue_date, total=3, done=3, failed=0, left=0)


@pytest.mark.parametrize(("largest_batch", "under_way"), [(1, 6), (30, 2)])
def test_live_invoice_overtakes_its_own_companys_backfill_of_sixty(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, largest_batch: int, under_way: int
) -> None:
    ledger.largest_batch = largest_batch
    customer = make_customer(owner)
    old = {make_invoice(owner, customer, is_issued=True).number for _ in range(60)}
    connect(owner, ledger)
    configure(owner)
    assert send_existing_invoices(owner, TODAY) == 60
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
    progress = read_backfill(owner.workspace.pk)
    assert progress is not None
    assert (progress.total, progress.done + progress.left, progress.failed) == (60, 60, 0)
