"""A run over existing invoices whose worker is killed in its midst, twice: it goes on, and nothing is there twice.

Real processes throughout: the worker dies by SIGKILL while answers to its batches are on their way.
"""

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from cone.accounting.runs.reading import view_run
from cone.books.models import Attempt, BackfillRun, Link, OutboxRow
from cone.operations.actor import Actor
from cone.operations.send_existing_invoices import send_existing_invoices
from tests.builders import make_customer, make_invoice
from tests.contract.emulated import EmulatedQuickBooks
from tests.integration.accounting.conftest import wait_until
from tests.integration.accounting.emulation import Control, connect_and_configure, start_worker

pytestmark = pytest.mark.django_db(transaction=True)

_MARK = re.compile(r"cone:([0-9a-f-]{36})")
CUSTOMERS, EACH = 8, 9


def marks(control: Control) -> Counter[str]:
    """The invoices there by the mark of ours that each carries."""
    notes = [record.get("PrivateNote", "") for record in control.records("Invoice")]
    return Counter(found.group(1) for note in notes if (found := _MARK.search(note)))


def kill_at(owner: Actor, quickbooks: EmulatedQuickBooks, log: Path, *, invoices: int) -> None:
    """Let a worker run until so many invoices stand there, then kill it as the kernel would."""
    control = Control(quickbooks.url)
    worker = start_worker(quickbooks.url, log)
    try:
        wait_until(lambda: len(marks(control)) >= invoices, seconds=120)
    finally:
        worker.kill()
        worker.wait(10)


def test_run_goes_on_after_its_worker_was_killed_and_counts_right(
    owner: Actor, quickbooks: EmulatedQuickBooks, tmp_path: Path
) -> None:
    control, log = Control(quickbooks.url), tmp_path / "worker.log"
    invoices = [
        make_invoice(owner, customer, is_issued=True)
        for customer in [make_customer(owner, f"Customer {number}") for number in range(CUSTOMERS)]
        for _ in range(EACH)
    ]
    connect_and_configure(owner, quickbooks)
    run = send_existing_invoices(owner, timezone.localdate())
    total = view_run(run).progress.total
    # Done there at once, and answered so late that the worker is dead by then.
    order = {"match": {"path": "/batch"}, "action": {"late_answer_ms": 1500}}
    control.post("/faults", order)

    kill_at(owner, quickbooks, log, invoices=1)
    halfway = view_run(BackfillRun.objects.get(pk=run.pk)).progress
    assert halfway.done < total
    assert Attempt.objects.filter(state="unknown").exists()
    kill_at(owner, quickbooks, log, invoices=len(marks(control)) + 1)
    assert BackfillRun.objects.get(pk=run.pk).state == "running"
    left = view_run(BackfillRun.objects.get(pk=run.pk)).progress
    assert halfway.done <= left.done < total
    assert left.done + left.left == total

    worker = start_worker(quickbooks.url, log)
    try:
        wait_until(lambda: BackfillRun.objects.get(pk=run.pk).state == "finished", seconds=240)
    finally:
        worker.terminate()
        assert worker.wait(20) == 0

    found = view_run(BackfillRun.objects.get(pk=run.pk))
    assert (found.progress.total, found.progress.done, found.progress.failed, found.progress.left) == (
        total,
        total,
        0,
        0,
    )
    assert (found.compared_count, found.as_predicted) == (len(invoices), len(invoices))
    assert marks(control) == Counter(str(invoice.uuid) for invoice in invoices)
    names = Counter(record["DisplayName"] for record in control.records("Customer"))
    assert [names[f"Customer {number}"] for number in range(CUSTOMERS)] == [1] * CUSTOMERS
    sums = sum(Decimal(str(record["TotalAmt"])) for record in control.records("Invoice"))
    assert sums == sum(invoice.total for invoice in invoices)
    assert Link.objects.filter(kind="invoice").count() == len(invoices)
    assert not OutboxRow.objects.exists()
    assert not Attempt.objects.filter(state="unknown").exists()
