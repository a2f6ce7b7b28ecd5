"""Where nothing decides what became of a create, a person does: it's this one, or it isn't there."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from cone.accounting.port.documents import InvoiceDocument
from cone.accounting.port.verdicts import OutcomeUnknownError
from cone.accounting.states import read_record_sync
from cone.accounting.values import RecordSync
from cone.books.models import Attempt, Connection, Invoice, Link, OutboxRow
from cone.domain.errors import NotAllowedError
from cone.domain.permissions import Role
from cone.kit.values import replace
from cone.operations.actor import Actor
from cone.operations.pause_sync import pause_sync
from cone.operations.resolve_uncertain import (
    CandidateGoneError,
    CandidateTakenError,
    NotUncertainError,
    link_candidate,
    send_again,
)
from tests.builders import make_invoice, make_member
from tests.fakes.ledger import FakeLedger, FakeRecord
from tests.integration.accounting.conftest import MakeWorker, configure, connect, is_settled, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def make_uncertain(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> tuple[Invoice, FakeRecord]:
    """An invoice that arrived unanswered, and whose mark somebody took off there before anybody looked."""
    ledger.memory.is_kept = False
    worker = make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.fail_next("invoice", OutcomeUnknownError(), commit=True)
    invoice = make_invoice(owner, is_issued=True)
    wait_until(Attempt.objects.filter(kind="invoice", verdict="unknown").exists)
    (record,) = ledger.records("invoice")
    record.has_marker = False
    long_ago = timezone.now() - timedelta(hours=2)
    Attempt.objects.filter(kind="invoice").update(started_at=long_ago, last_sent_at=long_ago)
    OutboxRow.objects.update(not_before=long_ago)
    worker.wake(Connection.objects.get().pk)
    wait_until(OutboxRow.objects.filter(cause_key=f"outcome_uncertain:{invoice.uuid}").exists)
    return invoice, record


def read(owner: Actor, invoice: Invoice) -> RecordSync:
    found = read_record_sync(owner.workspace.pk, "invoice", invoice.uuid)
    assert found is not None
    return found


def test_what_could_be_it_is_shown_and_the_chosen_one_is_linked(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    invoice, record = make_uncertain(owner, ledger, make_worker)
    sync = read(owner, invoice)
    (candidate,) = sync.candidates
    assert sync.is_uncertain
    assert (candidate.remote_id, candidate.label, candidate.total, candidate.issue_date, candidate.created_at) == (
        record.remote_id,
        invoice.number,
        invoice.total,
        invoice.issue_date,
        record.created_at,
    )

    link_candidate(owner, "invoice", invoice.uuid, remote_id=record.remote_id)
    wait_until(lambda: is_settled(owner))
    assert Link.objects.get(kind="invoice").remote_id == record.remote_id
    assert len(ledger.records("invoice")) == 1
    # What is here went out as a change of it, and was verified.
    assert list(Attempt.objects.filter(kind="invoice").order_by("pk").values_list("operation", "verdict")) == [
        ("create", "chosen"),
        ("update", "sent"),
    ]
    assert not read(owner, invoice).is_uncertain


def test_one_that_is_not_there_is_sent_again_under_a_new_id(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    invoice, record = make_uncertain(owner, ledger, make_worker)
    # It was another one after all: the bookkeeper gives it a number of its own.
    assert isinstance(record.document, InvoiceDocument)
    record.document = replace(record.document, number="THEIRS-1")
    send_again(owner, "invoice", invoice.uuid)
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner))
    assert Link.objects.get(kind="invoice").remote_id != record.remote_id
    first, second = (sending.request_id for sending in ledger.sent if sending.kind == "invoice")
    assert first != second


def test_what_is_theirs_on_the_chosen_one_is_kept_with_its_version(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    invoice, record = make_uncertain(owner, ledger, make_worker)
    pause_sync(owner)
    row = OutboxRow.objects.get(cause_key=f"outcome_uncertain:{invoice.uuid}")
    assert row.cause is not None
    row.cause["candidates"][0]["kept"] = "theirs"
    row.save()
    link_candidate(owner, "invoice", invoice.uuid, remote_id=record.remote_id)
    assert Link.objects.get(kind="invoice").answer == {"kept": "theirs"}


def test_late_mark_is_found_before_a_second_one_is_made(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    """A person errs: what carries the mark by then is linked, and no second one is made."""
    invoice, record = make_uncertain(owner, ledger, make_worker)
    record.has_marker = True
    send_again(owner, "invoice", invoice.uuid)
    wait_until(lambda: Link.objects.filter(kind="invoice").exists() and is_settled(owner))
    assert [each.remote_id for each in ledger.records("invoice")] == [record.remote_id]


def test_answers_are_for_those_who_may_and_only_while_it_is_uncertain(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    invoice, record = make_uncertain(owner, ledger, make_worker)
    reader = make_member(owner.workspace, Role.BOOKKEEPER)
    with pytest.raises(NotAllowedError):
        link_candidate(reader, "invoice", invoice.uuid, remote_id=record.remote_id)
    with pytest.raises(NotAllowedError):
        send_again(reader, "invoice", invoice.uuid)
    with pytest.raises(CandidateGoneError):
        link_candidate(owner, "invoice", invoice.uuid, remote_id="999")
    assert Attempt.objects.get(kind="invoice").state == "unknown"

    link_candidate(owner, "invoice", invoice.uuid, remote_id=record.remote_id)
    with pytest.raises(NotUncertainError):
        link_candidate(owner, "invoice", invoice.uuid, remote_id=record.remote_id)
    with pytest.raises(NotUncertainError):
        send_again(owner, "invoice", invoice.uuid)
    wait_until(lambda: is_settled(owner))
    assert len(ledger.records("invoice")) == 1


def test_record_of_another_of_ours_can_not_be_chosen(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    invoice, record = make_uncertain(owner, ledger, make_worker)
    Link.objects.create(
        company_id=Connection.objects.get().company_id,
        kind="invoice",
        record_uuid=uuid4(),
        remote_id=record.remote_id,
        remote_version="0",
        synced_revision=1,
    )
    with pytest.raises(CandidateTakenError):
        link_candidate(owner, "invoice", invoice.uuid, remote_id=record.remote_id)
    assert OutboxRow.objects.get(record_uuid=invoice.uuid).state == "blocked"
    assert Attempt.objects.get(record_uuid=invoice.uuid).state == "unknown"
