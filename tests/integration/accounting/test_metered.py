"""A month without batches: they're counted like reads, single writes aren't, so what waits goes one at a time."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cone.accounting.port.verdicts import Answered, OutcomeUnknownError, TryLaterError
from cone.books.models import Attempt, Connection, Link, OutboxRow
from cone.operations.actor import Actor
from cone.operations.sync_now import sync_all
from tests.builders import make_customer
from tests.contract.emulated import EmulatedQuickBooks
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import MakeWorker, configure, connect, is_settled, wait_until
from tests.integration.accounting.emulation import Control, connect_and_configure

pytestmark = pytest.mark.django_db(transaction=True)

NO_MORE_BATCHES = TryLaterError(Answered(http_status=429, message="quota"), allowance="reads")
LOST = OutcomeUnknownError(Answered(message="no answer"))


def wait_in_line(owner: Actor, count: int = 12) -> None:
    for number in range(count):
        make_customer(owner, f"Customer {number}")


@pytest.mark.parametrize("pace", ["fast", "batches"])
def test_backlog_whose_batch_is_refused_goes_one_at_a_time(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, pace: str
) -> None:
    """Also where the firm chose batches only: what it wants to save, single writes don't cost."""
    connect(owner, ledger)
    configure(owner)
    Connection.objects.update(backlog_pace=pace)
    wait_in_line(owner)
    ledger.fail_next("batch", NO_MORE_BATCHES, times=9)
    make_worker()
    wait_until(lambda: Link.objects.count() == 12 and is_settled(owner), seconds=20)

    assert len(ledger.records("customer")) == ledger.count_sends("customer") == 12
    assert len(ledger.batches) == 1
    assert Attempt.objects.filter(state="succeeded", batch=None).count() == 12
    # Refused as a whole before anything was done: nothing had to be looked for.
    assert "find" not in ledger.calls
    active = Connection.objects.get()
    assert active.reads_not_before is not None
    assert active.not_before <= timezone.now()

    # As little as a new backlog asks for another batch.
    for number in range(12):
        make_customer(owner, f"Later {number}")
    wait_until(lambda: Link.objects.count() == 24 and is_settled(owner), seconds=20)
    assert len(ledger.batches) == 1


def test_batch_of_unknown_outcome_waits_for_the_allowance_and_is_then_looked_for(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.request_timeout = timedelta(milliseconds=200)
    active = connect(owner, ledger)
    configure(owner)
    wait_in_line(owner)
    ledger.fail_next("batch", LOST, commit=True)
    ledger.fail_next("find", NO_MORE_BATCHES)
    worker = make_worker()
    wait_until(lambda: Connection.objects.get().reads_not_before)
    later = timezone.now() + timedelta(hours=1)
    wait_until(lambda: OutboxRow.objects.filter(not_before__gt=later).count() == 12)
    assert set(Attempt.objects.values_list("state", "sends")) == {("unknown", 1)}

    # What is written meanwhile goes, and the page says what waits.
    make_customer(owner, "Meanwhile")
    worker.wake(active.pk)
    wait_until(Link.objects.exists)
    assert len(ledger.records("customer")) == 13
    assert len(ledger.batches) == 1
    browser = Client()
    browser.force_login(owner.user)
    page = browser.get(reverse("integrations")).content.decode()
    assert "The monthly allowance of reads and batches is used up" in page
    assert "looked up first, or wasn't answered, waits until" in page

    sync_all(owner)
    wait_until(lambda: Link.objects.count() == 13 and is_settled(owner), seconds=20)
    assert ledger.batches.count(ledger.batches[0]) == 1
    assert set(Attempt.objects.filter(sends__gt=1)) == set()
    assert len(ledger.records("customer")) == 13


def test_quickbooks_that_counts_no_more_calls_still_takes_a_backlog(
    owner: Actor, quickbooks: EmulatedQuickBooks, make_worker: MakeWorker
) -> None:
    """Against the emulator's own metering, whose reads and batches are used up by connecting."""
    control = Control(quickbooks.url)
    connect_and_configure(owner, quickbooks)
    before = len(control.requests(path="/batch"))
    usual = {"requests_per_minute": None, "requests_per_second": None, "requests_at_once": None}
    control.post("/limits", {**usual, "batches_per_minute": None, "core_plus_per_month": 1, "enabled": True})
    wait_in_line(owner)
    make_worker()
    wait_until(lambda: Link.objects.count() == 12 and is_settled(owner), seconds=30)

    statuses = [asked["status"] for asked in control.requests(path="/batch")[before:]]
    assert set(statuses) == {429}
    assert len(control.requests(path="/customer")) == 12
    names = {record["DisplayName"] for record in control.records("Customer")}
    assert {f"Customer {number}" for number in range(12)} <= names
    assert Connection.objects.get().reads_not_before is not None
