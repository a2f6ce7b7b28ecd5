"""`fairness`: what one company's single invoice waits while others are busy, from its commit to its request's arrival.

Measured alone, while another company's backlog is sent within the published limits, and while fifty companies wait for
their budget. One worker serves all of them.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.live import Ear, measure_waits
from bench.stand import Emulator, Process, prepared_books, quantile, running_emulator, running_worker

if TYPE_CHECKING:
    from cone.books.models import Connection, Invoice
    from cone.operations.actor import Actor

_FIRST = 10
_PAUSE = 150


def run(*, is_quick: bool) -> dict[str, object]:
    """Milliseconds that the single invoice waits: alone, beside a backlog, beside fifty that wait."""
    rounds, backlog, waiting = (40, 1_000, 10) if is_quick else (400, 10_000, 50)
    with running_emulator("--country", "GB") as emulator:
        ear = Ear(emulator.url)
        with prepared_books(ear.url):
            from bench.firms import connected_firm, go, make_customers, make_invoices  # noqa: PLC0415  # after django.setup()

            actor, active = connected_firm(emulator)
            ear.company = active.company_id_remote
            singles = make_invoices(actor, make_customers(actor, 5), 3 * rounds + _FIRST)
            busy = _make_backlog(emulator, backlog, customers=backlog // 10)
            idle = [_make_backlog(emulator, 60, customers=5) for _ in range(waiting)]
            with running_worker() as (worker,):
                figures: dict[str, object] = {"invoices_each": rounds, "backlog": backlog, "companies_waiting": waiting}
                alone = _measure(ear, actor, singles[: rounds + _FIRST])[_FIRST:]
                _slow_down(emulator)
                go([busy])
                beside = _measure(ear, actor, singles[rounds + _FIRST : 2 * rounds + _FIRST])
                figures["backlog_left"] = _left(busy)
                _wait_for_end(busy, worker)
                _use_up(idle)
                go(idle)
                others = _measure(ear, actor, singles[2 * rounds + _FIRST :])
                figures["rows_waiting"] = sum(_left(each) for each in idle)
    return {
        **figures,
        **_describe("alone", alone),
        **_describe("beside_backlog", beside, alone),
        **_describe("beside_waiting", others, alone),
    }


def _measure(ear: Ear, actor: "Actor", invoices: "Sequence[Invoice]") -> list[int]:
    return measure_waits(ear, actor, invoices, pause_milliseconds=_PAUSE)


def _describe(name: str, waits: list[int], alone: Sequence[int] = ()) -> dict[str, object]:
    """Percentiles in milliseconds, and by how much they are more than alone."""
    figures: dict[str, object] = {}
    for label, tenths in (("p50", 500), ("p99", 990)):
        value = quantile(waits, tenths)
        figures[f"{name}_{label}_ms"] = round(value / 1000, 2)
        if alone:
            figures[f"{name}_delay_{label}_ms"] = round((value - quantile(list(alone), tenths)) / 1000, 2)
    return figures


def _make_backlog(emulator: Emulator, number: int, *, customers: int) -> "Connection":
    """A company with invoices that wait until it's let go."""
    from bench.firms import connected_firm, hold, make_customers, make_invoices, want  # noqa: PLC0415  # after django.setup()

    actor, active = connected_firm(emulator)
    hold(active)
    clients = make_customers(actor, customers)
    want(active, "customer", clients)
    want(active, "invoice", make_invoices(actor, clients, number))
    return active


def _slow_down(emulator: Emulator) -> None:
    """What the busy company's requests take there; the single one is measured before that."""
    for entity, latency in (("batch", 3250), ("customer", 250)):
        emulator.ask("POST", "faults", {"match": {"entity": entity}, "action": {"latency_ms": latency}})


def _use_up(actives: "Sequence[Connection]") -> None:
    """Have their ledgers say that the next request may leave in half an hour."""
    from django.db import connection  # noqa: PLC0415  # after django.setup()

    with connection.cursor() as cursor:
        cursor.execute(
            "insert into books_requestbudget (provider, environment, company_id_remote)"
            " select provider, environment, company_id_remote from books_connection where id = any(%s)"
            " on conflict (provider, environment, company_id_remote) do nothing",
            [[active.pk for active in actives]],
        )
        cursor.execute(
            "update books_requestbudget set owed_until = used_up, backlog_owed_until = used_up,"
            " batch_owed_until = used_up"
            " from (select (1000000 * (extract(epoch from clock_timestamp()) + 1800))::bigint as used_up) later"
            " where company_id_remote = any(%s)",
            [[active.company_id_remote for active in actives]],
        )


def _left(active: "Connection") -> int:
    from cone.books.models import OutboxRow  # noqa: PLC0415  # after django.setup()

    return OutboxRow.objects.filter(company_id=active.company_id).count()


def _wait_for_end(active: "Connection", worker: Process) -> None:
    """Put the rest of the backlog off, and wait until the worker has nothing to do any more."""
    from bench.firms import hold  # noqa: PLC0415  # after django.setup()

    hold(active)
    before = -1.0
    while worker.cpu_seconds() - before > 0.02:
        before = worker.cpu_seconds()
        time.sleep(1)
