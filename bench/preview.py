"""`preview`: how long it takes to foresee what sending a whole backlog would do."""

import time

from bench.stand import prepared_books, running_emulator


def run(*, is_quick: bool) -> dict[str, object]:
    """Milliseconds on the clock and on the processor for a page's preview of everything that waits."""
    number = 1_000 if is_quick else 10_000
    with running_emulator("--country", "GB", "--no-limits") as emulator, prepared_books(emulator.url):
        from django.utils import timezone  # noqa: PLC0415  # after django.setup()

        from bench.firms import connected_firm, hold, make_customers, make_invoices, want  # noqa: PLC0415  # as above
        from cone.accounting.preview.summary import read_preview  # noqa: PLC0415  # as above
        from cone.kit.collector import tune_collector  # noqa: PLC0415  # as above

        actor, active = connected_firm(emulator)
        hold(active)
        customers = make_customers(actor, number // 10)
        want(active, "customer", customers)
        want(active, "invoice", make_invoices(actor, customers, number))
        tune_collector()  # as the web server's processes do
        times: list[tuple[int, int]] = []
        foreseen = None
        for _ in range(5):
            started, cpu = time.monotonic_ns(), time.process_time_ns()
            foreseen = read_preview(actor.workspace.pk, from_date=None, now=timezone.now())
            times.append(((time.monotonic_ns() - started) // 1_000_000, (time.process_time_ns() - cpu) // 1_000_000))
    if foreseen is None:
        raise SystemExit("Nothing is connected.")
    elapsed = sorted(took for took, _ in times)
    return {
        "invoices": number,
        "records": foreseen.total_count,
        "total": "; ".join(f"{each.total.amount} {each.total.currency}" for each in foreseen.sums),
        "rounds": len(times),
        "p50_ms": elapsed[len(elapsed) // 2],
        "least_ms": elapsed[0],
        "most_ms": elapsed[-1],
        "cpu_p50_ms": sorted(cpu for _, cpu in times)[len(times) // 2],
    }
