"""What invoices refer to is asked for by their look: where it waits in the backlog already, or was saved meanwhile."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from cone.accounting import lane
from cone.accounting.budget import Budget, Share
from cone.accounting.port.documents import ServiceDocument
from cone.accounting.port.verdicts import Answered, TryLaterError
from cone.books.models import Attempt, OutboxRow
from cone.domain.services import ServiceInput
from cone.operations.actor import Actor
from cone.operations.save_service import save_service
from tests.builders import get_tax_rate, make_customer, make_invoice, make_line, make_service
from tests.fakes.ledger import FakeLedger

from .conftest import NO_SWEEP, HeldLook, MakeWorker, configure, connect, is_settled, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


class Gate:
    """Holds the backlog back; live requests go."""

    def __init__(self) -> None:
        self.is_held = True
        self.asked = 0

    def wrap(self, ask: Callable[..., object]) -> Callable[..., object]:
        async def held(budget: Budget, share: Share = Share.LIVE, *, is_batch: bool = False) -> object:
            if share is Share.BACKLOG and self.is_held:
                self.asked += 1
                return timedelta(milliseconds=20)
            return await ask(budget, share, is_batch=is_batch)  # type: ignore[misc]  # what it wraps is a coroutine

        return held


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(Budget, "ask", gate.wrap(Budget.ask))
    return gate


def test_item_that_waits_in_the_backlog_goes_once_and_breaks_nothing(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    service = make_service(owner, "Advice")
    connect(owner, ledger)
    configure(owner)
    line = make_line(get_tax_rate(owner.workspace), service=service)
    customer = make_customer(owner)
    for number in range(8):
        make_customer(owner, f"Customer {number}")
    make_invoice(owner, customer, lines=[line], is_issued=True)
    OutboxRow.objects.update(priority=10)
    make_worker(NO_SWEEP)
    wait_until(lambda: gate.asked > 2)
    assert not ledger.sent

    # Goes first now, and fails: what waited of it must not go as it was planned before.
    ledger.fail_next("service", TryLaterError(Answered(http_status=503), scope="record"))
    make_invoice(owner, customer, lines=[line], is_issued=True)
    wait_until(Attempt.objects.filter(kind="service", state="failed").exists)
    gate.is_held = False

    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner), seconds=20)
    assert "broke" not in caplog.text
    assert len(ledger.records("service")) == 1
    assert not Attempt.objects.filter(kind="customer").exclude(state="succeeded").exists()


def test_service_saved_since_the_look_read_it_leaves_as_it_is_now(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no row yet that saving it could raise: the look asks for it only afterwards."""
    service = make_service(owner, "Advice")
    connect(owner, ledger)
    configure(owner)
    monkeypatch.setattr(lane, "read_snapshot", held := HeldLook("invoice"))
    make_worker(NO_SWEEP)
    line = make_line(get_tax_rate(owner.workspace), service=service)
    make_invoice(owner, lines=[line], is_issued=True)
    assert held.is_asked.wait(10)
    save_service(owner, ServiceInput("Audit"), uuid=service.uuid)
    held.is_released.set()

    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    [item] = [record.document for record in ledger.records("service")]
    assert isinstance(item, ServiceDocument)
    assert item.name == "Audit"
