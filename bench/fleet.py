"""`fleet`: many companies with a few invoices each, against an emulator without limits: the worker's own cost.

python-quickbooks writes the same books afterwards, one save each and by its batch helper. Then all of them once more,
beside each other, on fewer books and with faults.
"""

from typing import TYPE_CHECKING

from bench.peers.cone import ConeRun, be_patient, measure_with_faults, read_books, wait_until_sent
from bench.peers.measure import CLEAN_WAYS, run_at_once
from bench.stand import Emulator, prepared_books, running_emulator, running_worker

if TYPE_CHECKING:
    from cone.books.models import Connection


def run(
    *,
    is_quick: bool,
    seed: int = 7,
    companies: int = 0,
    each: int = 40,
    workers: int = 1,
    is_with_peers: bool = True,
) -> dict[str, object]:
    """Worker processor time per invoice, with attempts, verification and history on; and the peers' beside it."""
    number = companies or (20 if is_quick else 500)
    be_patient(is_quick=is_quick)
    with running_emulator("--country", "GB", "--no-limits") as emulator, prepared_books(emulator.url):
        from bench.firms import go  # noqa: PLC0415  # after django.setup()
        from cone.books.models import Attempt, OutboxRow  # noqa: PLC0415  # as above

        actives = _make_firms(emulator, number, each)
        books = read_books(actives)
        with running_worker(workers) as running:
            clean = ConeRun(emulator, running, books)
            go(actives)
            wait_until_sent()
            clean.stop()
            row = clean.row()
            figures: dict[str, object] = {
                "companies": number,
                "workers": workers,
                "invoices": row["invoices"],
                "left": OutboxRow.objects.count(),
                "attempts": Attempt.objects.count(),
                "singles": Attempt.objects.filter(batch=None).count(),
                "seconds": round(clean.seconds, 1),
                "requests": clean.requests,
                "worker_cpu_ms_per_invoice": row["cpu_ms_per_invoice"],
                "worker_memory_mb": round(max(worker.memory_mb() for worker in running)),
            }
            if not is_with_peers:
                return figures
            peers = [run_at_once(emulator, list(books.values()), [way])[0][0] for way in CLEAN_WAYS]
            spoiled = _make_firms(emulator, 3 if is_quick else 25, each)
            faulty = measure_with_faults(emulator, running, spoiled, seed=seed)
        return {**figures, "side_by_side": [row, *peers, *faulty]}


def _make_firms(emulator: Emulator, number: int, each: int) -> "list[Connection]":
    from bench.firms import connected_firm, hold, make_customers, make_invoices, want  # noqa: PLC0415  # after django.setup()

    actives = []
    for _ in range(number):
        actor, active = connected_firm(emulator)
        hold(active)
        customers = make_customers(actor, 4)
        want(active, "customer", customers)
        want(active, "invoice", make_invoices(actor, customers, each))
        actives.append(active)
    return actives
