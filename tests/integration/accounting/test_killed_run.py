"""A run over existing invoices whose worker is killed in its midst, twice: it goes on, and nothing is there twice.

Real processes throughout: the worker dies by SIGKILL while answers to its batches are on their way.
"""

import re
from collections import Counter
from collections.abc import Callable
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
_BATCH = {"path": "/batch"}
# Longer than a busy machine takes from an invoice that stands there to the kill.
_PATIENCE_SECONDS = 10


def marks(control: Control) -> Counter[str]:
    """The invoices there by the mark of ours that each carries."""
    notes = [record.get("PrivateNote", "") for record in control.records("Invoice")]
    return Counter(found.group(1) for note in notes if (found := _MARK.search(note)))


def kill_at(quickbooks: EmulatedQuickBooks, log: Path, *, until: Callable[[], bool]) -> None:
    """Let a worker run until something stands there, then kill it as the kernel would."""
    worker = start_worker(quickbooks.url, log, timeout_seconds=_PATIENCE_SECONDS)
    try:
        wait_until(until, seconds=120)
    finally:
        worker.kill()
        worker.wait(10)


def let_run(quickbooks: EmulatedQuickBooks, log: Path, *, until: Callable[[], bool]) -> None:
    """Let a worker run until something is true, then ask it to stop."""
    worker = start_worker(quickbooks.url, log)
    try:
        wait_until(until, seconds=240)
    finally:
        worker.terminate()
        assert worker.wait(20) == 0


def test_run_goes_on_after_its_worker_was_killed_and_counts_right(
    owner: Actor, quickbooks: EmulatedQuickBooks, tmp_path: Path
) -> None:
    control, log = Control(quickbooks.url), tmp_path / "worker.log"
    customers = [make_customer(owner, f"Customer {number}") for number in range(CUSTOMERS)]
    invoices = [make_invoice(owner, customer, is_issued=True) for customer in customers for _ in range(EACH)]
    connect_and_configure(owner, quickbooks)
    # So that the run's batches carry invoices alone, the customers are there before it.
    before = [make_invoice(owner, customer, is_issued=True) for customer in customers]
    let_run(quickbooks, log, until=lambda: len(marks(control)) == CUSTOMERS and not OutboxRow.objects.exists())
    run = send_existing_invoices(owner, timezone.localdate())
    total = view_run(run).progress.total
    # One is done there, and answered so late that the worker is dead by then; the others aren't done.
    control.post("/faults", {"match": _BATCH, "count": 1, "action": {"late_answer_ms": 2000 * _PATIENCE_SECONDS}})
    control.post("/faults", {"match": _BATCH, "action": "hang_before"})

    kill_at(quickbooks, log, until=lambda: len(marks(control)) > CUSTOMERS)
    control.clear_faults()
    # Looks for the others go in batches too, and must be answered in time.
    control.post("/faults", {"match": _BATCH, "action": {"late_answer_ms": 500 * _PATIENCE_SECONDS}})
    halfway = view_run(BackfillRun.objects.get(pk=run.pk)).progress
    assert halfway.done < total
    assert Attempt.objects.filter(state="unknown").exists()
    done = len(marks(control))
    kill_at(quickbooks, log, until=lambda: len(marks(control)) > done)
    assert BackfillRun.objects.get(pk=run.pk).state == "running"
    left = view_run(BackfillRun.objects.get(pk=run.pk)).progress
    assert halfway.done <= left.done < total
    assert left.done + left.left == total

    control.clear_faults()
    let_run(quickbooks, log, until=lambda: BackfillRun.objects.get(pk=run.pk).state == "finished")

    found = view_run(BackfillRun.objects.get(pk=run.pk))
    assert (found.progress.total, found.progress.done, found.progress.failed, found.progress.left) == (
        total,
        total,
        0,
        0,
    )
    assert (found.compared_count, found.as_predicted) == (len(invoices), len(invoices))
    everything = [*before, *invoices]
    assert marks(control) == Counter(str(invoice.uuid) for invoice in everything)
    names = Counter(record["DisplayName"] for record in control.records("Customer"))
    assert [names[f"Customer {number}"] for number in range(CUSTOMERS)] == [1] * CUSTOMERS
    sums = sum(Decimal(str(record["TotalAmt"])) for record in control.records("Invoice"))
    assert sums == sum(invoice.total for invoice in everything)
    assert Link.objects.filter(kind="invoice").count() == len(everything)
    assert not OutboxRow.objects.exists()
    assert not Attempt.objects.filter(state="unknown").exists()


def test_run_whose_worker_was_killed_before_it_heard_of_its_customers_makes_them_once(
    owner: Actor, quickbooks: EmulatedQuickBooks, tmp_path: Path
) -> None:
    control, log = Control(quickbooks.url), tmp_path / "worker.log"
    customers = [make_customer(owner, f"Customer {number}") for number in range(CUSTOMERS)]
    invoices = [make_invoice(owner, customer, is_issued=True) for customer in customers]
    connect_and_configure(owner, quickbooks)
    run = send_existing_invoices(owner, timezone.localdate())
    control.post("/faults", {"match": _BATCH, "action": {"late_answer_ms": 2000 * _PATIENCE_SECONDS}})

    def count_customers() -> Counter[str]:
        return Counter(each["DisplayName"] for each in control.records("Customer"))

    kill_at(quickbooks, log, until=lambda: all(count_customers()[customer.name] for customer in customers))
    assert not Link.objects.filter(kind="customer").exists()
    control.clear_faults()
    let_run(quickbooks, log, until=lambda: BackfillRun.objects.get(pk=run.pk).state == "finished")

    assert [count_customers()[customer.name] for customer in customers] == [1] * CUSTOMERS
    assert marks(control) == Counter(str(invoice.uuid) for invoice in invoices)
    assert Link.objects.filter(kind="customer").count() == CUSTOMERS
