"""What the panel of a record says that waits for another one: which, why that isn't there, and what to do."""

import html
import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cone.accounting.causes import list_cause_cards
from cone.accounting.overview import read_flow
from cone.accounting.port.documents import Kind
from cone.accounting.records import general_service_uuid
from cone.accounting.states import sync_states
from cone.accounting.values import SyncState
from cone.books.models import Connection, Invoice, OutboxRow, Payment, Service
from cone.operations.archive_service import archive_service
from cone.web.formats import show_day
from tests.builders import Cast, get_tax_rate, make_customer, make_invoice, make_line, make_payment, make_service
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import configure

GOES = "goes by itself."


@dataclass(frozen=True, slots=True)
class Chain:
    """A payment that waits for an invoice, which waits for a service."""

    service: Service
    invoice: Invoice
    payment: Payment


@pytest.fixture
def chain(cast: Cast, connected: FakeLedger) -> Chain:
    """Everything due, as a lane that met the service first has written it down."""
    service = make_service(cast.owner, "Advice")
    line = make_line(get_tax_rate(cast.workspace), service=service)
    customer = make_customer(cast.owner, "Hatch Ltd")
    invoice = make_invoice(cast.owner, customer, lines=[line], is_issued=True)
    payment = make_payment(cast.owner, invoice)
    OutboxRow.objects.filter(kind="customer").delete()
    company = Connection.objects.get().company
    OutboxRow.objects.create(company=company, kind="service", record_uuid=service.uuid, wanted_revision=1)
    await_(invoice.uuid, "service", service.uuid)
    await_(payment.uuid, "invoice", invoice.uuid)
    return Chain(service, invoice, payment)


def await_(uuid: UUID, kind: Kind, other: UUID) -> None:
    OutboxRow.objects.filter(record_uuid=uuid).update(waits_for_kind=kind, waits_for_uuid=other)


def refuse(uuid: UUID, code: str = "refused", **params: str) -> None:
    cause = {"code": code, "params": params}
    OutboxRow.objects.filter(record_uuid=uuid).update(state="blocked", cause_key=f"{code}:{uuid}", cause=cause)


def panel_of(owner: Client, kind: Kind, uuid: UUID) -> str:
    text = owner.get(reverse("sync_panel", args=[kind, uuid])).text
    return re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]*>", " ", text)))


def test_invoice_that_waits_for_a_refused_item_says_so_and_what_to_do(owner: Client, chain: Chain) -> None:
    refuse(chain.service.uuid, explanation="It must not.", says="the item is locked")

    panel = panel_of(owner, "invoice", chain.invoice.uuid)

    assert "This invoice waits for the service Advice, which Fake Ledger refused." in panel
    mend = "Change Advice here, and it's sent again by itself; or mend that in Fake Ledger, then press Sync now."
    assert f"It must not. {mend}" in panel
    assert "Open Advice" in panel
    assert "Once that is mended, this invoice goes by itself." in panel
    # Of the service itself it says what it is.
    own = panel_of(owner, "service", chain.service.uuid)
    assert "Fake Ledger refused Advice" in own
    assert ("waits for" in own, GOES in own) == (False, False)


def test_invoice_that_waits_for_a_customer_says_so(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    customer = make_customer(cast.owner, "Anna")
    invoice = make_invoice(cast.owner, customer, is_issued=True)
    await_(invoice.uuid, "customer", customer.uuid)
    refuse(customer.uuid, "name_taken")

    panel = panel_of(owner, "invoice", invoice.uuid)

    assert "This invoice waits for the customer Anna, whose name is already used in Fake Ledger." in panel
    assert "Change the name" in panel


def test_live_payment_that_waits_for_a_void_one_is_not_called_void(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    former, payment = make_payment(cast.owner, invoice, "10"), make_payment(cast.owner, invoice, "20")
    await_(payment.uuid, "payment", former.uuid)
    refuse(former.uuid, "voided_here", number="")

    panel = panel_of(owner, "payment", payment.uuid)

    said = "which is void here and still stands in Fake Ledger."
    assert f"This payment waits for the payment of £10.00, {said}" in panel
    assert ("Void here." in panel, "I removed it there" in panel) == (False, False)
    assert "Void here: remove it" not in owner.get(reverse("payment", args=[payment.uuid])).text
    assert "I removed it there" in panel_of(owner, "payment", former.uuid)


@pytest.mark.parametrize(
    ("state", "is_paused", "said"),
    [
        ("connected", True, "Once that is mended and the sync is resumed, this invoice goes by itself."),
        (
            "read_only",
            False,
            "Once that is mended and Fake Ledger can be written to again, this invoice goes by itself.",
        ),
        (
            "needs_reconnect",
            True,
            "Once that is mended, Fake Ledger is connected again and the sync is resumed, this invoice goes by itself.",
        ),
    ],
)
def test_invoice_that_waits_says_what_else_keeps_it(
    state: str, is_paused: bool, said: str, owner: Client, chain: Chain
) -> None:
    refuse(chain.service.uuid, says="no")
    Connection.objects.update(
        state=state,
        state_reason="" if state == "connected" else "because",
        paused_at=timezone.now() if is_paused else None,
    )

    assert said in panel_of(owner, "invoice", chain.invoice.uuid)


def test_service_that_waits_for_its_archived_namesake_says_which(cast: Cast, owner: Client, chain: Chain) -> None:
    archive_service(cast.owner, chain.service.uuid)
    advice = make_service(cast.owner, "Advice")
    company = Connection.objects.get().company
    OutboxRow.objects.create(company=company, kind="service", record_uuid=advice.uuid, wanted_revision=1)
    await_(advice.uuid, "service", chain.service.uuid)
    await_(chain.invoice.uuid, "service", advice.uuid)

    assert "Goes as soon as the archived service Advice is there." in panel_of(owner, "service", advice.uuid)
    refuse(chain.service.uuid, says="no")

    assert "This service waits for the archived service Advice, which Fake Ledger refused." in (
        panel_of(owner, "service", advice.uuid)
    )
    said = "waits for the service Advice, which waits for the archived service Advice, which Fake Ledger refused."
    assert f"This invoice {said}" in panel_of(owner, "invoice", chain.invoice.uuid)


def test_records_of_one_name_are_told_apart(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    former, payment = make_payment(cast.owner, invoice, "10"), make_payment(cast.owner, invoice, "10")
    await_(payment.uuid, "payment", former.uuid)

    assert "Goes as soon as another payment of £10.00 is there." in panel_of(owner, "payment", payment.uuid)


def test_invoice_that_waits_for_the_item_of_lines_without_a_service_names_it(
    cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    item = general_service_uuid(cast.workspace.uuid)
    company = Connection.objects.get().company
    OutboxRow.objects.create(company=company, kind="service", record_uuid=item, wanted_revision=1)
    await_(invoice.uuid, "service", item)
    assert "Goes as soon as the item Services (for lines without a service) is there." in (
        panel_of(owner, "invoice", invoice.uuid)
    )
    refuse(item, explanation="It must not.", says="the item is locked")

    panel, cards = panel_of(owner, "invoice", invoice.uuid), owner.get(reverse("integrations")).text

    name = "the item Services (for lines without a service)"
    assert f"This invoice waits for {name}, which Fake Ledger refused." in panel
    assert "It must not. Mend that in Fake Ledger, then press Sync now." in panel
    assert f"Fake Ledger refused {name}" in cards
    assert ("Open " in panel, " here, and it's sent again" in panel, " here, and it" in cards) == (False, False, False)
    # It has no form; what there is to choose of it is on another page.
    assert f'<a href="{reverse("service_edit", args=[item])}">Services</a>' in cards
    form = owner.get(reverse("service_edit", args=[item]))
    assert (form.status_code, form.headers["Location"]) == (302, f"{reverse('manage')}#accounts")


def test_payment_says_by_way_of_which_invoice_it_waits(cast: Cast, owner: Client, chain: Chain) -> None:
    assert f"Goes as soon as the invoice {chain.invoice.number} is there, which waits for the service Advice." in (
        panel_of(owner, "payment", chain.payment.uuid)
    )
    refuse(chain.service.uuid, says="no")

    panel = panel_of(owner, "payment", chain.payment.uuid)

    said = f"This payment waits for the invoice {chain.invoice.number}, which waits for the service Advice, "
    assert f"{said}which Fake Ledger refused." in panel
    assert "Needs attention" in panel
    # The same everywhere: in the lists, on the card, and on the arrows.
    workspace = cast.workspace.pk
    states = sync_states(workspace, "payment", [chain.payment.uuid])
    assert states == {chain.payment.uuid: SyncState.NEEDS_ATTENTION}
    [card] = list_cause_cards(workspace)
    assert (card.cause.target, card.cause.target_uuid, card.count) == ("service", chain.service.uuid, 3)
    assert [(arrow.waiting, arrow.attention) for arrow in read_flow(workspace)] == [(0, 0), (0, 1), (0, 1)]


def test_records_that_wait_for_each_other_are_shown_all_the_same(cast: Cast, owner: Client, chain: Chain) -> None:
    """What each waits for was written down at another time."""
    await_(chain.invoice.uuid, "payment", chain.payment.uuid)

    panel = panel_of(owner, "payment", chain.payment.uuid)

    assert f"Goes as soon as the invoice {chain.invoice.number} is there" in panel
    assert list_cause_cards(cast.workspace.pk) == ()


def test_payment_that_waits_for_the_months_reads_says_the_date_of_its_invoice(
    cast: Cast, owner: Client, chain: Chain
) -> None:
    until = timezone.now() + timedelta(days=9)
    Connection.objects.update(reads_not_before=until)
    OutboxRow.objects.filter(record_uuid=chain.service.uuid).update(not_before=until)

    of_invoice, of_payment = (
        panel_of(owner, "invoice", chain.invoice.uuid),
        panel_of(owner, "payment", chain.payment.uuid),
    )

    date = f"It goes on {show_day(until.date())}."
    assert (date in of_invoice, date in of_payment) == (True, True)
    assert f"Goes as soon as the invoice {chain.invoice.number} is there, which waits for the service Advice. " in (
        of_payment
    )
    assert sync_states(cast.workspace.pk, "payment", [chain.payment.uuid]) == {chain.payment.uuid: SyncState.PUT_OFF}


@pytest.mark.parametrize("asked", ["service", "payment"])
def test_refused_service_is_sent_again_by_sync_now(owner: Client, chain: Chain, asked: Kind) -> None:
    """On its own page, and on that of a payment that waits for an invoice that waits for it."""
    refuse(chain.service.uuid, says="no")
    uuid = chain.service.uuid if asked == "service" else chain.payment.uuid
    assert "Sync now" in panel_of(owner, asked, uuid)

    answer = owner.post(reverse("sync_now", args=[asked, uuid]), headers={"HX-Request": "true"})

    assert answer.status_code == 200
    row = OutboxRow.objects.get(kind="service")
    assert (row.state, row.cause_key) == ("due", None)


def test_service_that_nothing_needs_yet_offers_no_sync_now(cast: Cast, owner: Client, connected: FakeLedger) -> None:
    service = make_service(cast.owner, "Later")

    panel = panel_of(owner, "service", service.uuid)

    assert "Goes with the first invoice that uses it." in panel
    assert "Sync now" not in panel


def test_preview_says_what_waits_for_a_refused_item(
    owner: Client, chain: Chain, cast: Cast, ledger: FakeLedger
) -> None:
    configure(cast.owner)
    refuse(chain.service.uuid, says="no")
    OutboxRow.objects.update(blocked_settings_revision=Connection.objects.get().settings_revision)

    page = html.unescape(owner.get(reverse("preview")).text)

    rows = [re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", row)) for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)]
    of_service, of_invoice, of_payment = (
        next(row for row in rows if f" {kind} " in row) for kind in ("Item", "Invoice ·", "Payment ·")
    )
    assert "Fake Ledger refused Advice" in of_service
    assert "Waits for Advice, which Fake Ledger refused" in of_invoice
    assert f"Waits for {chain.invoice.number}: Fake Ledger refused Advice" in of_payment
    # Nothing is taxed in a payment, and a card calls it by its amount as any other does.
    assert ("£0.00" in of_invoice, "£0.00" in of_payment) == (False, False)
    assert re.search(r"the payment of £[\d.]+</a>", page)
    assert ">Open Advice</a>" in page
    # A preview sends nothing: it says where that is done.
    assert "Sync now is on the record's own page, and under" in page
    assert ">Sync now</button>" not in page


def test_preview_calls_a_refused_payment_by_one_name(owner: Client, chain: Chain, cast: Cast) -> None:
    configure(cast.owner)
    refuse(chain.payment.uuid, says="no")
    OutboxRow.objects.update(blocked_settings_revision=Connection.objects.get().settings_revision)

    page = html.unescape(owner.get(reverse("preview")).text)

    [title] = re.findall(r"<h3[^>]*>(Fake Ledger refused .*?)</h3>", page)
    name = title.removeprefix("Fake Ledger refused ")
    assert re.fullmatch(r"the payment of £[\d.]+", name)
    assert f">{name}</a>" in page
