"""`backfill`: one company's invoices against an emulator that enforces the published limits and takes its time.

Single requests take 250 ms there and batches 250 ms and 100 ms for each item, so that batches must overlap. A live
invoice is issued every ten seconds meanwhile. Peers write a smaller book of the same kind afterwards, with and without
faults, and Cone the same book with the same faults.
"""

import time
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from bench.peers.book import Book, read_book
from bench.peers.cone import ConeRun, be_patient, measure_with_faults
from bench.peers.measure import CLEAN_WAYS
from bench.stand import Emulator, Process, prepared_books, quantile, running_emulator, running_worker

if TYPE_CHECKING:
    from cone.books.models import Connection, Invoice
    from cone.operations.actor import Actor

# What the limits allow in a minute: 40 batches of 30; in the fast mode single writes for the rest of 500 requests, too.
_IN_BATCHES_PER_MINUTE = 40 * 30
_SINGLY_PER_MINUTE = 460
_LIVE_EVERY_SECONDS = 10
_LATENCIES = {"batch": 250 + 30 * 100, "invoice": 250, "customer": 250}


def run(*, is_quick: bool, is_batches_only: bool = False, seed: int = 7) -> dict[str, object]:
    """Writes a minute against the ceiling, refusals, requests per write, and how long live invoices waited."""
    number, customers_number = (450, 45) if is_quick else (10_000, 1_000)
    be_patient(is_quick=is_quick)
    with running_emulator("--country", "GB") as emulator, prepared_books(emulator.url):
        from bench.firms import connected_firm, hold, make_customers, make_invoices, want  # noqa: PLC0415  # after django.setup()
        from cone.books.models import Connection  # noqa: PLC0415  # as above

        actor, active = connected_firm(emulator)
        Connection.objects.filter(pk=active.pk).update(backlog_pace="batches" if is_batches_only else "fast")
        customers = make_customers(actor, customers_number)
        want(active, "customer", customers)
        invoices = make_invoices(actor, customers, number)
        want(active, "invoice", invoices)
        book = read_book(actor.workspace.pk, [str(invoice.number) for invoice in invoices])
        live = make_invoices(actor, customers[:1], 120)
        with running_worker() as running:
            ceiling = _IN_BATCHES_PER_MINUTE + (0 if is_batches_only else _SINGLY_PER_MINUTE)
            backfill = Backfill(emulator, running[0], active, book, ceiling)
            figures, row = backfill.measure(actor, live)
            if is_batches_only:
                return figures
            actor, active = connected_firm(emulator)
            hold(active)
            customers = make_customers(actor, 3 if is_quick else 100)
            want(active, "customer", customers)
            want(active, "invoice", make_invoices(actor, customers, 30 if is_quick else 1_000))
            emulator.ask("DELETE", "faults")
            rows = measure_with_faults(
                emulator, running, [active], seed=seed, ways=CLEAN_WAYS, before=lambda: _slow_down(emulator)
            )
        return {**figures, "side_by_side": [row, *rows]}


def _slow_down(emulator: Emulator) -> None:
    """The first order that strikes is what happens, so faults must have been ordered before."""
    for entity, latency in _LATENCIES.items():
        emulator.ask("POST", "faults", {"match": {"entity": entity}, "action": {"latency_ms": latency}})


@dataclass(frozen=True, slots=True)
class Backfill:
    """A company with a backlog that waits for the word."""

    emulator: Emulator
    worker: Process
    active: "Connection"
    book: Book
    ceiling_per_minute: int

    def measure(self, actor: "Actor", live: "list[Invoice]") -> tuple[dict[str, object], dict[str, object]]:
        """Send it, with an invoice out of `live` now and then: the figures, and Cone's row beside the peers'."""
        from bench.firms import database_now, go, issue  # noqa: PLC0415  # after django.setup()
        from cone.books.models import OutboxRow  # noqa: PLC0415  # as above

        _slow_down(self.emulator)
        committed: dict[UUID, datetime] = {}
        metered = self._metered()
        cone = ConeRun(self.emulator, [self.worker], {self.active.company_id_remote: self.book})
        go([self.active])
        next_live = time.monotonic() + _LIVE_EVERY_SECONDS
        while OutboxRow.objects.filter(priority=10).exists():
            if time.monotonic() >= next_live and live:
                invoice = live.pop()
                issue(actor, invoice)
                committed[invoice.uuid] = database_now()
                next_live += _LIVE_EVERY_SECONDS
            time.sleep(1 / 4)
        cone.stop()
        row = cone.row()
        metered = self._metered() - metered
        return {
            **self._writes(cone, set(committed)),
            "metered_calls_per_1000_invoices": round(1000 * metered / len(self.book.bills), 1),
            **self._refusals(),
            **self._waits(committed),
        }, row

    def _writes(self, cone: ConeRun, live: Set[UUID]) -> dict[str, object]:
        """Of the backlog's requests, those that sent the live invoices alone aren't counted per write."""
        from django.db.models import Sum  # noqa: PLC0415  # after django.setup()

        from cone.books.models import Attempt, Link, OutboxRow  # noqa: PLC0415  # as above

        written, minutes = Link.objects.count(), cone.seconds / 60
        of_live = Attempt.objects.filter(record_uuid__in=live, batch=None).aggregate(sent=Sum("sends"))["sent"] or 0
        return {
            "records": written,
            "left": OutboxRow.objects.count(),
            "minutes": round(minutes, 2),
            "writes_per_minute": round(written / minutes),
            "of_ceiling_percent": round(100 * written / minutes / self.ceiling_per_minute, 1),
            "requests": cone.requests,
            "of_live_invoices_alone": of_live,
            "requests_per_write": round((cone.requests - of_live) / (written - len(live)), 4),
            "worker_cpu_ms_per_record": round(1000 * cone.cpu_seconds / written, 3),
        }

    @staticmethod
    def _refusals() -> dict[str, object]:
        from cone.books.models import Attempt  # noqa: PLC0415  # after django.setup()

        return {"refused_429": Attempt.objects.filter(http_status=429).values("tid").distinct().count()}

    @staticmethod
    def _waits(committed: Mapping[UUID, datetime]) -> dict[str, object]:
        from cone.books.models import Attempt  # noqa: PLC0415  # after django.setup()

        waits = [
            (attempt.started_at - committed[attempt.record_uuid]) // timedelta(milliseconds=1)
            for attempt in Attempt.objects.filter(record_uuid__in=list(committed), generation=1)
        ]
        return {
            "live_invoices": len(waits),
            "live_p50_ms": quantile(waits, 500) if waits else None,
            "live_most_ms": max(waits) if waits else None,
        }

    def _metered(self) -> int:
        """CorePlus calls of the company so far: reads and batches."""
        answer = self.emulator.ask("GET", "metering")
        counted = answer["companies"] if isinstance(answer["companies"], list) else []
        return sum(each["core_plus"] for each in counted if each["realm_id"] == self.active.company_id_remote)
