"""Who numbers invoices: the accounting software's own sequence, taken over once, and never changed afterwards."""

import pytest

from cone.accounting.port.documents import InvoiceDocument
from cone.accounting.port.verdicts import OutcomeUnknownError
from cone.accounting.states import read_record_sync
from cone.accounting.values import SyncState
from cone.books.models import Connection, Counter, Invoice
from cone.domain.errors import InvalidFieldError
from cone.domain.numbering import NumberPendingError, NumberSettledError
from cone.kit.values import replace
from cone.operations.actor import Actor
from cone.operations.delete_invoice import delete_invoice
from cone.operations.disconnect_provider import disconnect_provider
from cone.operations.mark_invoice_sent import mark_invoice_sent
from cone.operations.number_invoice import number_invoice
from cone.operations.pause_sync import pause_sync
from cone.operations.resume_sync import resume_sync
from cone.operations.save_terms import save_terms
from cone.operations.sync_now import sync_record
from tests.builders import make_invoice
from tests.fakes.ledger import FakeLedger

from .conftest import MakeWorker, configure, connect, hurry, is_settled, wait_until


@pytest.fixture
def sequenced(owner: Actor, ledger: FakeLedger) -> Connection:
    """Connected to a company that counts by itself, and the firm wants that."""
    company = ledger.companies["fake-company"]
    company.facts = replace(company.facts, uses_own_numbers=False)
    made = connect(owner, ledger)
    configure(owner)
    save_terms(owner, {"number_mode": "sequence"})
    return made


def number_of(invoice: Invoice) -> str | None:
    invoice.refresh_from_db()
    return invoice.number


def numbers_there(ledger: FakeLedger) -> list[str]:
    documents = [record.document for record in ledger.records("invoice")]
    return [document.number for document in documents if isinstance(document, InvoiceDocument)]


def test_number_comes_with_the_answer_and_stays(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, sequenced: Connection
) -> None:
    invoice = make_invoice(owner, is_issued=True)
    assert (number_of(invoice), str(invoice)) == (None, "Number pending")
    with pytest.raises(NumberPendingError):
        mark_invoice_sent(owner, invoice.uuid)
    make_worker()
    wait_until(lambda: number_of(invoice) and is_settled(owner))
    assert number_of(invoice) == "1001" == numbers_there(ledger)[0]
    assert not Counter.objects.filter(name="invoice", next_value__gt=1).exists()
    with pytest.raises(NumberSettledError):
        number_invoice(owner, invoice.uuid)
    mark_invoice_sent(owner, invoice.uuid)

    # Whatever comes later, the number that was shown doesn't change, and both sides have it.
    sync_record(owner, "invoice", invoice.uuid)
    second = make_invoice(owner, invoice.customer, is_issued=True)
    wait_until(lambda: number_of(second) and is_settled(owner))
    assert (number_of(invoice), number_of(second)) == ("1001", "1002")
    assert numbers_there(ledger) == ["1001", "1002"]


def test_lost_answer_is_found_by_its_mark_and_brings_the_number(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, sequenced: Connection
) -> None:
    hurry(ledger, 0)
    ledger.fail_next("invoice", OutcomeUnknownError(), commit=True)
    invoice = make_invoice(owner, is_issued=True)
    make_worker()
    wait_until(lambda: number_of(invoice) and is_settled(owner))
    assert numbers_there(ledger) == [number_of(invoice)] == ["1001"]


def test_number_that_another_invoice_here_has_is_a_cause_and_ours_mends_it(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, sequenced: Connection
) -> None:
    held = make_invoice(owner, is_issued=True)
    Invoice.objects.filter(pk=held.pk).update(number="1002", status="void", voided_at=held.issued_at)
    ledger.companies["fake-company"].next_number = 1002
    invoice = make_invoice(owner, held.customer, is_issued=True)
    make_worker()
    wait_until(lambda: (sync := read_record_sync(owner.workspace.pk, "invoice", invoice.uuid)) and sync.cause)
    sync = read_record_sync(owner.workspace.pk, "invoice", invoice.uuid)
    assert sync is not None
    assert sync.cause is not None
    assert (sync.cause.key, number_of(invoice)) == (f"number_taken_here:{invoice.uuid}", None)

    number_invoice(owner, invoice.uuid)
    wait_until(lambda: is_settled(owner) and numbers_there(ledger) == ["INV-0001"])
    sync = read_record_sync(owner.workspace.pk, "invoice", invoice.uuid)
    assert sync is not None
    assert (sync.state, number_of(invoice)) == (SyncState.SYNCED, "INV-0001")


def test_paused_with_a_number_pending_it_comes_on_resume(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, sequenced: Connection
) -> None:
    pause_sync(owner)
    invoice = make_invoice(owner, is_issued=True)
    other = make_invoice(owner, invoice.customer, is_issued=True)
    number_invoice(owner, other.uuid)
    make_worker()
    assert number_of(invoice) is None
    resume_sync(owner)
    wait_until(lambda: number_of(invoice) and is_settled(owner))
    assert sorted(numbers_there(ledger)) == ["1001", "INV-0001"]


def test_disconnected_with_a_number_pending_it_can_be_numbered_or_deleted_here(
    owner: Actor, ledger: FakeLedger, sequenced: Connection
) -> None:
    first = make_invoice(owner, is_issued=True)
    disconnect_provider(owner)
    sequenced.refresh_from_db()
    assert sequenced.number_mode == "cone"
    assert number_invoice(owner, first.uuid).number == "INV-0001"
    after = make_invoice(owner, first.customer, is_issued=True)
    assert number_of(after) == "INV-0002"


def test_pending_invoice_that_nobody_knows_is_deleted_without_a_gap(owner: Actor) -> None:
    invoice = make_invoice(owner, is_issued=True)
    Invoice.objects.filter(pk=invoice.pk).update(number=None)
    delete_invoice(owner, invoice.uuid)
    assert not Invoice.objects.filter(pk=invoice.pk).exists()


def test_mode_that_the_company_does_not_make_possible_is_refused(owner: Actor, sequenced: Connection) -> None:
    with pytest.raises(InvalidFieldError):
        save_terms(owner, {"number_mode": "custom"})
    with pytest.raises(InvalidFieldError):
        save_terms(owner, {"tax_source": "ours"})
    sequenced.refresh_from_db()
    assert (sequenced.number_mode, sequenced.tax_source) == ("sequence", "theirs")
