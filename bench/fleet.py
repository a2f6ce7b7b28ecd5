"""`fleet`: many companies with a few invoices each, against an emulator without limits: the worker's own cost."""

import time

from bench.stand import prepared_books, running_emulator, running_worker


def run(*, is_quick: bool, companies: int = 0, each: int = 40) -> dict[str, object]:
    """Worker processor time per invoice, with attempts, verification and history on."""
    number = companies or (40 if is_quick else 500)
    with running_emulator("--country", "GB", "--no-limits") as emulator, prepared_books(emulator.url):
        from bench.firms import connected_firm, go, make_customers, make_invoices, want  # noqa: PLC0415  # after django.setup()
        from cone.books.models import Attempt, Link, OutboxRow  # noqa: PLC0415  # as above

        actives = []
        for _ in range(number):
            actor, active = connected_firm(emulator)
            customers = make_customers(actor, 4)
            want(active, "customer", customers)
            want(active, "invoice", make_invoices(actor, customers, each))
            actives.append(active)
        with running_worker() as (worker,):
            before, started = worker.cpu_seconds(), time.monotonic_ns()
            go(actives)
            while OutboxRow.objects.filter(state__in=["due", "sending"]).exists():
                time.sleep(1 / 2)
            cpu, seconds = worker.cpu_seconds() - before, (time.monotonic_ns() - started) / 1e9
            memory = worker.memory_mb()
        sent = Link.objects.filter(kind="invoice").count()
        requests = emulator.ask("GET", "requests?since=999999999")["count"]
        return {
            "companies": number,
            "invoices": sent,
            "left": OutboxRow.objects.count(),
            "attempts": Attempt.objects.count(),
            "singles": Attempt.objects.filter(batch=None).count(),
            "seconds": round(seconds, 1),
            "requests": requests,
            "worker_cpu_ms_per_invoice": round(1000 * cpu / max(sent, 1), 3),
            "worker_memory_mb": round(memory),
        }
