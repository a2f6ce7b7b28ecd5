"""Invoices and items that are about to change: a line posts to the account that its item has at that moment."""

import html
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cone.accounting.causes import list_cause_cards
from cone.accounting.port.verdicts import Answered, CauseCode, OutcomeUnknownError, RejectedError, StaleError
from cone.accounting.preview import reading
from cone.accounting.preview.summary import read_preview
from cone.accounting.preview.values import Action
from cone.accounting.sql import sweep as sweep_sql
from cone.accounting.states import read_record_sync, sync_states
from cone.accounting.values import Awaited, SyncState
from cone.books.models import Attempt, Connection, Customer, Invoice, Link, OutboxRow, Service
from cone.domain.services import ServiceInput
from cone.operations.actor import Actor
from cone.operations.archive_service import archive_service
from cone.operations.save_accounts import save_accounts
from cone.operations.save_service import save_service
from cone.operations.save_terms import save_terms
from cone.operations.sync_now import sync_record
from cone.web.formats import show_day
from tests.builders import get_tax_rate, make_customer, make_invoice, make_line, make_service
from tests.fakes.ledger import BANK, INCOME, FakeLedger, Sending

from .conftest import NO_SWEEP, Held, MakeWorker, hurry, is_settled, release_values, wait_until
from .test_items import FEES, NO_MORE_READS, advice, items

__all__ = ["advice"]

REFUSED = RejectedError(
    Answered(http_status=400, code="6000", message="no", said="the item is locked"), cause=CauseCode.REFUSED
)


@dataclass
class Post:
    """Before each send: keeps back those of `held`, and notes to which accounts an arriving invoice's items post."""

    ledger: FakeLedger
    held: Held
    posted: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, sending: Sending) -> None:
        await self.held(sending)
        if sending.kind == "invoice":
            self.posted.append(items(self.ledger))


@pytest.fixture
def post(ledger: FakeLedger) -> Iterator[Post]:
    """Keeps back what is sent of items, once it's put in its place."""
    post = Post(ledger, Held("service"))
    yield post
    post.held.is_released.set()


def bill(owner: Actor, service: Service) -> None:
    """Issue an invoice of this service to the firm's one customer."""
    customer = Customer.objects.filter(name="Hatch Ltd").first() or make_customer(owner, "Hatch Ltd")
    make_invoice(owner, customer, lines=[make_line(get_tax_rate(owner.workspace), service=service)], is_issued=True)


def is_waiting_for_an_item() -> bool:
    return OutboxRow.objects.filter(kind="invoice", waits_for_kind="service").exists()


def send_another(owner: Actor, ledger: FakeLedger) -> None:
    """Have a later record arrive: what may go has gone by then."""
    arrived = len(ledger.records("customer"))
    customer = make_customer(owner, f"Later & Co, the {arrived}th")
    sync_record(owner, "customer", customer.uuid)
    wait_until(lambda: len(ledger.records("customer")) > arrived)


def move(owner: Actor, service: Service, how: str) -> None:
    if how == "its own":
        save_service(owner, ServiceInput("Advice"), uuid=service.uuid, income_account_id=FEES)
    else:
        save_accounts(owner, deposit_account_id=BANK, income_account_id=FEES)


@contextmanager
def refusing_the_item(ledger: FakeLedger) -> Iterator[None]:
    """Have the item's next change, which is made within, refused."""
    ledger.fail_next("service", REFUSED)
    yield
    wait_until(lambda: OutboxRow.objects.filter(kind="service", state="blocked").exists())


@pytest.mark.parametrize("how", ["its own", "the usual one", "of one item for all"])
def test_invoice_waits_for_an_item_that_moves_to_another_account(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service, post: Post, how: str
) -> None:
    if how == "of one item for all":
        save_terms(owner, {"item_mode": "one"})
    bill(owner, advice)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))

    ledger.before_send = post
    move(owner, advice, how)
    assert post.held.is_asked.wait(10)
    bill(owner, advice)
    send_another(owner, ledger)
    assert not post.posted

    post.held.is_released.set()
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    [posted] = post.posted
    assert set(posted.values()) == {FEES}


def test_invoice_waits_for_an_item_that_moves_by_the_archived_service_it_was_made_for(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service, post: Post
) -> None:
    """A new service of the same name found the item; the archived one is whose account it follows."""
    bill(owner, advice)
    make_worker(NO_SWEEP)
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    archive_service(owner, advice.uuid)
    again = make_service(owner, "Advice")
    bill(owner, again)
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert Link.objects.filter(kind="service").values("remote_id").distinct().count() == 1

    ledger.before_send = post
    move(owner, again, "the usual one")
    assert post.held.is_asked.wait(10)
    bill(owner, again)
    # By the second arrival an invoice that had left with the first would be there.
    send_another(owner, ledger)
    send_another(owner, ledger)
    assert not post.posted

    post.held.is_released.set()
    wait_until(lambda: len(ledger.records("invoice")) == 3 and is_settled(owner))
    assert post.posted == [{"Advice": FEES}]


@pytest.mark.parametrize("is_missed_at_first", [False, True], ids=["found", "refused"])
def test_invoice_waits_for_the_item_of_an_archived_service_whose_making_got_no_answer(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    advice: Service,
    post: Post,
    *,
    is_missed_at_first: bool,
) -> None:
    """It stands there, and moves once it's known whose it is: a new service of the same name doesn't take it before."""
    hurry(ledger, 1500)
    ledger.fail_next("service", OutcomeUnknownError(Answered(message="no answer")), commit=True)
    bill(owner, advice)
    make_worker()
    wait_until(lambda: Attempt.objects.filter(kind="service", verdict="unknown").exists())
    archive_service(owner, advice.uuid)
    again = make_service(owner, "Advice")
    move(owner, again, "the usual one")
    if is_missed_at_first:
        Connection.objects.update(missing_items=["advice"])
    ledger.before_send = post
    post.held.is_released.set()
    bill(owner, again)

    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner), seconds=30)
    assert post.posted == [{"Advice": FEES}] * 2
    assert Link.objects.filter(kind="service").values("remote_id").distinct().count() == 1


@pytest.mark.parametrize("is_read_anew", [False, True], ids=["as first read", "read anew"])
@pytest.mark.parametrize("how", ["its own", "the usual one"])
def test_invoice_waits_for_an_item_that_was_made_with_the_former_account(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    advice: Service,
    post: Post,
    how: str,
    *,
    is_read_anew: bool,
) -> None:
    """It's under way while the other account is chosen, and the invoice waits in the lane's memory."""
    ledger.after_send = held = Held("service")
    bill(owner, advice)
    make_worker()
    assert held.is_asked.wait(10)
    move(owner, advice, how)
    assert items(ledger) == {"Advice": INCOME}
    if is_read_anew:
        # The first look after the change forgets what it knew; by the second arrival another one has read it.
        send_another(owner, ledger)
        send_another(owner, ledger)

    ledger.before_send = post
    held.is_released.set()
    assert post.held.is_asked.wait(10)
    send_another(owner, ledger)
    post.held.is_released.set()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    assert post.posted == [{"Advice": FEES}]


def test_invoice_that_waited_for_its_customer_meanwhile_waits_for_the_item_too(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service, post: Post
) -> None:
    """It's kept in mind, as it was read before the item was given another account."""
    bill(owner, advice)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    ledger.before_send = post
    ledger.after_send = held = Held("customer")
    line = make_line(get_tax_rate(owner.workspace), service=advice)
    make_invoice(owner, make_customer(owner, "New & Co"), lines=[line], is_issued=True)
    assert held.is_asked.wait(10)
    move(owner, advice, "its own")
    assert post.held.is_asked.wait(10)
    held.is_released.set()
    send_another(owner, ledger)
    assert not post.posted

    post.held.is_released.set()
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert post.posted == [{"Advice": FEES}]


def test_invoice_of_an_item_that_stays_on_its_account_waits_for_no_other_change(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    bill(owner, advice)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    with refusing_the_item(ledger):
        save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid)
    bill(owner, advice)
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert items(ledger) == {"Advice": INCOME}


def test_invoice_of_an_item_that_cant_be_moved_says_why_and_goes_when_that_is_mended(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    advice: Service,
    post: Post,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bill(owner, advice)
    make_worker(NO_SWEEP)
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    with refusing_the_item(ledger):
        move(owner, advice, "its own")
    ledger.before_send = post
    post.held.is_released.set()
    bill(owner, advice)
    wait_until(is_waiting_for_an_item)
    [card] = list_cause_cards(owner.workspace.pk)
    assert (card.cause.key, card.count) == (f"refused:{advice.uuid}", 2)
    for _ in range(2):
        preview = read_preview(owner.workspace.pk, from_date=None, now=timezone.now())
        assert preview is not None
        service, invoice = preview.shown
        assert (service.action, invoice.action, invoice.waits_for) == (Action.BLOCKED, Action.WAIT, "Advice")
        # In parts it's the same.
        monkeypatch.setattr(reading, "_AT_ONCE", 1)
    with connection.cursor() as cursor:
        cursor.execute(sweep_sql.RELEASE_LINKED_WAITS, release_values(owner))
        # Ten thousand that wait for it aren't planned again with each sweep.
        assert cursor.rowcount == 0

    save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid)
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert post.posted == [{"Counsel": FEES}]


@pytest.mark.parametrize("at_once", [1000, 1])
@pytest.mark.parametrize("is_refused", [True, False])
def test_preview_of_existing_invoices_foresees_that_they_wait_for_an_item_that_cant_be_moved(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    advice: Service,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_refused: bool,
    at_once: int,
) -> None:
    bill(owner, advice)
    worker = make_worker(NO_SWEEP)
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    if is_refused:
        with refusing_the_item(ledger):
            move(owner, advice, "its own")
        worker.stop()
    else:
        worker.stop()
        move(owner, advice, "its own")
    for _ in range(2):
        bill(owner, advice)
    existing = OutboxRow.objects.filter(kind="invoice")
    Invoice.objects.filter(uuid__in=existing.values("record_uuid")).update(issued_at=timezone.now() - timedelta(days=9))
    existing.delete()

    monkeypatch.setattr(reading, "_AT_ONCE", at_once)
    preview = read_preview(owner.workspace.pk, from_date=date(2020, 1, 1), now=timezone.now())
    assert preview is not None
    # The item goes by itself, or not: it's none of the existing invoices.
    seen = [(one.kind, one.action, one.waits_for) for one in preview.shown]
    if is_refused:
        assert seen == [("invoice", Action.WAIT, "Advice")] * 2
        [card] = preview.causes
        assert (card.cause.key, card.count) == (f"refused:{advice.uuid}", 2)
        # It's the item that was refused, and the item that is opened to mend it.
        assert (card.cause.target, card.cause.target_uuid) == ("service", advice.uuid)
        browser = Client()
        browser.force_login(owner.user)
        page = html.unescape(browser.get(reverse("preview"), {"from_date": "2020-01-01"}).content.decode())
        assert page.count("Waits for Advice, which Fake Ledger refused") == 2
        assert "Fake Ledger says: “the item is locked”" in page
    else:
        assert seen == [("invoice", Action.CREATE, "")] * 2
        assert preview.causes == ()


def test_invoice_of_an_item_that_waits_for_the_months_reads_says_until_when(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    """The item was changed there meanwhile, so it has to be read before it can be moved."""
    bill(owner, advice)
    make_worker(NO_SWEEP)
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    ledger.fail_next("service", StaleError())
    ledger.fail_next("read", NO_MORE_READS)
    move(owner, advice, "its own")
    wait_until(lambda: Connection.objects.get().reads_not_before)
    bill(owner, advice)
    wait_until(is_waiting_for_an_item)

    until = Connection.objects.get().reads_not_before
    invoice = OutboxRow.objects.get(kind="invoice").record_uuid
    sync = read_record_sync(owner.workspace.pk, "invoice", invoice)
    assert sync is not None
    assert until is not None
    assert (sync.state, sync.held, sync.held_until) == (SyncState.PUT_OFF, "reads", until)
    assert sync.waits_for == (Awaited("service", "Advice"),)
    assert sync_states(owner.workspace.pk, "invoice", [invoice]) == {invoice: SyncState.PUT_OFF}
    browser = Client()
    browser.force_login(owner.user)
    panel = browser.get(reverse("sync_panel", args=["invoice", invoice])).content.decode()
    assert "Goes as soon as the service Advice is there. That begins with a look" in panel
    assert f"It goes on {show_day(until.date())}" in panel

    sync_record(owner, "invoice", invoice)
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert items(ledger) == {"Advice": FEES}


def test_invoice_of_an_item_that_was_found_waits_for_nothing(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    """It's the firm's, and stays as it is."""
    bill(owner, advice)
    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    Link.objects.filter(kind="service").update(is_made_here=False)
    move(owner, advice, "its own")
    link = Link.objects.get(kind="service")
    # Asked for again, and put off: an item of ours would be waited for.
    OutboxRow.objects.create(
        company=link.company,
        kind="service",
        record_uuid=advice.uuid,
        wanted_revision=link.synced_revision + 1,
        not_before=timezone.now() + timedelta(hours=1),
    )
    bill(owner, advice)
    wait_until(lambda: len(ledger.records("invoice")) == 2)
    assert items(ledger) == {"Advice": INCOME}
