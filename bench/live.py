"""`live`: one invoice at a time on an idle system, from its commit to the arrival of its request.

A forwarder stands before the emulator and notes when each request's first bytes arrive; what it costs comes after.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.stand import prepared_books, quantile, running_emulator, running_worker

if TYPE_CHECKING:
    from cone.books.models import Invoice
    from cone.operations.actor import Actor

# They make customers and the item first.
_FIRST = 10


class Ear:
    """Listens before the emulator: the monotonic moments of arriving invoices, in nanoseconds.

    With `company`, of that company's invoices only.
    """

    def __init__(self, target: str) -> None:
        self.company = ""
        parts = urlsplit(target)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self.heard: deque[int] = deque()
        self.url = ""
        self._started = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._started.wait(5)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._started.set()
        await server.serve_forever()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(self._host, self._port)

        async def forward() -> None:
            while data := await reader.read(65_536):
                if data.startswith(b"POST ") and f"{self.company}/invoice?".encode() in data[:200]:
                    self.heard.append(time.monotonic_ns())
                there_writer.write(data)
            there_writer.close()

        async def back() -> None:
            while data := await there_reader.read(65_536):
                writer.write(data)
            writer.close()

        await asyncio.gather(forward(), back(), return_exceptions=True)


def measure_waits(
    ear: Ear, actor: "Actor", invoices: "Sequence[Invoice]", *, pause_milliseconds: int = 250
) -> list[int]:
    """Issue them one by one: microseconds from each one's commit to the arrival of its request (10 s: never came)."""
    from bench.firms import issue  # noqa: PLC0415  # after django.setup()

    waits: list[int] = []
    for invoice in invoices:
        ear.heard.clear()
        issue(actor, invoice)
        committed = time.monotonic_ns()
        until = committed + 10_000_000_000
        while not ear.heard and time.monotonic_ns() < until:
            time.sleep(1 / 5000)
        waits.append((ear.heard[0] - committed) // 1000 if ear.heard else 10_000_000)
        time.sleep(pause_milliseconds / 1000)
    return waits


def run(*, is_quick: bool) -> dict[str, object]:
    """Milliseconds from commit to request: median, 99th percentile, and how many were measured."""
    rounds = 60 if is_quick else 400
    with running_emulator("--country", "GB", "--no-limits") as emulator:
        ear = Ear(emulator.url)
        with prepared_books(ear.url):
            from bench.firms import connected_firm, make_customers, make_invoices  # noqa: PLC0415  # after django.setup()

            actor, _ = connected_firm(emulator)
            invoices = make_invoices(actor, make_customers(actor, 5), rounds + _FIRST)
            with running_worker() as (worker,):
                before = worker.cpu_seconds()
                waits = measure_waits(ear, actor, invoices)[_FIRST:]
                cpu = worker.cpu_seconds() - before
    return {
        "invoices": len(waits),
        "p50_ms": round(quantile(waits, 500) / 1000, 2),
        "p90_ms": round(quantile(waits, 900) / 1000, 2),
        "p99_ms": round(quantile(waits, 990) / 1000, 2),
        "most_ms": round(max(waits) / 1000, 2),
        "worker_cpu_ms_per_invoice": round(1000 * cpu / len(invoices), 2),
    }
