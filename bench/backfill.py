"""`backfill`: one company's invoices against an emulator that enforces the published limits and takes its time.

Single requests take 250 ms there and batches 250 ms and 100 ms for each item, so that batches must overlap. A live
invoice is issued every ten seconds meanwhile.
"""

import time
from datetime import datetime, timedelta
from uuid import UUID

from bench.stand import prepared_books, quantile, running_emulator, running_worker

# What the limits allow in a minute: 40 batches of 30, and single writes for the rest of 500 requests.
CEILING_PER_MINUTE = 40 * 30 + 460


def run(*, is_quick: bool, is_batches_only: bool = False) -> dict[str, object]:
    """Writes a minute against the ceiling, refusals, requests per write, and how long live invoices waited."""
    number, customers_number = (1500, 150) if is_quick else (10_000, 1_000)
    with running_emulator("--country", "GB") as emulator, prepared_books(emulator.url):
        from django.db import transaction  # noqa: PLC0415  # as above

        from bench.firms import (  # noqa: PLC0415  # after django.setup()
            connected_firm,
            go,
            make_customers,
            make_invoices,
            want,
        )
        from cone.accounting.outbox import enqueue  # noqa: PLC0415  # as above
        from cone.books.models import Attempt, Connection, Link, OutboxRow  # noqa: PLC0415  # as above

        actor, active = connected_firm(emulator)
        Connection.objects.filter(pk=active.pk).update(backlog_pace="batches" if is_batches_only else "fast")
        customers = make_customers(actor, customers_number)
        want(active, "customer", customers)
        want(active, "invoice", make_invoices(actor, customers, number))
        live = make_invoices(actor, customers[:1], 120)
        for entity, latency in (("batch", 3250), ("invoice", 250), ("customer", 250)):
            emulator.ask("POST", "faults", {"match": {"entity": entity}, "action": {"latency_ms": latency}})
        before = int(str(emulator.ask("GET", "requests?since=999999999")["count"]))
        committed: dict[UUID, datetime] = {}
        with running_worker() as (worker,):
            started = time.monotonic_ns()
            go([active])
            next_live = started + 10_000_000_000
            while OutboxRow.objects.filter(priority=10).exists():
                if time.monotonic_ns() >= next_live and live:
                    invoice = live.pop()
                    with transaction.atomic():
                        enqueue(
                            workspace_id=actor.workspace.pk,
                            kind="invoice",
                            record_uuid=invoice.uuid,
                            revision=1,
                            is_in_scope=True,
                        )
                    committed[invoice.uuid] = _now()
                    next_live += 10_000_000_000
                time.sleep(1 / 4)
            minutes = (time.monotonic_ns() - started) / 60e9
            cpu = worker.cpu_seconds()
        waits = [
            (attempt.started_at - committed[attempt.record_uuid]) // timedelta(milliseconds=1)
            for attempt in Attempt.objects.filter(record_uuid__in=list(committed), generation=1)
        ]
        requests = int(str(emulator.ask("GET", "requests?since=999999999")["count"])) - before
        written = Link.objects.count()
        return {
            "records": written,
            "left": OutboxRow.objects.count(),
            "minutes": round(minutes, 2),
            "writes_per_minute": round(written / minutes),
            "of_ceiling_percent": round(100 * written / minutes / CEILING_PER_MINUTE, 1),
            "requests": requests,
            "requests_per_write": round(requests / written, 3),
            "refused_429": Attempt.objects.filter(http_status=429).values("tid").distinct().count(),
            "live_invoices": len(waits),
            "live_p50_ms": quantile(waits, 500) if waits else None,
            "live_most_ms": max(waits) if waits else None,
            "worker_cpu_ms_per_record": round(1000 * cpu / written, 2),
        }


def _now() -> datetime:
    """The database's clock, which attempts are dated by."""
    from django.db import connection  # noqa: PLC0415  # after django.setup()

    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now
