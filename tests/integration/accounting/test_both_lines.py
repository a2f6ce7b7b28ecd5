"""No second record if either line works: request ids × look-ups × late execution, each cell (docs/adr/0016).

Payments, since nothing there refuses a second one of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

import pytest
from django.conf import LazySettings
from django.utils import timezone

from cone.accounting import lane
from cone.accounting.port.verdicts import Answered, OutcomeUnknownError
from cone.accounting.states import read_record_sync
from cone.books.models import Attempt, Invoice, Link, OutboxRow, Payment
from cone.operations.actor import Actor
from cone.operations.sync_now import sync_record
from tests.builders import get_tax_rate, make_customer, make_invoice, make_line, make_payment
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import configure, connect
from tests.integration.accounting.driving import Driver

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = timedelta(seconds=1)
COUNTS_AFTER = 130 * SECOND
NEVER = None
LATE: tuple[timedelta | None, ...] = (timedelta(), 40 * SECOND, 100 * SECOND, NEVER)
LATE_BATCHES = (timedelta(), 100 * SECOND, NEVER)


@dataclass(frozen=True)
class Ids:
    """For how long the platform knows an id again; None: for ever."""

    live_for: timedelta | None


@dataclass(frozen=True)
class Looks:
    """For how long a look doesn't see what was made; None: ever."""

    blind_for: timedelta | None


IDS = {"kept": Ids(None), "forgotten after 60 s": Ids(60 * SECOND), "ignored": Ids(timedelta())}
LOOKS = {"at once": Looks(timedelta()), "blind for 120 s": Looks(120 * SECOND), "never": Looks(None)}

CELLS = list(product(IDS, LOOKS))


def is_safe(ids: Ids, looks: Looks, late: timedelta | None) -> bool:
    """Whether one of the lines tells the truth when both are asked, a moment after a look counts."""
    if late is NEVER:
        return True
    is_seen = looks.blind_for is not None and late + looks.blind_for <= COUNTS_AFTER
    return is_seen or ids.live_for is None or late + ids.live_for > COUNTS_AFTER + SECOND


@pytest.fixture
def driver(owner: Actor, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """A connected firm whose customer and invoice stand there."""
    monkeypatch.setattr(lane, "_LINGER", timedelta())
    connect(owner, ledger)
    configure(owner)
    driver = Driver(ledger, owner)
    line = make_line(get_tax_rate(owner.workspace, 20), unit_price="1000.00")
    make_invoice(owner, make_customer(owner), lines=[line], is_issued=True)
    driver.settle()
    assert Link.objects.filter(kind="invoice").exists()
    yield driver
    driver.close()


def set_lines(ledger: FakeLedger, ids: str, looks: str) -> None:
    """How the platform behaves."""
    ledger.request_timeout = 30 * SECOND
    ledger.memory.kept_for = IDS[ids].live_for
    ledger.looks_are_blind_for = LOOKS[looks].blind_for


def count_there(ledger: FakeLedger, payment: Payment) -> int:
    """How many of a payment stand there."""
    return sum(record.document.uuid == payment.uuid for record in ledger.records("payment"))


def lose(owner: Actor, ledger: FakeLedger, late: timedelta | None, *, count: int) -> list[Payment]:
    """So many payments whose answer is lost: in a batch when they're many."""
    answered = OutcomeUnknownError(Answered(message="no answer"))
    is_at_once = late == timedelta()
    ledger.fail_next("batch" if count > 1 else "payment", answered, commit=is_at_once, late_by=late or None)
    invoice = Invoice.objects.get()
    return [make_payment(owner, invoice, "1.00") for _ in range(count)]


@pytest.mark.parametrize("count", [1, 8], ids=["single", "batch"])
@pytest.mark.parametrize(("ids", "looks"), CELLS)
def test_lost_create_stands_there_once_wherever_a_line_works(
    owner: Actor, ledger: FakeLedger, driver: Driver, ids: str, looks: str, count: int
) -> None:
    set_lines(ledger, ids, looks)
    safe = [late for late in (LATE if count == 1 else LATE_BATCHES) if is_safe(IDS[ids], LOOKS[looks], late)]
    for late in safe:
        payments = lose(owner, ledger, late, count=count)
        driver.settle()
        assert [count_there(ledger, payment) for payment in payments] == [1] * count, late
        assert Link.objects.filter(record_uuid__in=[payment.uuid for payment in payments]).count() == count
        assert not Attempt.objects.filter(state="unknown").exists()
        assert not OutboxRow.objects.exists()


@pytest.mark.parametrize("count", [1, 8], ids=["single", "batch"])
@pytest.mark.parametrize(("ids", "looks"), CELLS)
def test_lost_create_is_asked_about_and_never_doubled_where_ids_are_not_trusted(
    owner: Actor, ledger: FakeLedger, driver: Driver, settings: LazySettings, ids: str, looks: str, count: int
) -> None:
    settings.REQUEST_IDS_LIVE_FOR = timedelta()
    set_lines(ledger, ids, looks)
    for late in LATE if count == 1 else LATE_BATCHES:
        payments = lose(owner, ledger, late, count=count)
        driver.settle()
        is_there = late is not NEVER
        assert [count_there(ledger, payment) for payment in payments] == [int(is_there)] * count, late
        blind_for = LOOKS[looks].blind_for
        is_seen = late is not NEVER and blind_for is not None and late + blind_for <= COUNTS_AFTER
        for payment in payments:
            assert Link.objects.filter(record_uuid=payment.uuid).exists() == is_seen
            asked = OutboxRow.objects.filter(record_uuid=payment.uuid, cause_key=f"outcome_uncertain:{payment.uuid}")
            assert asked.exists() != is_seen


def test_page_says_when_it_is_looked_for_again_and_a_person_may_have_it_looked_for_now(
    owner: Actor, ledger: FakeLedger, driver: Driver
) -> None:
    set_lines(ledger, "ignored", "at once")
    (payment,) = lose(owner, ledger, 40 * SECOND, count=1)
    driver.work()
    assert looks_again_in(owner, payment) == 30
    driver.pass_time(31 * SECOND)
    driver.work()
    assert looks_again_in(owner, payment) == 130 - 31
    looks = ledger.calls.count("find")
    driver.work()
    assert ledger.calls.count("find") == looks

    driver.pass_time(10 * SECOND)
    sync_record(owner, "payment", payment.uuid)
    driver.work()
    assert ledger.calls.count("find") == looks + 1
    assert Link.objects.filter(record_uuid=payment.uuid).exists()
    assert count_there(ledger, payment) == 1


def looks_again_in(owner: Actor, payment: Payment) -> int:
    """In how many seconds the payment's page says that it's looked for."""
    sync = read_record_sync(owner.workspace.pk, "payment", payment.uuid)
    assert sync is not None
    assert sync.looks_again_at is not None
    return round((sync.looks_again_at - timezone.now()).total_seconds())
