"""Cone's own rows in the tables that peers stand in: the same book, the same faults, the same comparison."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench.peers.book import Book, read_book
from bench.peers.comparison import compare
from bench.peers.measure import Way, check_numbers, describe, faulty_ways, measured, order_faults, run_at_once
from bench.stand import Emulator, Process, asked

if TYPE_CHECKING:
    from cone.books.models import Connection

_NAME = "Cone"


class ConeRun:
    """A worker that sends books that wait: measured from the word to the last answer."""

    def __init__(self, emulator: Emulator, workers: Sequence[Process], books: Mapping[str, Book]) -> None:
        self._emulator, self._workers, self._books = emulator, workers, books
        self._cpu, self._requests = self._used(), asked(self._emulator)
        self._started, self._tick = datetime.now(UTC), time.monotonic_ns()
        self.seconds = self.cpu_seconds = 0.0
        self.requests = 0

    def stop(self) -> None:
        """Note what it took."""
        self.seconds = (time.monotonic_ns() - self._tick) / 1e9
        self.cpu_seconds = self._used() - self._cpu
        self.requests = asked(self._emulator) - self._requests

    def without(self, requests_of_others: int) -> None:
        """Count requests anew, now that what others sent meanwhile is known."""
        self.requests = asked(self._emulator) - self._requests - requests_of_others

    def row(self, *, fault_seed: int | None = None) -> dict[str, object]:
        """As a row of the table."""
        from cone.books.models import OutboxRow  # noqa: PLC0415  # after django.setup()

        found = compare(self._emulator, self._books, started=self._started)
        return {
            "who": _NAME,
            **describe(fault_seed, is_number_checked=False),
            "retries": "its own",
            **measured(found.stored, ms=int(1000 * self.seconds), requests=self.requests, cpu_seconds=self.cpu_seconds),
            **found.row(),
            "told_of_failures": OutboxRow.objects.filter(company__remote_id__in=list(self._books)).count(),
        }

    def _used(self) -> float:
        return sum(worker.cpu_seconds() for worker in self._workers)


def be_patient(*, is_quick: bool) -> None:
    """How long workers wait for an answer, and until a look for a lost one counts: a sixth of it in a quick run."""
    seconds = {"QUICKBOOKS_REQUEST_TIMEOUT_SECONDS": 30, "QUICKBOOKS_LOOK_COUNTS_AFTER_SECONDS": 130}
    for name, full in seconds.items():
        os.environ[name] = str(-(-full // 6) if is_quick else full)


def spoil(emulator: Emulator, realm_ids: Sequence[str], *, seed: int) -> None:
    """Order the faults that peers get, in companies that accept numbers twice."""
    for place, realm_id in enumerate(realm_ids):
        check_numbers(emulator, realm_id, is_checked=False)
        order_faults(emulator, realm_id, seed=seed, place=place)


def wait_until_sent(*, patience_seconds: int = 900) -> None:
    """Wait until nothing is due or on its way; what needs a person stays."""
    from cone.books.models import OutboxRow  # noqa: PLC0415  # after django.setup()

    until = time.monotonic_ns() + patience_seconds * 1_000_000_000
    while OutboxRow.objects.filter(state__in=["due", "sending"]).exists() and time.monotonic_ns() < until:
        time.sleep(1 / 4)


def read_books(actives: "Sequence[Connection]") -> dict[str, Book]:
    """The book of each connection, by its company."""
    return {active.company_id_remote: read_book(active.workspace_id) for active in actives}


def measure_with_faults(
    emulator: Emulator,
    workers: Sequence[Process],
    actives: "Sequence[Connection]",
    *,
    seed: int,
    ways: Sequence[Way] = (),
    before: Callable[[], None] = lambda: None,
) -> list[dict[str, object]]:
    """The rows of Cone and the peers at once, each with the same books in companies of its own, and the same faults.

    The connections are held until then. `ways` are what peers do besides; `before` comes between the orders for faults
    and the start.
    """
    from bench.firms import go  # noqa: PLC0415  # after django.setup()

    books = read_books(actives)
    spoil(emulator, list(books), seed=seed)
    cone: ConeRun | None = None

    def begin() -> None:
        nonlocal cone
        before()
        cone = ConeRun(emulator, workers, books)
        go(actives)

    def finish() -> None:
        wait_until_sent()
        if cone is not None:
            cone.stop()

    all_ways = [*ways, *faulty_ways(seed)]
    rows, requests = run_at_once(emulator, list(books.values()), all_ways, before=begin, meanwhile=finish)
    if cone is None:
        raise SystemExit("The peers did not start.")
    cone.without(requests)
    return [*rows[: len(ways)], cone.row(fault_seed=seed), *rows[len(ways) :]]
