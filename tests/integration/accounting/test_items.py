"""Items: one for each service or one for all, on the income account that was chosen, and found ones left alone."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from cone.accounting import sending
from cone.accounting.attempts import Opened, Prepared, open_attempts
from cone.accounting.database import Database
from cone.accounting.port.documents import InvoiceDocument, ServiceDocument
from cone.accounting.port.verdicts import Answered, CauseCode, OutcomeUnknownError, RejectedError, TryLaterError
from cone.books.models import Attempt, Link, OutboxRow, Service
from cone.domain.errors import InvalidFieldError
from cone.domain.services import ServiceInput
from cone.kit.values import replace
from cone.operations.actor import Actor
from cone.operations.save_accounts import save_accounts
from cone.operations.save_service import save_service
from cone.operations.save_terms import save_terms
from cone.operations.sync_now import sync_all
from tests.builders import get_tax_rate, make_customer, make_invoice, make_line, make_service
from tests.fakes.books import FakeRecord
from tests.fakes.ledger import BANK, INCOME, FakeLedger

from .conftest import Held, MakeWorker, configure, connect, hurry, is_settled, wait_until

FEES = "77"
NO_MORE_READS = TryLaterError(Answered(http_status=429, message="quota"), allowance="reads")


@pytest.fixture
def advice(owner: Actor, ledger: FakeLedger) -> Service:
    """Connected to a company with two income accounts, and a service to sell."""
    company = ledger.companies["fake-company"]
    [sales] = [account for account in company.accounts if account.remote_id == INCOME]
    fees = replace(sales, remote_id=FEES, name="Fees", full_name="Fees")
    company.accounts = (*company.accounts, fees)
    connect(owner, ledger)
    configure(owner)
    return make_service(owner, "Advice")


def invoice_for(owner: Actor, *services: Service) -> None:
    rate = get_tax_rate(owner.workspace)
    make_invoice(owner, lines=[make_line(rate, service=service) for service in services], is_issued=True)


def items(ledger: FakeLedger) -> dict[str, str]:
    documents = [record.document for record in ledger.records("service")]
    return {each.name: each.income_account_id for each in documents if isinstance(each, ServiceDocument)}


def test_item_that_we_made_follows_its_name_and_account(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    audit = save_service(owner, ServiceInput("Audit"), income_account_id=FEES)
    invoice_for(owner, advice, audit)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    assert items(ledger) == {"Advice": INCOME, "Audit": FEES}

    # Another usual account: only what has none of its own moves.
    save_accounts(owner, deposit_account_id=BANK, income_account_id=FEES)
    wait_until(lambda: items(ledger) == {"Advice": FEES, "Audit": FEES} and is_settled(owner))
    save_service(owner, ServiceInput("Audit"), uuid=audit.uuid, income_account_id=INCOME)
    save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid)
    wait_until(lambda: items(ledger) == {"Counsel": FEES, "Audit": INCOME} and is_settled(owner))
    assert len(ledger.records("service")) == 2


@pytest.mark.parametrize("is_its_own", [True, False])
def test_item_under_way_follows_its_account_once_it_is_there(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service, *, is_its_own: bool
) -> None:
    """It has no link while the account is chosen, and stands there with the former one."""
    ledger.after_send = held = Held("service")
    invoice_for(owner, advice)
    make_worker()
    assert held.is_asked.wait(10)
    if is_its_own:
        save_service(owner, ServiceInput("Advice"), uuid=advice.uuid, income_account_id=FEES)
    else:
        save_accounts(owner, deposit_account_id=BANK, income_account_id=FEES)
    assert items(ledger) == {"Advice": INCOME}

    held.is_released.set()
    wait_until(lambda: items(ledger) == {"Advice": FEES} and is_settled(owner))
    assert len(ledger.records("service")) == 1


@pytest.mark.parametrize("change", ["name", "account"])
def test_item_that_is_planned_leaves_as_it_is_now(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    advice: Service,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    """It waits in the lane's memory while it changes: no link yet, and nothing of it has left."""
    is_planned, is_changed = threading.Event(), threading.Event()

    async def open_late(database: Database, *, prepared: Sequence[Prepared], **named: Any) -> Opened:
        if prepared[0].row.kind == "service" and not is_planned.is_set():
            is_planned.set()
            await asyncio.to_thread(is_changed.wait, 10)
        return await open_attempts(database, prepared=prepared, **named)

    monkeypatch.setattr(sending, "open_attempts", open_late)
    invoice_for(owner, advice)
    make_worker()
    assert is_planned.wait(10)
    assert not Attempt.objects.filter(kind="service").exists()
    if change == "name":
        save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid)
    else:
        save_service(owner, ServiceInput("Advice"), uuid=advice.uuid, income_account_id=FEES)
    is_changed.set()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    assert items(ledger) == ({"Counsel": INCOME} if change == "name" else {"Advice": FEES})
    assert ledger.count_sends("service") == 1


def test_one_item_under_way_follows_the_account_once_it_is_there(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    save_terms(owner, {"item_mode": "one"})
    ledger.after_send = held = Held("service")
    invoice_for(owner, advice)
    make_worker()
    assert held.is_asked.wait(10)
    save_accounts(owner, deposit_account_id=BANK, income_account_id=FEES)
    assert items(ledger) == {"Services": INCOME}

    held.is_released.set()
    wait_until(lambda: items(ledger) == {"Services": FEES} and is_settled(owner))
    assert ledger.count_sends("service") == 2

    # Another setting says nothing of it.
    save_terms(owner, {"name_policy": "suffix"})
    invoice_for(owner, advice)
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert ledger.count_sends("service") == 2


def test_item_that_was_found_stays_as_it_is(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    invoice_for(owner, advice)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    Link.objects.filter(kind="service").update(is_made_here=False)
    save_accounts(owner, deposit_account_id=BANK, income_account_id=FEES)
    save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid)
    wait_until(lambda: is_settled(owner))
    assert items(ledger) == {"Advice": INCOME}


def refuse_after_no_answer(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, service: Service, *, late_by: timedelta | None = None
) -> None:
    """Have an item's create get no answer, and its repeat a plain no; the first is done `late_by`, if ever."""
    hurry(ledger, 200)
    ledger.fail_next("service", OutcomeUnknownError(Answered(message="no answer")), late_by=late_by)
    refused = Answered(http_status=400, code="6000", message="not now")
    ledger.fail_next("service", RejectedError(refused, cause=CauseCode.REFUSED))
    invoice_for(owner, service)
    make_worker()
    wait_until(lambda: OutboxRow.objects.filter(kind="service", state="blocked").exists())


def test_item_that_an_earlier_try_made_after_all_is_ours(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    """It was done late, after its repeat had been refused: nobody waits for its answer any more."""
    refuse_after_no_answer(owner, ledger, make_worker, advice, late_by=timedelta(seconds=3))
    assert not items(ledger)
    ledger.age(timedelta(seconds=3))
    assert items(ledger) == {"Advice": INCOME}

    save_service(owner, ServiceInput("Advice"), uuid=advice.uuid, income_account_id=FEES)
    wait_until(lambda: items(ledger) == {"Advice": FEES} and is_settled(owner))
    assert len(ledger.records("invoice")) == len(ledger.records("service")) == 1
    assert Link.objects.get(kind="service").is_made_here


def test_item_that_a_person_made_after_ours_was_refused_is_theirs(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    """Long after anything of ours left: it was refused, so they did it by hand."""
    refuse_after_no_answer(owner, ledger, make_worker, advice)
    long_ago = timezone.now() - timedelta(days=2)
    Attempt.objects.filter(kind="service").update(started_at=long_ago, last_sent_at=long_ago)
    make_there(ledger, "Advice")

    sync_all(owner)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    assert items(ledger) == {"Advice": "9"}
    assert not Link.objects.get(kind="service").is_made_here


def make_there(ledger: FakeLedger, name: str) -> None:
    """Have the bookkeeper make an item."""
    theirs = ServiceDocument(
        uuid=uuid4(), revision=1, name=name, description="", unit_price=Decimal(0), income_account_id="9"
    )
    record = FakeRecord(kind="service", remote_id="900", document=theirs)
    ledger.companies["fake-company"].records["service", "900"] = record


def test_one_item_for_everything(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service) -> None:
    save_terms(owner, {"item_mode": "one"})
    invoice_for(owner, advice, make_service(owner, "Audit"))
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    assert items(ledger) == {"Services": INCOME}
    [invoice] = ledger.records("invoice")
    assert isinstance(invoice.document, InvoiceDocument)
    assert len({line.item_id for line in invoice.document.lines}) == 1


def test_account_that_is_no_income_account_is_refused(owner: Actor, advice: Service) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        save_service(owner, ServiceInput("Audit"), income_account_id=BANK)
    assert caught.value.field == "income_account"
    assert not Service.objects.filter(name="Audit").exists()


def test_item_that_isnt_there_is_made_without_a_look(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    """Connecting read which of the firm's services have no item there, the general one among them."""
    before = make_service(owner, "Advice")
    connect(owner, ledger)
    configure(owner)
    since = make_service(owner, "Audit")
    make_worker()
    customer, rate = make_customer(owner), get_tax_rate(owner.workspace)
    make_invoice(owner, customer, lines=[make_line(rate, service=before), make_line(rate)], is_issued=True)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    assert ledger.calls.count("find") == 0

    make_invoice(owner, customer, lines=[make_line(rate, service=since)], is_issued=True)
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert ledger.calls.count("find") == 1
    assert items(ledger) == {"Advice": INCOME, "Services": INCOME, "Audit": INCOME}


@pytest.fixture
def since(owner: Actor, ledger: FakeLedger) -> Service:
    """A service of whose item the lists said that it's missing; somebody has made it there since."""
    service = make_service(owner, "Advice")
    connect(owner, ledger)
    configure(owner)
    save_service(owner, ServiceInput("Advice", description="By the hour"), uuid=service.uuid)
    make_there(ledger, "Advice")
    return service


def test_item_made_there_since_the_lists_were_read_is_found_after_the_refusal(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, since: Service
) -> None:
    make_worker()
    invoice_for(owner, since)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))

    link = Link.objects.get(kind="service")
    # It's the firm's: made moments ago, but not by the create that it refused.
    assert (link.remote_id, link.is_made_here) == ("900", False)
    # Of the revision that it was found for: a run that asked for it is over by that.
    assert link.synced_revision == 2
    assert items(ledger) == {"Advice": "9"}
    assert ledger.count_sends("service") == 1


@pytest.mark.parametrize("why", [TryLaterError(Answered(http_status=503)), NO_MORE_READS])
def test_item_made_there_since_is_found_later_where_it_cant_be_looked_for_at_once(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, since: Service, why: TryLaterError
) -> None:
    ledger.fail_next("find", why)
    make_worker()
    invoice_for(owner, since)
    if why is NO_MORE_READS:
        wait_until(lambda: Attempt.objects.filter(kind="service", state="failed").exists())
        assert not OutboxRow.objects.filter(state="blocked").exists()
    wait_until(lambda: ledger.records("invoice") and is_settled(owner), seconds=20)

    assert items(ledger) == {"Advice": "9"}
    assert Link.objects.get(kind="service").remote_id == "900"
    # Not sent again without a look.
    assert ledger.count_sends("service") == 1


def test_item_of_the_firms_isnt_linked_while_the_lost_create_may_still_come(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, since: Service
) -> None:
    """Renamed there meanwhile, it makes its name free for a create that is done late: that one is used then."""
    theirs = ledger.companies["fake-company"].records["service", "900"]
    theirs.created_at -= timedelta(hours=2)
    # Later than a first back-off, so that the first look comes long before looks count.
    hurry(ledger, 2000)
    ledger.fail_next("service", OutcomeUnknownError(Answered(message="no answer")), late_by=timedelta(seconds=6))
    invoice_for(owner, since)
    make_worker()
    wait_until(lambda: Link.objects.filter(kind="service").exists() or Attempt.objects.filter(looked_at__isnull=False))
    assert isinstance(theirs.document, ServiceDocument)
    theirs.document = replace(theirs.document, name="Advice of old")

    wait_until(lambda: ledger.records("invoice") and is_settled(owner), seconds=30)
    ledger.age(timedelta(seconds=10))
    assert items(ledger) == {"Advice of old": "9", "Advice": INCOME}
    link = Link.objects.get(kind="service")
    assert (link.remote_id != "900", link.is_made_here) == (True, True)
