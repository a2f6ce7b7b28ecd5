"""Runs python-quickbooks over books, in a process of its own, and says what came of it: one row for each way.

A lost answer, a 503 and a 429 are ordered at the emulator by percent and seed, the same for whoever writes.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

from bench.peers.book import Book
from bench.peers.comparison import compare
from bench.stand import CLIENT_ID, CLIENT_SECRET, Emulator, Process

# The scenario's names for what the books need: an income account, and VAT at 20 %.
_INCOME_ACCOUNT, _TAX_CODE = "1", "6"
_NAMES = {"single": "python-quickbooks, one save each", "batch": "python-quickbooks, batch helper"}
RETRIES = 4


@dataclass(frozen=True, slots=True)
class Way:
    """How a peer writes: singly or in batches, retrying or not, and with which seed faults strike it."""

    kind: str
    retries: int = 0
    fault_seed: int | None = None
    # Whether the company refuses a number that's taken; a new QuickBooks company doesn't.
    is_number_checked: bool = False
    # Whether a save and its repeats carry a request id of their own; the batch helper takes none.
    has_request_ids: bool = False

    def row(self) -> dict[str, object]:
        """As the first columns of a table."""
        return {
            "who": _NAMES[self.kind],
            **describe(self.fault_seed, is_number_checked=self.is_number_checked),
            "retries": f"{self.retries}, same request id" if self.has_request_ids else str(self.retries),
        }


CLEAN_WAYS = (Way("single"), Way("batch"))


def faulty_ways(seed: int) -> list[Way]:
    """Without retrying; retrying where a taken number is accepted and where it isn't; and under request ids."""
    ways = [
        Way(kind, retries=retries, fault_seed=seed, is_number_checked=is_checked)
        for kind in ("single", "batch")
        for retries, is_checked in ((0, False), (RETRIES, False), (RETRIES, True))
    ]
    return [*ways[:3], Way("single", retries=RETRIES, fault_seed=seed, has_request_ids=True), *ways[3:]]


def describe(fault_seed: int | None, *, is_number_checked: bool) -> dict[str, object]:
    """What struck, in words."""
    if fault_seed is None:
        return {"faults": "none"}
    return {"faults": f"9 % (taken numbers {'refused' if is_number_checked else 'accepted'})"}


def order_faults(emulator: Emulator, realm_id: str, *, seed: int, place: int) -> None:
    """Of each hundred writes three answers are lost after the commit, three get 503 before it, and three 429.

    `place` tells companies apart: each has chances of its own, the same ones for whoever writes.
    """
    actions: tuple[object, ...] = ("drop_after", {"status": 503}, {"status": 429})
    for number, action in enumerate(actions):
        emulator.ask(
            "POST",
            "faults",
            {
                "match": {"method": "POST", "realm_id": realm_id},
                "probability": 3,
                "seed": 1000 * seed + len(actions) * place + number,
                "action": action,
            },
        )


def check_numbers(emulator: Emulator, realm_id: str, *, is_checked: bool) -> None:
    """Have the company refuse numbers that are taken, or not."""
    fields = {"SalesFormsPrefs": {"CustomTxnNumbers": is_checked}}
    act = {"realm_id": realm_id, "action": "update", "entity": "Preferences", "id": "1", "fields": fields}
    emulator.ask("POST", "act", act)


class PeerRun:
    """A peer's process with its companies."""

    def __init__(self, emulator: Emulator, books: Mapping[str, Book], way: Way, process: Process) -> None:
        self._emulator, self._books, self._way, self._process = emulator, books, way, process
        self._started, self._cpu = datetime.now(UTC), process.cpu_seconds()
        self.requests = 0

    def start(self) -> None:
        """Have it write. What it took to start isn't counted, as with a worker."""
        self._cpu = self._process.cpu_seconds()
        self._started = datetime.now(UTC)
        self._process.write_line("go")

    def finish(self) -> dict[str, object]:
        """Wait until it has written, and say what stands there."""
        said = json.loads(self._process.read_line())
        cpu = self._process.cpu_seconds() - self._cpu
        found = compare(self._emulator, self._books, started=self._started)
        self.requests = said["requests"]
        return {
            **self._way.row(),
            **measured(found.stored, ms=said["milliseconds"], requests=self.requests, cpu_seconds=cpu),
            **found.row(),
            "told_of_failures": sum(said["refused"].values()),
        }


def measured(stored: int, *, ms: int, requests: int, cpu_seconds: float) -> dict[str, object]:
    """The figures that whoever writes is compared by."""
    each = max(stored, 1)
    return {
        "invoices": stored,
        "per_minute": round(stored * 60_000 / max(ms, 1)),
        "requests_per_invoice": round(requests / each, 3),
        "cpu_ms_per_invoice": round(1000 * cpu_seconds / each, 3),
    }


@contextmanager
def prepared_peer(emulator: Emulator, books: Sequence[Book], way: Way) -> Iterator[PeerRun]:
    """A peer that has read its plan: new companies, connected, each with its one item, and faults on order."""
    companies = [_open_company(emulator, book, way, place=place) for place, book in enumerate(books)]
    plan = {
        "base": emulator.url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "way": way.kind,
        "retries": way.retries,
        "has_request_ids": way.has_request_ids,
        "companies": companies,
    }
    with tempfile.TemporaryDirectory(prefix="cone-bench-peer-") as folder:
        path = Path(folder) / "plan.json"
        path.write_text(json.dumps(plan))
        process = Process("-m", "bench.peers.program", str(path), is_piped=True)
        try:
            if process.read_line().strip() != "ready":
                raise SystemExit("The peer did not start.")
            realms = [str(company["realm_id"]) for company in companies]
            yield PeerRun(emulator, dict(zip(realms, books, strict=True)), way, process)
        finally:
            process.kill()


def run_at_once(
    emulator: Emulator,
    books: Sequence[Book],
    ways: Sequence[Way],
    *,
    before: Callable[[], None] = lambda: None,
    meanwhile: Callable[[], None] = lambda: None,
) -> tuple[list[dict[str, object]], int]:
    """Several peers beside each other, each in companies of its own: their rows, and their requests together."""
    with ExitStack() as stack:
        runs = [stack.enter_context(prepared_peer(emulator, books, way)) for way in ways]
        before()
        for run in runs:
            run.start()
        meanwhile()
        rows = [run.finish() for run in runs]
    return rows, sum(run.requests for run in runs)


def _open_company(emulator: Emulator, book: Book, way: Way, *, place: int) -> dict[str, object]:
    realm_id = str(emulator.ask("POST", "companies", {"scenario": "uk-vat"})["realm_id"])
    tokens = emulator.ask("POST", "tokens", {"realm_id": realm_id})
    item_id = _make_item(emulator, realm_id, str(tokens["access_token"]))
    if way.fault_seed is not None:
        check_numbers(emulator, realm_id, is_checked=way.is_number_checked)
        order_faults(emulator, realm_id, seed=way.fault_seed, place=place)
    return {**tokens, "item_id": item_id, "tax_code_id": _TAX_CODE, "book": book.to_json()}


def _make_item(emulator: Emulator, realm_id: str, access_token: str) -> str:
    """The service that all lines post to; a peer's user would have made it by hand."""
    item = {"Name": "Bookkeeping", "Type": "Service", "IncomeAccountRef": {"value": _INCOME_ACCOUNT}}
    request = Request(  # noqa: S310  # our own server
        f"{emulator.url}/v3/company/{realm_id}/item?minorversion=75",
        json.dumps(item).encode(),
        {"Authorization": f"Bearer {access_token}", "Content-Type": "application/json", "Accept": "application/json"},
    )
    with urlopen(request) as answer:  # noqa: S310  # as above
        return str(json.load(answer)["Item"]["Id"])
