"""`scaling`: whether a record costs the same in a large book and before a long backlog, and what more workers bring.

The book grows by copies of invoices that were really sent, with their links and attempts, so that the tables are as
large as they would be. The plans of the hot statements are printed at the largest size; whatever statement runs, the
rows that the database read in sequence and the entries that it read of indexes are counted.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from bench.peers.cone import wait_until_sent
from bench.postgres import Plan, explain, read_in_sequence, read_of_indexes, server_cpu_seconds, since
from bench.stand import Emulator, Process, asked, prepared_books, running_emulator, running_worker

if TYPE_CHECKING:
    from cone.books.models import Invoice


def run(*, is_quick: bool) -> dict[str, object]:
    """Throughput with one, two and four workers; cost per record, memory and plans as the book and the backlog grow."""
    first, each, sizes = (60, 60, (240, 1_200, 6_000)) if is_quick else (500, 500, (1_000, 10_000, 100_000))
    rounds, sample = (2, 120) if is_quick else (5, 3_000)
    with running_emulator("--country", "GB", "--no-limits") as emulator, prepared_books(emulator.url):
        workers = [_measure_workers(emulator, count, is_quick=is_quick) for count in (1, 2, 4)]
        # One worker all the while, as in life: what it prepared was planned when the tables were small.
        with running_worker() as (worker,):
            growing = Growing(emulator, worker, first=first, each=each)
            grown = [row for size in sizes for row in growing.grow_to(size, rounds=rounds)]
            waiting = [growing.wait_with(size, sample=sample) for size in sizes]
            plans = growing.explain()
    return {
        "throughput": workers,
        "cost_as_the_book_grows": grown,
        "backlog_of_one_company": waiting,
        "plans_at_the_largest": [plan.row() for plan in plans],
    }


def _measure_workers(emulator: Emulator, count: int, *, is_quick: bool) -> dict[str, object]:
    """The same number of companies and invoices, sent by so many workers."""
    from bench.firms import connected_firm, go, hold, make_customers, make_invoices, want  # noqa: PLC0415  # after django.setup()
    from cone.books.models import Link  # noqa: PLC0415  # as above

    actives = []
    for _ in range(4 if is_quick else 100):
        actor, active = connected_firm(emulator)
        hold(active)
        customers = make_customers(actor, 4)
        want(active, "customer", customers)
        want(active, "invoice", make_invoices(actor, customers, 40))
        actives.append(active)
    before = Link.objects.filter(kind="invoice").count()
    with running_worker(count) as running:
        used, database, theirs = _used(running), server_cpu_seconds(), emulator.process.cpu_seconds()
        started = time.monotonic_ns()
        go(actives)
        wait_until_sent()
        took = time.monotonic_ns() - started
        used, database = _used(running) - used, server_cpu_seconds() - database
        theirs = emulator.process.cpu_seconds() - theirs
    sent = Link.objects.filter(kind="invoice").count() - before
    return {
        "workers": count,
        "invoices": sent,
        "per_second": round(sent * 10**9 / took),
        "workers_cpu_ms_per_invoice": round(1000 * used / sent, 3),
        "database_cpu_ms_per_invoice": round(1000 * database / sent, 3),
        "emulator_cpu_ms_per_invoice": round(1000 * theirs / sent, 3),
    }


def _used(workers: Sequence[Process]) -> float:
    return sum(worker.cpu_seconds() for worker in workers)


class Growing:
    """One company whose book grows."""

    def __init__(self, emulator: Emulator, worker: Process, *, first: int, each: int) -> None:
        from bench.firms import connected_firm, hold, make_customers  # noqa: PLC0415  # after django.setup()
        from cone.books.models import Connection  # noqa: PLC0415  # as above

        self._actor, self._active = connected_firm(emulator)
        hold(self._active)
        # Batches alone, so that every round has the same mix of requests.
        Connection.objects.filter(pk=self._active.pk).update(backlog_pace="batches")
        self._customers = make_customers(self._actor, 50)
        self._emulator, self._worker, self._each = emulator, worker, each
        invoices = self._make(first)
        self._send(invoices, with_customers=True)
        self._first = [str(invoice.number) for invoice in invoices]
        self._size = first

    def grow_to(self, size: int, *, rounds: int) -> list[dict[str, object]]:
        """Let the book grow to so many sent invoices; then send some more, several times."""
        from bench.growth import multiply  # noqa: PLC0415  # after django.setup()

        times = (size - self._size) // len(self._first)
        if times > 0:
            self._size += multiply(self._active, self._first, times=times, label=f"s{size}", is_sent=True)
        return [{"sent_before": size, **self._send(self._make(self._each))} for _ in range(rounds)]

    def wait_with(self, number: int, *, sample: int) -> dict[str, object]:
        """Let so many invoices wait, and see what the worker needs for the first of them, `sample` at most."""
        from bench.firms import go, hold  # noqa: PLC0415  # after django.setup()
        from bench.growth import multiply  # noqa: PLC0415  # as above
        from cone.books.models import OutboxRow  # noqa: PLC0415  # as above

        self._forget_what_waits()
        waiting = multiply(
            self._active, self._first, times=number // len(self._first), label=f"w{number}", is_sent=False
        )
        memory, used, read = self._worker.memory_mb(), self._worker.cpu_seconds(), read_in_sequence()
        # Counted there: a count of the backlog here would be what's read in sequence.
        enough = asked(self._emulator) + min(sample, waiting // 2) // 30
        most = 0.0
        go([self._active])
        while asked(self._emulator) < enough:
            most = max(most, self._worker.memory_mb())
            self._empty_ledger()
            time.sleep(1 / 10)
        used, read = self._worker.cpu_seconds() - used, since(read)
        hold(self._active)
        self._wait_for_answers()
        sent = waiting - OutboxRow.objects.filter(company_id=self._active.company_id).count()
        return {
            "waiting": waiting,
            "sent_of_them": sent,
            "worker_cpu_ms_per_record": round(1000 * used / sent, 3),
            "worker_memory_mb_before": round(memory),
            "worker_memory_mb_most": round(most),
            **_per_record(read, sent),
        }

    def _forget_what_waits(self) -> None:
        from cone.books.models import OutboxRow  # noqa: PLC0415  # after django.setup()

        self._wait_for_answers()
        OutboxRow.objects.filter(company_id=self._active.company_id).delete()

    def _wait_for_answers(self) -> None:
        """Wait until the worker has seen the pause, and nothing is on its way any more."""
        from cone.books.models import OutboxRow  # noqa: PLC0415  # after django.setup()

        time.sleep(1 / 2)
        while OutboxRow.objects.filter(company_id=self._active.company_id, state="sending").exists():
            time.sleep(1 / 10)

    def explain(self) -> list[Plan]:
        """Plans of what each look and the sweep ask, while what's left of the backlog waits."""
        from bench.firms import hold  # noqa: PLC0415  # after django.setup()
        from cone.accounting.sql import lane, sweep  # noqa: PLC0415  # as above
        from cone.books.models import Connection  # noqa: PLC0415  # as above

        values = {
            "connection": self._active.pk,
            "company": self._active.company_id,
            "general": uuid4(),
            "general_name": "",
            "known_settings": None,
            "limit": 90,
            "lowest_priority": 10,
            "timeout": timedelta(seconds=30),
            "looks_count_after": timedelta(seconds=130),
            "busy": [],
        }
        # A held company has nothing due. Let go without a word, it's seen by the next sweep only.
        Connection.objects.filter(pk=self._active.pk).update(paused_at=None)
        plans = [
            explain("look", lane.LOOK, values),
            explain("next due", lane.NEXT_DUE, values),
            explain("sweep: stale blocks", sweep.RELEASE_STALE_BLOCKS, {}),
            explain("sweep: linked waits", sweep.CONNECTIONS_WITH_LINKED_WAITS, {}),
            explain("sweep: who has work", sweep.CONNECTIONS_WITH_WORK, {}),
        ]
        hold(self._active)
        self._forget_what_waits()
        return plans

    def _make(self, number: int) -> "list[Invoice]":
        from bench.firms import make_invoices  # noqa: PLC0415  # after django.setup()

        return make_invoices(self._actor, self._customers, number)

    def _send(self, invoices: "list[Invoice]", *, with_customers: bool = False) -> dict[str, object]:
        from bench.firms import go, hold, want  # noqa: PLC0415  # after django.setup()

        hold(self._active)
        if with_customers:
            want(self._active, "customer", self._customers)
        want(self._active, "invoice", invoices)
        used, database, read = self._worker.cpu_seconds(), server_cpu_seconds(), read_in_sequence()
        found = read_of_indexes()
        go([self._active])
        while self._is_busy():
            self._empty_ledger()
            time.sleep(1 / 10)
        used, database = self._worker.cpu_seconds() - used, server_cpu_seconds() - database
        read, found = since(read), read_of_indexes() - found
        sent = len(invoices)
        return {
            "records": sent,
            "worker_cpu_ms_per_record": round(1000 * used / sent, 3),
            "database_cpu_ms_per_record": round(1000 * database / sent, 3),
            "index_entries_read_per_record": round(found / sent, 1),
            **_per_record(read, sent),
        }

    def _empty_ledger(self) -> None:
        """Have the budget forget what was sent: a record's cost is asked for, not the pace that QuickBooks allows."""
        from cone.books.models import RequestBudget  # noqa: PLC0415  # after django.setup()

        ledger = {"recent": [], "batches": [], "owed_until": 0, "backlog_owed_until": 0, "batch_owed_until": 0}
        RequestBudget.objects.filter(company_id_remote=self._active.company_id_remote).update(**ledger)

    def _is_busy(self) -> bool:
        from cone.books.models import OutboxRow  # noqa: PLC0415  # after django.setup()

        return OutboxRow.objects.filter(company_id=self._active.company_id, state__in=["due", "sending"]).exists()


def _per_record(read: dict[str, int], records: int) -> dict[str, object]:
    """Rows read in sequence for each record, and the table with the most of them."""
    most = max(read, key=lambda table: read[table])
    return {
        "rows_read_in_sequence_per_record": round(sum(read.values()) / records, 1),
        "most_of_them": most.removeprefix("books_") if read[most] else "",
    }
