"""`idle`: thousands of connected companies at rest: what a worker uses, and what the timetable asks of QuickBooks.

First a worker runs in real time. Then the timetable's jobs run in this process through a day, and through a hundred
days for paused companies, by a clock that is moved: the database's `now()` and the emulator's, together.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from bench.postgres import server_cpu_seconds
from bench.resting import move_clocks, open_companies, use_injected_clock
from bench.stand import Emulator, Process, asked, prepared_books, running_emulator, running_worker

if TYPE_CHECKING:
    from cone.worker.timetable import Entry

_MOST_TIMES = 10


def run(*, is_quick: bool) -> dict[str, object]:
    """CPU and memory at rest; metered reads per company and day; refreshes of tokens that nobody uses."""
    number, seconds, stepped = (500, 20, 10) if is_quick else (10_000, 600, 200)
    with running_emulator("--country", "GB", "--no-limits") as emulator, prepared_books(emulator.url):
        open_companies(emulator, number)
        figures = _rest(emulator, seconds)
        _keep_only(stepped)
        use_injected_clock()
        day = asyncio.run(_step(emulator, hours=24, minutes=15 if is_quick else 5))
        _pause_all()
        century = asyncio.run(_step(emulator, hours=24 * 100, minutes=24 * 60 if is_quick else 6 * 60))
        connected = _connected()
    return {
        "companies": number,
        **figures,
        "stepped_companies": stepped,
        "metered_reads_per_company_and_day": round(day["reads"] / stepped, 2),
        "writes_per_company_and_day": round(day["writes"] / stepped, 2),
        "token_refreshes_per_company_and_day": round(day["refreshes"] / stepped, 2),
        "metered_reads_of_paused_in_100_days": round(century["reads"] / stepped, 2),
        "token_refreshes_of_paused_in_100_days": round(century["refreshes"] / stepped, 2),
        "still_connected": connected,
    }


def _rest(emulator: Emulator, seconds: int) -> dict[str, object]:
    """Let a worker rest for so long, after its first looks."""
    with running_worker() as (worker,):
        time.sleep(5)
        used, database, requests = worker.cpu_seconds(), server_cpu_seconds(), asked(emulator)
        started = time.monotonic_ns()
        most = _watch(worker, seconds)
        took = (time.monotonic_ns() - started) / 1e9
        used, database = worker.cpu_seconds() - used, server_cpu_seconds() - database
        return {
            "seconds": round(took),
            "worker_cpu_percent_of_a_core": round(100 * used / took, 2),
            "database_cpu_percent_of_a_core": round(100 * database / took, 2),
            "worker_memory_mb": round(worker.memory_mb()),
            "worker_memory_mb_most": round(most),
            "requests_meanwhile": asked(emulator) - requests,
        }


def _watch(worker: Process, seconds: int) -> float:
    most = 0.0
    for _ in range(seconds):
        time.sleep(1)
        most = max(most, worker.memory_mb())
    return most


async def _step(emulator: Emulator, *, hours: int, minutes: int) -> dict[str, int]:
    """Do what is due by the timetable at each step of the moved clock. What it asked of QuickBooks, and refreshes."""
    from contextlib import AsyncExitStack  # noqa: PLC0415

    from cone.accounting.database import Pool  # noqa: PLC0415  # after django.setup()
    from cone.accounting.registry import list_providers  # noqa: PLC0415  # as above
    from cone.accounting.tokens import own_connection  # noqa: PLC0415  # as above
    from cone.worker import jobs  # noqa: PLC0415  # as above
    from cone.worker.jobs import Desk  # noqa: PLC0415  # as above
    from cone.worker.timetable import TIMETABLE  # noqa: PLC0415  # as above

    before = await asyncio.to_thread(_counted, emulator)
    last: dict[str, timedelta] = {}
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(Pool())
        clients = {each.key: await stack.enter_async_context(each.open()) for each in list_providers()}
        desk = Desk(pool=pool, clients=clients, refreshing=own_connection)
        now, step = timedelta(), timedelta(minutes=minutes)
        while now < timedelta(hours=hours):
            now += step
            await asyncio.to_thread(move_clocks, emulator, step)
            for entry in _due(TIMETABLE, last, now):
                # Those that take some companies at a time come up often in a step; the others do all there is at once.
                takes_some = entry.job in (jobs.refresh_references, jobs.refresh_aging_tokens)
                for _ in range(min(step // entry.every, _MOST_TIMES) if takes_some else 1):
                    await entry.job(desk)
    after = await asyncio.to_thread(_counted, emulator)
    return {name: after[name] - before[name] for name in after}


def _due(timetable: "Sequence[Entry]", last: dict[str, timedelta], now: timedelta) -> "list[Entry]":
    due = [entry for entry in timetable if now - last.get(entry.job.__name__, timedelta()) >= entry.every]
    last.update((entry.job.__name__, now) for entry in due)
    return due


def _counted(emulator: Emulator) -> dict[str, int]:
    """Calls so far, as QuickBooks would meter them, and how often tokens were renewed."""
    from django.db import connection  # noqa: PLC0415  # after django.setup()
    from django.db.models import Sum  # noqa: PLC0415  # as above

    from cone.books.models import ConnectionTokens  # noqa: PLC0415  # as above

    answer = emulator.ask("GET", "metering")["companies"]
    companies = answer if isinstance(answer, list) else []
    renewed = ConnectionTokens.objects.aggregate(total=Sum("generation"))["total"]
    connection.close()  # threads that ask don't come back
    return {
        "reads": sum(each["core_plus"] for each in companies),
        "writes": sum(each["core"] for each in companies),
        "refreshes": int(renewed or 0),
    }


def _keep_only(number: int) -> None:
    """Leave so many companies for the stepping: its figures are for each company."""
    from cone.books.models import Connection, ConnectionTokens  # noqa: PLC0415  # after django.setup()

    kept = list(Connection.objects.order_by("pk").values_list("pk", flat=True)[:number])
    ConnectionTokens.objects.exclude(connection_id__in=kept).delete()
    Connection.objects.exclude(pk__in=kept).update(state="disconnected")


def _pause_all() -> None:
    from django.utils import timezone  # noqa: PLC0415  # after django.setup()

    from cone.books.models import Connection  # noqa: PLC0415  # as above

    Connection.objects.filter(state="connected").update(paused_at=timezone.now())


def _connected() -> int:
    from cone.books.models import Connection  # noqa: PLC0415  # after django.setup()

    return Connection.objects.filter(state="connected").count()
