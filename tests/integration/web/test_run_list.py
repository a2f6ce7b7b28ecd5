"""The list of runs says of each what its own page says, in as many queries for three runs as for one."""

import re
from datetime import date, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cone.accounting.runs.reading import find_latest_run, find_run, list_runs
from cone.accounting.runs.settling import settle_runs_of
from cone.books.models import BackfillRun, Connection, OutboxRow, RunRecord
from cone.operations.disconnect_provider import disconnect_provider
from cone.operations.pause_sync import pause_sync
from cone.operations.send_existing_invoices import send_existing_invoices
from tests.builders import Cast, make_invoice, make_payment
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import connect

OTHER_COMPANY = "company-2"


@pytest.fixture
def run(cast: Cast, ledger: FakeLedger) -> BackfillRun:
    """A run over three invoices."""
    for _ in range(3):
        make_invoice(cast.owner, is_issued=True)
    connect(cast.owner, ledger)
    return send_existing_invoices(cast.owner, date(2020, 1, 1))


def block_one(run: BackfillRun) -> None:
    row = OutboxRow.objects.filter(company=run.company, kind="invoice").order_by("pk")[0]
    OutboxRow.objects.filter(pk=row.pk).update(
        state="blocked", cause_key=f"refused:{row.record_uuid}", cause={"code": "refused", "params": {}}
    )


def test_list_counts_as_the_page_does(cast: Cast, run: BackfillRun) -> None:
    block_one(run)

    [row] = list_runs(cast.workspace.pk)
    view = find_run(cast.workspace.pk, run.uuid)

    assert view is not None
    assert (row.left, row.failed) == (view.progress.left, view.progress.failed) == (2, 1)


def test_payment_whose_invoice_waits_for_a_refused_customer_needs_attention_too(cast: Cast, ledger: FakeLedger) -> None:
    """Nothing of the run is to go by itself any more: it's over, in part."""
    invoice = make_invoice(cast.owner, is_issued=True)
    make_payment(cast.owner, invoice)
    active = connect(cast.owner, ledger)
    run = send_existing_invoices(cast.owner, date(2020, 1, 1))
    customer = invoice.customer.uuid
    OutboxRow.objects.create(
        company=active.company,
        kind="customer",
        record_uuid=customer,
        wanted_revision=1,
        state="blocked",
        cause_key=f"refused:{customer}",
        cause={"code": "refused", "params": {}},
    )
    OutboxRow.objects.filter(kind="invoice").update(waits_for_kind="customer", waits_for_uuid=customer)
    OutboxRow.objects.filter(kind="payment").update(waits_for_kind="invoice", waits_for_uuid=invoice.uuid)

    settle_runs_of(run.company_id)

    [row] = list_runs(cast.workspace.pk)
    view = find_run(cast.workspace.pk, run.uuid)
    assert view is not None
    assert (row.left, row.failed) == (view.progress.left, view.progress.failed) == (0, 2)
    assert row.head.state == "finished"


def test_run_and_undo_that_are_asked_for_while_paused_say_that_they_wait(
    cast: Cast, owner: Client, ledger: FakeLedger
) -> None:
    make_invoice(cast.owner, is_issued=True)
    active = connect(cast.owner, ledger)
    pause_sync(cast.owner)
    started = owner.post(reverse("run_start"), {"from_date": "2020-01-01"}, follow=True).text
    assert ("go once the sync is resumed" in started, "on their way" in started) == (True, False)
    assert "1 to go. Sync is paused." in started
    assert re.findall(r'class="state (\w+)">.*?</svg>([^<]+)<', started) == [("warn", "Paused")]

    run = BackfillRun.objects.get(company=active.company)
    BackfillRun.objects.update(state="cancelled")
    undone = unescape(owner.post(reverse("run_undo", args=[run.uuid]), {"by": "delete"}, follow=True).text)
    assert ("It's taken back once the sync is resumed" in undone, "taken back now" in undone) == (True, False)


def halts(run: BackfillRun) -> set[str]:
    """What the run waits for by its page, by its card under Manage and by the list."""
    workspace_id = run.company.workspace_id
    of_page, of_manage = find_run(workspace_id, run.uuid), find_latest_run(workspace_id)
    return {row.halt for row in (of_page and of_page.row, of_manage and of_manage.row, *list_runs(workspace_id)) if row}


@pytest.mark.parametrize("state", ["running", "undoing"])
def test_run_says_what_keeps_it_from_moving(cast: Cast, run: BackfillRun, state: str) -> None:
    BackfillRun.objects.update(state=state, undo_by="void" if state == "undoing" else "")
    if state == "undoing":
        RunRecord.objects.filter(kind="invoice").update(outcome="created", undo="wanted")
    assert halts(run) == {""}

    Connection.objects.update(reads_not_before=timezone.now() + timedelta(days=3))
    # Sending goes on by single writes; each record that's taken back is looked at first.
    assert halts(run) == ({""} if state == "running" else {"allowance"})
    Connection.objects.update(is_allowance_used=True, not_before=timezone.now() + timedelta(days=3))
    assert halts(run) == {"allowance"}
    pause_sync(cast.owner)
    assert halts(run) == {"paused"}
    Connection.objects.update(state="read_only")
    assert halts(run) == {"read_only"}
    Connection.objects.update(state="needs_reconnect")
    assert halts(run) == {"reconnect"}
    Connection.objects.update(state="disconnecting")
    assert halts(run) == {"disconnected"}


def test_run_of_a_company_that_is_no_longer_connected_says_so(
    cast: Cast, owner: Client, run: BackfillRun, ledger: FakeLedger
) -> None:
    assert "Stop sending" in owner.get(reverse("run", args=[run.uuid])).text
    disconnect_provider(cast.owner)
    assert "Not connected" in owner.get(reverse("runs")).text
    ledger.add_company(OTHER_COMPANY)
    connect(cast.owner, ledger, OTHER_COMPANY)

    page = owner.get(reverse("run", args=[run.uuid])).text
    assert "Goes on once the same company is connected again." in page
    assert "Stop sending" not in page
    assert "Not connected" in owner.get(reverse("runs")).text


def test_list_tells_what_is_over_in_part_from_what_is_done(owner: Client, run: BackfillRun) -> None:
    BackfillRun.objects.update(state="finished")
    OutboxRow.objects.filter(kind="invoice").delete()
    RunRecord.objects.filter(kind="invoice").update(outcome="created")
    assert "Finished" in owner.get(reverse("runs")).text

    BackfillRun.objects.update(state="undone", undo_by="void")
    assert "Undone<" in owner.get(reverse("runs")).text
    RunRecord.objects.filter(pk=RunRecord.objects.filter(kind="invoice")[0].pk).update(undo="refused")
    assert "Undone in part" in owner.get(reverse("runs")).text


def test_list_says_where_a_run_that_is_over_needs_attention(owner: Client, run: BackfillRun) -> None:
    block_one(run)
    BackfillRun.objects.update(state="finished")

    assert "Over, but not all was sent" in owner.get(reverse("runs")).text


def test_list_asks_as_much_for_three_runs_as_for_one(owner: Client, run: BackfillRun) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            owner.get(reverse("runs"))
        return len(captured)

    BackfillRun.objects.update(state="finished")
    count_queries()
    one = count_queries()
    for _ in range(2):
        made = BackfillRun.objects.create(company=run.company, from_date=run.from_date, state="finished")
        RunRecord.objects.filter(run=made).update(outcome="waiting")

    assert len(list_runs(run.company.workspace_id)) == 3
    assert count_queries() == one
