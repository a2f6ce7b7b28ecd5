"""An update that QuickBooks refuses with "object not found": the record may be gone, or only what it refers to."""

from datetime import timedelta

import pytest
from django.utils import timezone

from cone.accounting.causes import list_cause_cards
from cone.accounting.port.verdicts import Answered, CauseCode, GoneError, RejectedError, TryLaterError, VerdictError
from cone.books.models import Attempt, Invoice, Link, OutboxRow, Service
from cone.domain.payments import AllocationInput, PaymentInput
from cone.operations.actor import Actor
from cone.operations.edit_payment import edit_payment
from cone.operations.save_invoice import save_invoice
from cone.operations.settle_loss import look_for_customer
from cone.operations.sync_now import sync_all
from tests.builders import get_tax_rate, make_invoice, make_invoice_input, make_line, make_payment, make_service
from tests.contract.emulated import EmulatedQuickBooks
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import MakeWorker, configure, connect, is_settled, wait_until
from tests.integration.accounting.emulation import Control, connect_and_configure

pytestmark = pytest.mark.django_db(transaction=True)

_LOST = GoneError(Answered(http_status=400, code="610", message="Object Not Found"))


def edit(owner: Actor, invoice: Invoice, service: Service, memo: str = "Second thoughts") -> None:
    line = make_line(get_tax_rate(owner.workspace, 20), service=service)
    save_invoice(owner, make_invoice_input(invoice.customer, [line], memo=memo), uuid=invoice.uuid)


def causes() -> set[str]:
    return set(OutboxRow.objects.filter(state="blocked").values_list("cause__code", flat=True))


@pytest.fixture
def service(owner: Actor) -> Service:
    return make_service(owner, "Advice")


def issue(owner: Actor, service: Service) -> Invoice:
    """An invoice that stands there."""
    line = make_line(get_tax_rate(owner.workspace, 20), service=service)
    invoice = make_invoice(owner, lines=[line], is_issued=True)
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner), seconds=30)
    return invoice


def test_invoice_whose_item_was_made_inactive_isnt_said_to_be_gone(
    owner: Actor, quickbooks: EmulatedQuickBooks, make_worker: MakeWorker, service: Service
) -> None:
    control = Control(quickbooks.url)
    connect_and_configure(owner, quickbooks)
    worker = make_worker()
    invoice = issue(owner, service)
    remote_id = Link.objects.get(kind="invoice").remote_id
    item_id = Link.objects.get(kind="service").remote_id
    control.act("deactivate", "Item", id=item_id)

    edit(owner, invoice, service)
    wait_until(OutboxRow.objects.filter(state="blocked").exists, seconds=30)
    [card] = list_cause_cards(owner.workspace.pk)
    assert card.cause.key == f"reference_missing:{invoice.uuid}"
    reads = [each["path"] for each in control.requests(method="GET") if f"/invoice/{remote_id}" in each["path"]]
    assert len(reads) == 1
    worker.stop()

    # The lists, read again in the timetable's next round, tell which it is.
    make_worker()
    wait_until(lambda: causes() == {CauseCode.ITEM_INACTIVE}, seconds=30)
    assert {row.cause_key for row in OutboxRow.objects.all()} == {f"item_inactive:{item_id}"}


def test_invoice_that_was_deleted_there_is_said_to_be_gone(
    owner: Actor, quickbooks: EmulatedQuickBooks, make_worker: MakeWorker, service: Service
) -> None:
    control = Control(quickbooks.url)
    connect_and_configure(owner, quickbooks)
    make_worker()
    invoice = issue(owner, service)
    control.act("delete", "Invoice", id=Link.objects.get(kind="invoice").remote_id)

    edit(owner, invoice, service)
    wait_until(lambda: causes() == {CauseCode.REMOVED_THERE}, seconds=30)


def test_payment_that_stands_there_isnt_said_to_be_gone(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, service: Service
) -> None:
    connect(owner, ledger)
    configure(owner)
    make_worker()
    invoice = issue(owner, service)
    payment = make_payment(owner, invoice, "50.00")
    wait_until(lambda: ledger.records("payment") and is_settled(owner))
    ledger.fail_next("payment", _LOST)
    part = AllocationInput(invoice.uuid, payment.amount)
    typed = PaymentInput(
        payment.customer.uuid, timezone.localdate() - timedelta(days=1), payment.amount, (part,), reference="BACS"
    )
    edit_payment(owner, typed, uuid=payment.uuid)
    wait_until(lambda: causes() == {CauseCode.REFERENCE_MISSING})

    sync_all(owner)
    wait_until(lambda: not OutboxRow.objects.exists())


@pytest.mark.parametrize(
    "unread",
    [
        TryLaterError(Answered(http_status=503), scope="record"),
        TryLaterError(Answered(http_status=429), delay=timedelta(milliseconds=50)),
        RejectedError(Answered(http_status=400, message="no")),
    ],
)
@pytest.mark.parametrize("unread_kind", ["customer", "invoice"])
def test_update_is_tried_again_where_it_cant_be_read_what_is_gone(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    service: Service,
    unread: VerdictError,
    unread_kind: str,
) -> None:
    connect(owner, ledger)
    configure(owner)
    make_worker()
    invoice = issue(owner, service)
    ledger.fail_next("invoice", _LOST)
    # The customer is read before the invoice itself.
    ledger.fail_next("read", unread, after=0 if unread_kind == "customer" else 1)

    edit(owner, invoice, service)
    wait_until(lambda: not OutboxRow.objects.exists())
    updates = Attempt.objects.filter(kind="invoice", operation="update")
    assert sorted(updates.values_list("state", flat=True)) == ["failed", "succeeded"]
    assert ledger.calls.count("read") == 2
    assert Link.objects.get(kind="customer").standing == "live"


def test_search_that_is_refused_leaves_the_customer_lost(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, service: Service
) -> None:
    connect(owner, ledger)
    configure(owner)
    make_worker()
    customer = issue(owner, service).customer
    [there] = ledger.records("customer")
    there.is_active = False
    ledger.fail_next("invoice", _LOST)
    ledger.fail_next("list_customers", RejectedError(Answered(http_status=400, code="4000", message="no")))
    make_invoice(owner, customer, is_issued=True)
    wait_until(lambda: causes() == {CauseCode.CUSTOMER_LOST})

    for found in ("refused", "none"):
        look_for_customer(owner, customer.uuid, "Hatch")
        wait_until(lambda: causes() == {CauseCode.CUSTOMER_LOST})
        [card] = list_cause_cards(owner.workspace.pk)
        assert (card.cause.search, card.count) == (found, 2)
