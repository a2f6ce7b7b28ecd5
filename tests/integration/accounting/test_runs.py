"""Runs over existing invoices: asked for once, as foreseen, stopped, resumed after a crash, and undone exactly once."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cone.accounting.outbox import enqueue
from cone.accounting.port.documents import Kind
from cone.accounting.runs.reading import view_run
from cone.accounting.runs.values import Progress
from cone.accounting.undoing import UndoSettler
from cone.books.models import Attempt, BackfillRun, Invoice, Link, OutboxRow, RunRecord
from cone.domain.errors import InvalidFieldError, NotAllowedError, RecordNotFoundError
from cone.domain.permissions import Role
from cone.operations.actor import Actor
from cone.operations.cancel_run import RunOverError, cancel_run
from cone.operations.pause_sync import pause_sync
from cone.operations.resume_sync import resume_sync
from cone.operations.save_accounts import save_accounts
from cone.operations.save_invoice import save_invoice
from cone.operations.send_existing_invoices import NothingToSendError, RunUnderWayError, send_existing_invoices
from cone.operations.undo_run import RunNotUndoableError, preview_undo, undo_run
from tests.builders import (
    get_tax_rate,
    make_customer,
    make_invoice,
    make_invoice_input,
    make_line,
    make_member,
    make_owner,
    make_payment,
)
from tests.fakes.ledger import BANK, INCOME, FakeLedger, Sending
from tests.integration.accounting.conftest import (
    NO_SWEEP,
    Held,
    MakeWorker,
    Worker,
    configure,
    connect,
    hurry,
    is_settled,
    wait_until,
)

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = timezone.localdate()


def existing(owner: Actor, count: int) -> list[Invoice]:
    """Invoices from before the connection, of one customer."""
    customer = make_customer(owner)
    return [make_invoice(owner, customer, is_issued=True) for _ in range(count)]


def start(owner: Actor, ledger: FakeLedger, count: int) -> tuple[list[Invoice], BackfillRun]:
    """Connect, configure, and ask for as many existing invoices."""
    invoices = existing(owner, count)
    connect(owner, ledger)
    configure(owner)
    return invoices, send_existing_invoices(owner, TODAY)


def state_of(run: BackfillRun) -> str:
    run.refresh_from_db()
    return run.state


def finish(run: BackfillRun, state: str = "finished") -> None:
    wait_until(lambda: state_of(run) == state, seconds=20)


def sent_run(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, count: int
) -> tuple[list[Invoice], BackfillRun, Worker]:
    invoices, run = start(owner, ledger, count)
    worker = make_worker()
    finish(run)
    return invoices, run, worker


def there(ledger: FakeLedger, kind: Kind = "invoice") -> list[str]:
    """How the records of a kind stand; deleted ones don't."""
    return [record.standing for record in ledger.records(kind)]


def edit(owner: Actor, invoice: Invoice) -> None:
    line = make_line(get_tax_rate(owner.workspace, 20), unit_price="7.00")
    save_invoice(owner, make_invoice_input(invoice.customer, [line]), uuid=invoice.uuid)


# --- sending -------------------------------------------------------------------------------------------------


def test_run_sends_what_was_foreseen_and_counts_that_it_came_true(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    from_date = TODAY - timedelta(days=10)
    customer = make_customer(owner)
    older, on_it, later = (
        make_invoice(owner, customer, is_issued=True, issue_date=day)
        for day in (from_date - timedelta(days=1), from_date, TODAY)
    )
    make_invoice(owner, customer)  # a draft
    make_invoice(make_owner("Outside Ltd"), is_issued=True)
    paid = make_payment(owner, later)
    connect(owner, ledger)
    configure(owner)
    pause_sync(owner)
    make_worker()

    run = send_existing_invoices(owner, from_date)
    assert set(OutboxRow.objects.values_list("record_uuid", "priority", "is_in_scope")) == {
        (on_it.uuid, 10, True),
        (later.uuid, 10, True),
        (paid.uuid, 10, True),
    }
    assert view_run(run).progress == Progress(total=3, done=0, failed=0, left=3, dropped=0)
    resume_sync(owner)
    finish(run)

    view = view_run(run)
    assert view.progress == Progress(total=3, done=3, failed=0, left=0, dropped=0)
    assert (view.compared_count, view.as_predicted, view.differing) == (3, 3, ())
    assert (view.customers_made, view.services_made) == (1, 1)
    outcomes = RunRecord.objects.values_list("kind", "action", "outcome", "predicted_total", "actual_total")
    assert sorted(outcomes, key=str) == sorted(
        [
            ("customer", "create", "created", None, None),
            ("service", "link", "created", None, None),
            ("invoice", "create", "created", Decimal("120.00"), Decimal("120.00")),
            ("invoice", "create", "created", Decimal("120.00"), Decimal("120.00")),
            ("payment", "create", "created", Decimal("120.00"), Decimal("120.00")),
        ],
        key=str,
    )
    # The same date has nothing more; an earlier one adds what lies between.
    with pytest.raises(NothingToSendError):
        send_existing_invoices(owner, from_date)
    finish(send_existing_invoices(owner, older.issue_date))
    assert len(ledger.records("invoice")) == 3


def test_run_is_over_with_its_last_record_and_not_with_the_next_sweep(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    _, run = start(owner, ledger, 2)
    make_worker(NO_SWEEP)
    finish(run)
    undo_run(owner, run.uuid, by="delete")
    finish(run, "undone")


def test_what_was_not_as_foreseen_is_listed(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    (first, second), run = start(owner, ledger, 2)
    pause_sync(owner)
    edit(owner, second)
    resume_sync(owner)
    make_worker()
    finish(run)

    view = view_run(run)
    assert (view.compared_count, view.as_predicted) == (2, 1)
    (differing,) = view.differing
    assert (differing.uuid, differing.label, differing.why) == (
        second.uuid,
        second.number,
        "Edited here since the preview",
    )
    assert (
        str(differing.predicted and differing.predicted.amount),
        str(differing.actual and differing.actual.amount),
    ) == (
        "120.00",
        "8.40",
    )
    assert first.number not in {each.label for each in view.differing}


def test_only_those_who_may_start_a_run_and_only_one_at_a_time(owner: Actor, ledger: FakeLedger) -> None:
    _, run = start(owner, ledger, 1)
    biller = make_member(owner.workspace, Role.BILLER)
    with pytest.raises(NotAllowedError):
        send_existing_invoices(biller, TODAY)
    with pytest.raises(NotAllowedError):
        cancel_run(biller, run.uuid)
    with pytest.raises(NotAllowedError):
        undo_run(biller, run.uuid, by="delete")
    with pytest.raises(RunUnderWayError, match="is sending existing invoices since"):
        send_existing_invoices(owner, TODAY)
    with pytest.raises(IntegrityError, match="run_one_at_a_time"), transaction.atomic():
        BackfillRun.objects.create(company=run.company, from_date=TODAY, state="running")
    outsider = make_owner("Outside Ltd")
    ledger.add_company("other")
    connect(outsider, ledger, "other")
    with pytest.raises(RecordNotFoundError):
        cancel_run(outsider, run.uuid)
    assert state_of(run) == "running"


def test_run_waits_for_a_setting_and_one_with_refused_records_is_over(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    existing(owner, 2)
    connect(owner, ledger)
    make_worker()
    run = send_existing_invoices(owner, TODAY)
    wait_until(lambda: OutboxRow.objects.filter(cause_key="default_account_missing").count() == 2)
    progress = view_run(run).progress
    assert (progress.total, progress.done, progress.failed, progress.left, progress.dropped) == (2, 0, 0, 2, 0)
    assert state_of(run) == "running"

    save_accounts(owner, deposit_account_id=BANK, income_account_id=INCOME)
    finish(run)
    assert view_run(run).progress == Progress(total=2, done=0, failed=2, left=0, dropped=0)
    configure(owner)
    wait_until(lambda: view_run(run).progress.done == 2)


def test_run_goes_on_after_its_worker_died(owner: Actor, ledger: FakeLedger, make_worker: MakeWorker) -> None:
    hurry(ledger, 400)
    ledger.largest_batch = 1
    _, run = start(owner, ledger, 8)
    held = Held("invoice")
    ledger.after_send = held
    worker = make_worker()
    assert held.is_asked.wait(10)
    worker.stop()
    held.is_released.set()
    ledger.after_send = None
    assert Attempt.objects.filter(kind="invoice", state="unknown").exists()

    make_worker()
    finish(run)

    assert there(ledger) == ["live"] * 8
    assert set(RunRecord.objects.filter(kind="invoice").values_list("outcome", flat=True)) == {"created"}


def test_cancelled_run_leaves_the_rest_here_and_finishes_what_is_under_way(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    ledger.largest_batch = 1
    invoices, run = start(owner, ledger, 12)
    held = Held("invoice")
    ledger.before_send = held
    make_worker()
    assert held.is_asked.wait(10)
    cancel_run(owner, run.uuid)
    held.is_released.set()
    wait_until(lambda: is_settled(owner) and not view_run(run).progress.left)

    sent = len(ledger.records("invoice"))
    assert 1 <= sent < 12
    progress = view_run(run).progress
    assert (progress.done, progress.left, progress.dropped) == (sent, 0, 12 - sent)
    assert OutboxRow.objects.count() == 0
    with pytest.raises(RunOverError):
        cancel_run(owner, run.uuid)

    # What stayed here is out of scope, even when it's edited, until another run asks for it.
    left = next(each for each in invoices if not Link.objects.filter(record_uuid=each.uuid).exists())
    edit(owner, left)
    wait_until(lambda: OutboxRow.objects.count() == 0)
    assert not Link.objects.filter(record_uuid=left.uuid).exists()
    finish(send_existing_invoices(owner, TODAY))
    assert there(ledger) == ["live"] * 12


def test_cancelled_run_leaves_what_something_waits_for_that_stays(owner: Actor, ledger: FakeLedger) -> None:
    """A service of the run waits for another one's lost create, and was asked for by a live invoice since."""
    _, run = start(owner, ledger, 1)
    awaited, waiting, gone = uuid4(), uuid4(), uuid4()
    records: list[tuple[UUID, int, UUID | None]] = [(awaited, 10, None), (waiting, 0, awaited), (gone, 10, None)]
    for uuid, priority, waits_for in records:
        RunRecord.objects.create(run=run, kind="service", record_uuid=uuid, revision=1, action="create")
        OutboxRow.objects.create(
            company_id=run.company_id,
            kind="service",
            record_uuid=uuid,
            wanted_revision=1,
            priority=priority,
            waits_for_kind="service" if waits_for else None,
            waits_for_uuid=waits_for,
        )
    # Of the run alone, and only once what waits for it is out.
    OutboxRow.objects.filter(kind="invoice").update(waits_for_kind="service", waits_for_uuid=gone)

    cancel_run(owner, run.uuid)
    assert set(OutboxRow.objects.values_list("record_uuid", flat=True)) == {awaited, waiting}


# --- undoing -------------------------------------------------------------------------------------------------


# How what was taken back stands there: deleted records don't.
GONE: dict[str, set[str]] = {"delete": set(), "void": {"void"}}


@pytest.mark.parametrize("by", ["delete", "void"])
def test_undo_takes_back_what_the_run_sent_and_another_run_sends_it_again(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, by: str
) -> None:
    customer = make_customer(owner)
    invoices = [make_invoice(owner, customer, is_issued=True) for _ in range(3)]
    make_payment(owner, invoices[0])
    connect(owner, ledger)
    configure(owner)
    make_worker()
    run = send_existing_invoices(owner, TODAY)
    finish(run)

    plan = preview_undo(owner, run.uuid)
    assert (plan.take_back_count, plan.kept_count, plan.waiting_count, plan.suggested) == (4, 0, 0, "delete")
    sums = [(each.kind, each.count, str(each.total.amount)) for each in plan.sums]
    assert sums == [("invoice", 3, "360.00"), ("payment", 1, "120.00")]
    undo_run(owner, run.uuid, by=by)
    finish(run, "undone")

    view = view_run(run)
    assert view.undo is not None
    assert (view.undo.total, view.undo.done, view.undo.refused, view.undo.left) == (4, 4, 0, 0)
    gone = GONE[by]
    assert set(there(ledger)) | set(there(ledger, "payment")) == gone
    assert sorted(Link.objects.values_list("kind", flat=True)) == ["customer", "service"]
    assert (view.customers_made, view.services_made) == (1, 1)
    removals = Attempt.objects.filter(operation=by)
    assert set(removals.values_list("state", "verdict", "sends")) == {("succeeded", "taken_back", 1)}
    assert removals.count() == 4
    with pytest.raises(RunNotUndoableError):
        undo_run(owner, run.uuid, by=by)

    # Here they stay as they were, and aren't sent by themselves.
    enqueue_all(owner, invoices)
    wait_until(lambda: OutboxRow.objects.count() == 0)
    assert set(there(ledger)) == gone
    again = send_existing_invoices(owner, TODAY)
    finish(again)
    if by == "void":
        # Numbers of what is void stay used there, which the dialog says; nothing is linked to what was taken back.
        causes = OutboxRow.objects.filter(kind="invoice").values_list("cause__code", flat=True)
        assert (set(causes), set(there(ledger))) == ({"number_taken"}, gone)
        assert not Link.objects.filter(kind="invoice").exists()
        return
    assert there(ledger).count("live") == 3
    assert set(Attempt.objects.filter(kind="invoice", operation="create").values_list("generation", flat=True)) == {
        1,
        3,
    }


def enqueue_all(owner: Actor, invoices: Sequence[Invoice]) -> None:
    with transaction.atomic():
        for invoice in invoices:
            enqueue(
                workspace_id=owner.workspace.pk,
                kind="invoice",
                record_uuid=invoice.uuid,
                revision=invoice.revision,
            )


def test_undo_keeps_what_was_touched_since_and_says_why(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    (_, edited, changed, paid), run, _ = sent_run(owner, ledger, make_worker, 4)
    edit(owner, edited)
    wait_until(lambda: is_settled(owner))
    make_payment(owner, paid)
    wait_until(lambda: is_settled(owner) and bool(ledger.records("payment")))
    (record,) = [each for each in ledger.records("invoice") if each.document.uuid == changed.uuid]
    record.version += 1  # somebody saved it there, and we don't know

    plan = preview_undo(owner, run.uuid)
    assert plan.take_back_count == 2
    assert {each.uuid: each.why for each in plan.kept} == {
        edited.uuid: "It was edited here after it had been sent.",
        paid.uuid: "A payment that isn't part of this run is applied to it there.",
    }
    undo_run(owner, run.uuid, by="delete")
    finish(run, "undone")

    view = view_run(run)
    assert {each.uuid: each.why for each in view.refused} == {
        edited.uuid: "It was edited here after it had been sent.",
        paid.uuid: "A payment that isn't part of this run is applied to it there.",
        changed.uuid: "It was changed there after it had been sent.",
    }
    standing = {each.document.uuid: each.standing for each in ledger.records("invoice")}
    assert standing == {edited.uuid: "live", changed.uuid: "live", paid.uuid: "live"}
    wait_until(lambda: OutboxRow.objects.count() == 0)
    assert Link.objects.filter(kind="invoice").count() == 3


def test_edit_while_an_undo_waits_keeps_the_invoice_and_sends_the_edit(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    (_, second), run, worker = sent_run(owner, ledger, make_worker, 2)
    worker.stop()
    undo_run(owner, run.uuid, by="delete")
    edit(owner, second)
    make_worker()
    finish(run, "undone")
    wait_until(lambda: is_settled(owner))

    standing = {each.document.uuid: each.standing for each in ledger.records("invoice")}
    assert standing == {second.uuid: "live"}
    (refused,) = view_run(run).refused
    assert (refused.uuid, refused.why) == (second.uuid, "It was edited here after it had been sent.")
    link = Link.objects.get(kind="invoice")
    assert Decimal(link.answer["total"]) == Decimal("8.40")


def test_undo_of_closed_books_and_of_linked_records_is_refused_before_a_request(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    (linked, closed), run, _ = sent_run(owner, ledger, make_worker, 2)
    RunRecord.objects.filter(record_uuid=linked.uuid).update(outcome="linked")
    connection = run.company.connections.get()
    connection.facts["books_closed_through_date"] = TODAY.isoformat()
    connection.save()
    before = len(ledger.sent)

    with pytest.raises(InvalidFieldError):
        undo_run(owner, run.uuid, by="burn")
    undo_run(owner, run.uuid, by="delete")
    finish(run, "undone")

    assert {each.uuid: each.why for each in view_run(run).refused} == {
        linked.uuid: "It was there before this run, which only linked it.",
        closed.uuid: "The books are closed for its date.",
    }
    assert len(ledger.sent) == before
    assert there(ledger) == ["live", "live"]


POINTS = ("before it leaves", "done there, no answer", "answered, not committed")


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("by", ["delete", "void"])
def test_crash_while_undoing_takes_it_back_once(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
    by: str,
    point: str,
) -> None:
    hurry(ledger, 400)
    (invoice,), run, worker = sent_run(owner, ledger, make_worker, 1)
    worker.stop()
    undo_run(owner, run.uuid, by=by)
    held = Held("invoice")
    with monkeypatch.context() as patch:
        if point == POINTS[0]:
            ledger.before_send = held
        elif point == POINTS[1]:
            ledger.after_send = held
        else:
            taken_back = UndoSettler.taken_back

            async def hold(self: UndoSettler, *arguments: object) -> None:
                await held(Sending("", "invoice", "", ledger.sent[-1].request))
                await taken_back(self, *arguments)  # type: ignore[arg-type]  # as they came

            patch.setattr(UndoSettler, "taken_back", hold)
        crashed = make_worker()
        assert held.is_asked.wait(10)
        crashed.stop()
        held.is_released.set()
    ledger.before_send = ledger.after_send = None
    assert Attempt.objects.get(operation=by).state == "unknown"
    assert (there(ledger) == ["live"]) is (point == POINTS[0])

    make_worker()
    finish(run, "undone")

    assert set(there(ledger)) == GONE[by]
    view = view_run(run)
    assert view.undo is not None
    assert (view.undo.done, view.undo.refused) == (1, 0)
    assert OutboxRow.objects.count() == 0
    assert not Link.objects.filter(record_uuid=invoice.uuid).exists()
    # Done there without an answer, it's read back and not sent again.
    states = list(Attempt.objects.filter(operation=by).order_by("id").values_list("state", flat=True))
    assert states == (["failed", "succeeded"] if point == POINTS[0] else ["succeeded"])
    removals = [each for each in ledger.sent if each.request.line.split()[0] == by]
    assert len(removals) == 1
