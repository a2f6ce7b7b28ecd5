"""Every cause that can be known before sending: met once each, through the real adapter, at not a single request.

What the domain's own rules refuse is put into the database past them, as older or imported records would be.
"""

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, connection
from django.db.models import F
from django.utils import timezone

from cone.accounting.causes import list_cause_cards
from cone.accounting.manage import read_manage
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.registry import get_provider, register
from cone.accounting.sql import upkeep as upkeep_sql
from cone.books.models import (
    Connection,
    Customer,
    Invoice,
    Link,
    OutboxRow,
    Payment,
    ReferenceRecord,
    Service,
    TaxMapping,
    TaxRate,
)
from cone.domain.customers import CustomerInput
from cone.domain.invoices import LineInput
from cone.domain.totals import AmountsAre
from cone.operations.actor import Actor
from cone.operations.refresh_reference import refresh_reference
from cone.operations.save_removal_policy import save_removal_policy
from cone.operations.save_tax_mappings import save_tax_mappings
from cone.operations.void_invoice import void_invoice
from cone.worker.jobs import refresh_references
from cone.worker.timetable import TIMETABLE
from tests.builders import (
    get_no_tax,
    get_tax_rate,
    make_customer,
    make_invoice,
    make_line,
    make_owner,
    make_payment,
    make_service,
    make_tax_rate,
)
from tests.contract.emulated import EmulatedQuickBooks, running_emulator
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import NO_SWEEP, MakeWorker, configure, connect, is_settled, wait_until
from tests.integration.accounting.emulation import Control, connect_and_configure

pytestmark = pytest.mark.django_db(transaction=True)

# Only an answer, or a look at what stands there, can tell these.
KNOWN_AFTERWARDS = {
    CauseCode.EMAIL_MISSING,
    CauseCode.NUMBER_TAKEN_HERE,
    CauseCode.NUMBER_NOT_GIVEN,
    CauseCode.REFERENCE_MISSING,
    CauseCode.CUSTOMER_LOST,
    CauseCode.TOTAL_DIFFERS,
    CauseCode.OUTCOME_UNCERTAIN,
    CauseCode.REMOVED_THERE,
    CauseCode.PAYMENT_APPLIED,
    CauseCode.REFUSED,
}

# A longer one can't be kept here either: the columns end there.
KEPT_OUT = {CauseCode.NUMBER_TOO_LONG, CauseCode.REFERENCE_TOO_LONG}

# What each scenario's company is to its firm: country, currency, and what to press on the consent page.
_COMPANIES = {
    "uk-vat": ("GB", "GBP", "GB"),
    "us-classic": ("US", "USD", "US"),
    "multicurrency": ("GB", "GBP", "Channel Crossing Ltd"),
}


@dataclass
class Firm:
    """A firm in sync: a customer, a service and an invoice stand there, and no worker runs."""

    actor: Actor
    control: Control
    customer: Customer
    service: Service
    invoice: Invoice

    @property
    def connection(self) -> Connection:
        return Connection.objects.get()

    @property
    def realm(self) -> str:
        return self.connection.company_id_remote

    def set(self, **settings: Any) -> None:
        """Change settings past the rules; plans notice by the revision."""
        Connection.objects.update(**settings, settings_revision=self.connection.settings_revision + 1)

    def line(self, rate: TaxRate | None = None) -> LineInput:
        """A line whose item stands there already."""
        return make_line(rate or get_tax_rate(self.actor.workspace), service=self.service)

    def invoice_one(self, *lines: LineInput) -> Invoice:
        """One more invoice to the customer that stands there."""
        return make_invoice(self.actor, self.customer, lines=lines or [self.line()], is_issued=True)

    def deactivate(self, entity: str, remote_id: str) -> None:
        self.control.act("deactivate", entity, id=remote_id)
        refresh_reference(self.actor)

    def close_books(self) -> None:
        through = timezone.localdate() + timedelta(days=1)
        self.control.post("/act", {"realm_id": self.realm, "action": "close_books", "date": through.isoformat()})
        refresh_reference(self.actor)


def default_account_missing(firm: Firm) -> None:
    firm.set(deposit_account_id="")
    firm.invoice_one()


def income_account_missing(firm: Firm) -> None:
    firm.set(income_account_id="")
    new_service(firm)


def new_service(firm: Firm) -> None:
    rate = get_tax_rate(firm.actor.workspace)
    firm.invoice_one(make_line(rate, service=make_service(firm.actor, "Audit")))


def income_account_inactive(firm: Firm) -> None:
    spare = ReferenceRecord.objects.filter(kind="account", is_active=True, detail__is_income=True)
    other = spare.exclude(remote_id=firm.connection.income_account_id)[0]
    firm.set(income_account_id=other.remote_id)
    firm.deactivate("Account", other.remote_id)
    new_service(firm)


def account_inactive(firm: Firm) -> None:
    other = read_manage(firm.actor.workspace.pk).deposit_accounts[-1]
    firm.set(deposit_account_id=other.remote_id)
    firm.deactivate("Account", other.remote_id)
    firm.invoice_one()


def item_inactive(firm: Firm) -> None:
    firm.deactivate("Item", Link.objects.get(kind="service").remote_id)
    firm.invoice_one()


def tax_unmapped(firm: Firm) -> None:
    firm.invoice_one(firm.line(make_tax_rate(firm.actor)))


def tax_code_inactive(firm: Firm) -> None:
    rate = get_tax_rate(firm.actor.workspace, 20)
    firm.deactivate("TaxCode", code_of(firm, 20))
    firm.invoice_one(firm.line(rate))


def code_of(firm: Firm, percent: int) -> str:
    rate = get_tax_rate(firm.actor.workspace, percent)
    return TaxMapping.objects.get(tax_rate=rate).remote_id


def tax_percent_differs(firm: Firm) -> None:
    rate = get_tax_rate(firm.actor.workspace, 20)
    save_tax_mappings(firm.actor, {rate.uuid: code_of(firm, 5)})
    firm.invoice_one(firm.line(rate))


def total_would_differ(firm: Firm) -> None:
    """Of 0.07 with 8 % in it 0.06 are net; 8 % on top of that are nothing."""
    rate = make_tax_rate(firm.actor, percent=Decimal(8))
    code = ReferenceRecord.objects.get(kind="tax_code", name="California")
    save_tax_mappings(firm.actor, {rate.uuid: code.remote_id})
    line = make_line(rate, service=firm.service, unit_price="0.07")
    make_invoice(firm.actor, firm.customer, lines=[line], is_issued=True, amounts_are=AmountsAre.INCLUSIVE)


def tax_codes_mixed(firm: Firm) -> None:
    rates = [make_tax_rate(firm.actor) for _ in range(2)]
    codes = [row.remote_id for row in ReferenceRecord.objects.filter(kind="tax_code").order_by("remote_id")]
    real = [code for code in codes if code not in ("TAX", "NON")]
    save_tax_mappings(firm.actor, dict(zip([rate.uuid for rate in rates], real, strict=False)))
    firm.invoice_one(*(firm.line(rate) for rate in rates))


def too_many_lines(firm: Firm) -> None:
    line = firm.invoice_one().lines.get()
    line.amount = line.net = line.unit_price = Decimal(0)
    copies = [copy(line) for _ in range(750)]
    for position, each in enumerate(copies, start=2):
        each.pk, each.position = None, position
    type(line).objects.bulk_create(copies)


def period_closed(firm: Firm) -> None:
    firm.close_books()
    firm.invoice_one()


def period_closed_for_a_payment(firm: Firm) -> None:
    firm.close_books()
    make_payment(firm.actor, firm.invoice)


def number_taken(firm: Firm) -> None:
    """What stands there under our first invoice was given the number that the next one has here."""
    number = firm.invoice_one().number
    link = Link.objects.get(kind="invoice")
    link.answer["number"] = number
    link.save(update_fields=["answer"])


def name_with_a_colon(firm: Firm) -> None:
    make_customer(firm.actor, "Hartley: north")


def name_taken(firm: Firm) -> None:
    make_customer(firm.actor, firm.customer.name, typed=CustomerInput(name="", email="other@example.com"))


def email_invalid(firm: Firm) -> None:
    Customer.objects.filter(pk=make_customer(firm.actor, "Post only").pk).update(email="nobody")


def email_of_an_invoice_invalid(firm: Firm) -> None:
    Customer.objects.filter(pk=firm.customer.pk).update(email="nobody")
    firm.invoice_one()


def currency_unsupported(firm: Firm) -> None:
    make_customer(firm.actor, "Ortiz SL", typed=CustomerInput(name="", currency="EUR"))


def customer_currency_differs(firm: Firm) -> None:
    Customer.objects.filter(pk=firm.customer.pk).update(currency="EUR")
    firm.customer.refresh_from_db()
    firm.invoice_one()


def invoice_not_there(firm: Firm) -> None:
    Link.objects.filter(kind="invoice").update(standing="deleted")
    make_payment(firm.actor, firm.invoice)


def voided_here(firm: Firm) -> None:
    void_invoice(firm.actor, firm.invoice.uuid)


def void_in_a_closed_period(firm: Firm) -> None:
    save_removal_policy(firm.actor, "void")
    firm.close_books()
    void_invoice(firm.actor, firm.invoice.uuid)


# By whose books: a UK company's, unless the cause is another country's.
CASES: list[tuple[CauseCode, Callable[[Firm], None], str]] = [
    (CauseCode.DEFAULT_ACCOUNT_MISSING, default_account_missing, "uk-vat"),
    (CauseCode.INCOME_ACCOUNT_MISSING, income_account_missing, "uk-vat"),
    (CauseCode.INCOME_ACCOUNT_INACTIVE, income_account_inactive, "uk-vat"),
    (CauseCode.ACCOUNT_INACTIVE, account_inactive, "uk-vat"),
    (CauseCode.ITEM_INACTIVE, item_inactive, "uk-vat"),
    (CauseCode.TAX_UNMAPPED, tax_unmapped, "uk-vat"),
    (CauseCode.TAX_CODE_INACTIVE, tax_code_inactive, "uk-vat"),
    (CauseCode.TAX_PERCENT_DIFFERS, tax_percent_differs, "uk-vat"),
    (CauseCode.TOTAL_WOULD_DIFFER, total_would_differ, "us-classic"),
    (CauseCode.TAX_CODES_MIXED, tax_codes_mixed, "us-classic"),
    (CauseCode.TOO_MANY_LINES, too_many_lines, "uk-vat"),
    (CauseCode.PERIOD_CLOSED, period_closed, "uk-vat"),
    (CauseCode.PERIOD_CLOSED, period_closed_for_a_payment, "uk-vat"),
    (CauseCode.NUMBER_TAKEN, number_taken, "uk-vat"),
    (CauseCode.NAME_INVALID, name_with_a_colon, "uk-vat"),
    (CauseCode.NAME_TAKEN, name_taken, "uk-vat"),
    (CauseCode.EMAIL_INVALID, email_invalid, "uk-vat"),
    (CauseCode.EMAIL_INVALID, email_of_an_invoice_invalid, "uk-vat"),
    (CauseCode.CURRENCY_UNSUPPORTED, currency_unsupported, "uk-vat"),
    (CauseCode.CUSTOMER_CURRENCY_DIFFERS, customer_currency_differs, "multicurrency"),
    (CauseCode.INVOICE_NOT_THERE, invoice_not_there, "uk-vat"),
    (CauseCode.VOIDED_HERE, voided_here, "uk-vat"),
    (CauseCode.REMOVAL_PERIOD_CLOSED, void_in_a_closed_period, "uk-vat"),
]


def test_every_cause_is_walked_or_known_only_afterwards() -> None:
    walked = {code for code, _, _ in CASES}
    assert sorted([*walked, *KNOWN_AFTERWARDS, *KEPT_OUT]) == sorted(CauseCode)


def test_number_or_reference_that_is_too_long_cant_be_kept() -> None:
    owner = make_owner()
    invoice = make_invoice(owner, is_issued=True)
    payment = make_payment(owner, invoice)
    with pytest.raises(DataError):
        Invoice.objects.filter(pk=invoice.pk).update(number="N" * 22)
    with pytest.raises(DataError):
        Payment.objects.filter(pk=payment.pk).update(reference="R" * 22)


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    with running_emulator() as url:
        yield url


@pytest.fixture
def open_firm(emulator: str, make_worker: MakeWorker, transactional_db: None) -> Iterator[Callable[[str], Firm]]:
    """Connects a firm to a company of a scenario, and has its first invoice there."""
    usual = get_provider("quickbooks")

    def open_firm(scenario: str) -> Firm:
        control = Control(emulator)
        control.post("/reset", {"scenario": scenario})
        country, currency, company = _COMPANIES[scenario]
        quickbooks = EmulatedQuickBooks(emulator, country=company)
        register(quickbooks.provider)
        owner = make_owner(country=country, currency=currency)
        connect_and_configure(owner, quickbooks)
        customer, service = make_customer(owner), make_service(owner, "Advice")
        line = make_line(get_no_tax(owner.workspace), service=service)
        invoice = make_invoice(owner, customer, lines=[line], is_issued=True)
        worker = make_worker()
        wait_until(lambda: Link.objects.count() == 3 and is_settled(owner))
        worker.stop()
        return Firm(owner, control, customer, service, invoice)

    yield open_firm
    register(usual)


@pytest.mark.parametrize(("code", "arrange", "scenario"), CASES, ids=[arrange.__name__ for _, arrange, _ in CASES])
def test_cause_known_beforehand_costs_no_request(
    open_firm: Callable[[str], Firm],
    make_worker: MakeWorker,
    code: CauseCode,
    arrange: Callable[[Firm], None],
    scenario: str,
) -> None:
    firm = open_firm(scenario)
    arrange(firm)
    before = len(firm.control.requests(method=""))
    make_worker(NO_SWEEP)
    wait_until(OutboxRow.objects.filter(state="blocked").exists)
    wait_until(lambda: is_settled(firm.actor))
    causes = [row.cause["code"] for row in OutboxRow.objects.filter(state="blocked") if row.cause]
    assert causes == [code.value]
    assert firm.control.requests(method="")[before:] == []


def test_rate_mapped_to_another_percentage_is_one_cause_and_the_right_code_sends_all(
    open_firm: Callable[[str], Firm], make_worker: MakeWorker
) -> None:
    firm = open_firm("uk-vat")
    rate, right = get_tax_rate(firm.actor.workspace, 20), code_of(firm, 20)
    tax_percent_differs(firm)
    firm.invoice_one(firm.line(get_tax_rate(firm.actor.workspace, 5)), firm.line(rate))
    make_worker(NO_SWEEP)
    wait_until(lambda: OutboxRow.objects.filter(state="blocked").count() == 2)

    [card] = list_cause_cards(firm.actor.workspace.pk)
    assert (card.cause.key, card.count) == (f"tax_percent_differs:{rate.uuid}", 2)
    assert (card.cause.target, card.cause.target_uuid) == ("tax_mapping", rate.uuid)
    assert card.cause.title == "VAT 20% is mapped to a code of another percentage"
    assert "5.0% R" in card.cause.explanation

    save_tax_mappings(firm.actor, {rate.uuid: right})
    wait_until(lambda: Link.objects.filter(kind="invoice").count() == 3 and is_settled(firm.actor))


def test_total_that_would_differ_is_tried_again_once_a_rate_is_mapped_anew(
    open_firm: Callable[[str], Firm], make_worker: MakeWorker
) -> None:
    firm = open_firm("us-classic")
    total_would_differ(firm)
    make_worker(NO_SWEEP)
    wait_until(OutboxRow.objects.filter(state="blocked").exists)
    rate = get_tax_rate(firm.actor.workspace, 8)

    save_tax_mappings(firm.actor, {rate.uuid: ReferenceRecord.objects.get(kind="tax_code", name="Tucson").remote_id})
    wait_until(lambda: OutboxRow.objects.filter(state="blocked", cause__code="tax_percent_differs").exists())


def test_item_refused_once_is_known_for_the_next_record(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    """The answer doesn't say what was inactive; the lists, read again at once, do."""
    connect(owner, ledger)
    configure(owner)
    line = make_line(get_tax_rate(owner.workspace), service=make_service(owner, "Advice"))
    customer = make_customer(owner)
    make_invoice(owner, customer, lines=[line], is_issued=True)
    worker = make_worker()
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    [item] = ledger.records("service")
    item.is_active = False
    make_invoice(owner, customer, lines=[line], is_issued=True)
    wait_until(lambda: OutboxRow.objects.filter(state="blocked", cause__code="reference_missing").exists())
    worker.stop()
    sends = ledger.count_sends("invoice")

    # The timetable's next round.
    make_worker()
    wait_until(lambda: OutboxRow.objects.filter(state="blocked", cause__code="item_inactive").exists())
    make_invoice(owner, customer, lines=[line], is_issued=True)
    wait_until(lambda: OutboxRow.objects.filter(state="blocked", cause__code="item_inactive").count() == 2)
    assert {row.cause_key for row in OutboxRow.objects.all()} == {f"item_inactive:{item.remote_id}"}
    assert ledger.count_sends("invoice") == sends
    assert ledger.calls.count("read_reference") == 2

    # Foreseen once more: that says nothing new, so the lists aren't asked for again.
    with connection.cursor() as cursor:
        cursor.execute(upkeep_sql.CLAIM_STALE_REFERENCE, {"reachable": ["fake emulator"]})
        assert cursor.fetchall() == []

    item.is_active = True
    refresh_reference(owner)
    wait_until(lambda: len(ledger.records("invoice")) == 3 and is_settled(owner))


def invoice_in_closed_books(owner: Actor, customer: Customer) -> None:
    make_invoice(owner, customer, is_issued=True)
    wait_until(lambda: OutboxRow.objects.filter(state="blocked").exists() and is_settled(owner))


def claim_stale() -> int:
    """How many companies the timetable would read now."""
    with connection.cursor() as cursor:
        cursor.execute(upkeep_sql.CLAIM_STALE_REFERENCE, {"reachable": ["fake emulator"]})
        return len(cursor.fetchall())


def test_books_closed_again_within_the_hour_are_read_again_soon_but_not_for_each_refusal(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner)
    worker = make_worker()
    make_invoice(owner, customer, is_issued=True)
    wait_until(lambda: bool(ledger.records("invoice")) and is_settled(owner))
    closed_through = timezone.now().date() + timedelta(days=900)
    ledger.close_books(closed_through)
    for _ in range(2):
        invoice_in_closed_books(owner, customer)
    assert ledger.count_sends("invoice") == 3
    worker.stop()

    # Read for something else a quarter of an hour ago, which no refusal may wait for any longer.
    assert claim_stale() == 1
    assert claim_stale() == 0
    Connection.objects.update(refresh_not_before=F("refresh_not_before") - timedelta(minutes=15))
    reads = ledger.calls.count("read_reference")
    worker = make_worker()
    key = f"period_closed:{closed_through}"
    wait_until(lambda: OutboxRow.objects.filter(state="blocked", cause_key=key).count() == 2)
    invoice_in_closed_books(owner, customer)
    assert OutboxRow.objects.filter(cause_key=key).count() == 3
    assert (ledger.count_sends("invoice"), ledger.calls.count("read_reference")) == (3, reads + 1)
    worker.stop()

    # Refused for something else: not within the same minutes.
    OutboxRow.objects.update(changed_at=timezone.now(), cause={"code": "reference_missing", "params": {"says": "no"}})
    assert claim_stale() == 0


def test_lists_are_looked_after_within_seconds_of_a_refusal() -> None:
    [entry] = [entry for entry in TIMETABLE if entry.job is refresh_references]
    assert entry.every <= timedelta(seconds=15)
