"""A firm connected to a ledger that lives in memory, and workers that run on real Postgres beside the test."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
import uvloop

from cone.accounting.manage import read_manage
from cone.accounting.port.documents import Kind
from cone.accounting.registry import get_provider, register, unregister
from cone.accounting.snapshot import Snapshot, read_snapshot
from cone.books.models import Connection, Invoice, OutboxRow
from cone.operations.actor import Actor
from cone.operations.connect_provider import finish_connecting, start_connecting
from cone.operations.save_accounts import save_accounts
from cone.operations.save_invoice import save_invoice
from cone.operations.save_tax_mappings import save_tax_mappings
from cone.worker.dispatcher import Dispatcher
from cone.worker.jobs import revoke
from cone.worker.timetable import TIMETABLE
from tests.builders import get_no_tax, get_tax_rate, make_invoice, make_invoice_input, make_line, make_owner
from tests.contract.emulated import EmulatedQuickBooks, running_emulator
from tests.fakes.ledger import BANK, DEFAULT_COMPANY, INCOME, REDUCED, STANDARD, ZERO, FakeLedger, Sending

REDIRECT = "http://127.0.0.1/callback"
SESSION = "browser-session"
NO_SWEEP = timedelta(hours=1)


def wait_until(claim: Callable[[], object], *, seconds: int = 10) -> None:
    """Return as soon as the claim holds; fail when it doesn't within the time."""
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until, "it didn't become true in time"
        time.sleep(0.01)


def connect(actor: Actor, ledger: FakeLedger, company: str = DEFAULT_COMPANY, *, session: str = SESSION) -> Connection:
    """Walk the sign-in as a browser would."""
    url = start_connecting(actor, provider_key=ledger.key, session_key=session, redirect_uri=REDIRECT)
    state = url.partition("state=")[2].partition("&")[0]
    finish_connecting(
        actor, query={**ledger.sign_in(company), "state": state}, session_key=session, redirect_uri=REDIRECT
    )
    return Connection.objects.exclude(state="disconnected").get(workspace=actor.workspace)


def configure(actor: Actor) -> None:
    """Map the UK's rates and choose the accounts."""
    workspace = actor.workspace
    save_tax_mappings(
        actor,
        {
            get_tax_rate(workspace, 20).uuid: STANDARD,
            get_tax_rate(workspace, 5).uuid: REDUCED,
            get_tax_rate(workspace, 0).uuid: ZERO,
            get_no_tax(workspace).uuid: ZERO,
        },
    )
    save_accounts(actor, deposit_account_id=BANK, income_account_id=INCOME)
    assert read_manage(workspace.pk).deposit_account_id == BANK


def hurry(ledger: FakeLedger, milliseconds: int) -> None:
    """Have answers given up, and looks count, soon."""
    ledger.request_timeout = timedelta(milliseconds=milliseconds)
    ledger.looks_count_after = 2 * ledger.request_timeout


def reprice(actor: Actor, invoice: Invoice, unit_price: str) -> None:
    """Change an invoice to one line of this price and the usual tax."""
    line = make_line(get_tax_rate(actor.workspace, 20), unit_price=unit_price)
    save_invoice(actor, make_invoice_input(invoice.customer, [line]), uuid=invoice.uuid)


def is_settled(actor: Actor) -> bool:
    """Whether nothing of the firm is due or on its way."""
    return not OutboxRow.objects.filter(
        company__workspace=actor.workspace, state__in=["due", "sending"], waits_for_uuid__isnull=True
    ).exists()


def release_values(actor: Actor) -> dict[str, int]:
    """The values by which the firm's own lane releases what waits for what's linked."""
    active = Connection.objects.exclude(state="disconnected").get(workspace=actor.workspace)
    return {"company": active.company_id, "connection": active.pk, "epoch": active.lane_epoch}


@dataclass
class Held:
    """A hook that keeps the first request of a kind until it's released, at most ten seconds."""

    kind: Kind
    is_asked: threading.Event = field(default_factory=threading.Event)
    is_released: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, sending: Sending) -> None:
        if sending.kind == self.kind and not self.is_asked.is_set():
            self.is_asked.set()
            await asyncio.to_thread(self.is_released.wait, 10)


@dataclass
class HeldLook:
    """In the place of a lane's looks: keeps the first that read a row of a kind until it's released, as `Held` does."""

    kind: Kind
    is_asked: threading.Event = field(default_factory=threading.Event)
    is_released: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, *given: Any, **named: Any) -> Snapshot:
        snapshot = await read_snapshot(*given, **named)
        if any(subject.row.kind == self.kind for subject in snapshot.subjects) and not self.is_asked.is_set():
            self.is_asked.set()
            await asyncio.to_thread(self.is_released.wait, 10)
        return snapshot


@dataclass
class Worker:
    """A dispatcher on an event loop of its own, in a thread: stopped hard, as a killed process would be."""

    dispatcher: Dispatcher
    _loop: asyncio.AbstractEventLoop = field(default_factory=uvloop.new_event_loop)
    _thread: threading.Thread | None = None
    _task: "asyncio.Task[None] | None" = None

    def start(self) -> "Worker":
        """Return once it listens."""
        started = threading.Event()

        def work() -> None:
            asyncio.set_event_loop(self._loop)
            self._task = self._loop.create_task(self.dispatcher.run())
            self._loop.call_soon(started.set)
            try:
                self._loop.run_until_complete(self._task)
            except asyncio.CancelledError:
                pass
            finally:
                self._loop.close()

        self._thread = threading.Thread(target=work)
        self._thread.start()
        assert started.wait(5)
        wait_until(self.dispatcher.ready.is_set)
        return self

    def wake(self, connection_id: int) -> None:
        """Wake a lane from the test's thread."""
        self._loop.call_soon_threadsafe(self.dispatcher.wake, connection_id)

    def stop(self) -> None:
        """Cancel everything it does and wait for its end."""
        if self._thread is not None and self._thread.is_alive():
            assert self._task is not None
            self._loop.call_soon_threadsafe(self._task.cancel)
            # Cancelling a query asks the server first, which may take its five seconds, twice.
            self._thread.join(30)
            assert not self._thread.is_alive()


MakeWorker: TypeAlias = Callable[..., Worker]


@pytest.fixture
def ledger() -> Iterator[FakeLedger]:
    """A second provider beside QuickBooks, registered for this test."""
    fake = FakeLedger()
    register(fake)
    yield fake
    unregister(fake.key)


@pytest.fixture
def quickbooks() -> Iterator[EmulatedQuickBooks]:
    """QuickBooks by the emulator, in the place of the installation's own."""
    usual = get_provider("quickbooks")
    with running_emulator() as url:
        emulated = EmulatedQuickBooks(url, country="GB")
        register(emulated.provider)
        yield emulated
    register(usual)


@pytest.fixture
def make_worker() -> Iterator[MakeWorker]:
    """Starts workers that end with the test; with NO_SWEEP nothing but notifications and timers wakes a lane."""
    workers: list[Worker] = []

    def make(sweep: timedelta = timedelta(milliseconds=300)) -> Worker:
        hurried = [replace(entry, every=min(entry.every, sweep)) for entry in TIMETABLE if entry.job is revoke]
        rest = [entry for entry in TIMETABLE if entry.job is not revoke]
        workers.append(Worker(Dispatcher(sweep=sweep, timetable=[*hurried, *rest])).start())
        return workers[-1]

    yield make
    for worker in workers:
        worker.stop()


@pytest.fixture
def owner(transactional_db: None) -> Actor:
    """The owner of a UK firm."""
    return make_owner()


@pytest.fixture
def synced_invoice(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> Invoice:
    """An invoice of 100.00 and the usual tax that stands in a connected company, whose worker goes on."""
    make_worker()
    connect(owner, ledger)
    configure(owner)
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    return invoice
