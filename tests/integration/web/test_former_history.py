"""What an earlier version wrote of a record is told in today's words."""

import html
import re
from importlib import import_module

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cone.books.models import Attempt, Connection, Invoice, OutboxRow, Payment
from tests.builders import Cast, make_invoice, make_payment
from tests.fakes.ledger import FakeLedger

KEPT = "left as it stands there"


@pytest.mark.parametrize(
    ("operation", "state", "verdict", "said"),
    [
        *(("void", "failed", reason, KEPT) for reason in ("changed_there", "paid_there", "books_closed", "refused")),
        # This one isn't on its way.
        ("delete", "failed", "unknown", KEPT),
        ("void", "failed", "not_done", "not done there"),
        ("void", "unknown", "unknown", "no answer yet"),
        ("update", "failed", "rejected", "refused"),
    ],
)
def test_undo_that_was_kept_before_the_upgrade_says_so(
    operation: str, state: str, verdict: str, said: str, cast: Cast, owner: Client, connected: FakeLedger
) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    active = Connection.objects.get()
    Attempt.objects.create(
        company=active.company,
        connection=active,
        kind="invoice",
        record_uuid=invoice.uuid,
        revision=1,
        operation=operation,
        generation=1,
        request_id="1",
        request_line="POST /invoice",
        body=b"{}",
        lane_epoch=1,
        state=state,
        verdict=verdict,
    )

    [upgrade] = import_module("cone.books.migrations.0023_kept_verdicts").Migration.operations
    with connection.cursor() as cursor:
        cursor.execute(upgrade.sql)

    panel = owner.get(reverse("sync_panel", args=["invoice", invoice.uuid])).text
    history = re.sub("<[^>]*>", "", panel.partition("History")[2])
    assert f"{operation.capitalize()}: {said}" in history


@pytest.mark.parametrize("is_void", [True, False])
@pytest.mark.parametrize("kind", ["invoice", "payment"])
def test_removal_that_was_refused_before_the_upgrade_asks_for_no_change_here(
    kind: str, cast: Cast, owner: Client, connected: FakeLedger, *, is_void: bool
) -> None:
    invoice = make_invoice(cast.owner, is_issued=True)
    payment = make_payment(cast.owner, invoice)
    if is_void:
        Invoice.objects.update(status="void", voided_at=timezone.now())
        Payment.objects.update(voided_at=timezone.now())
    uuid = invoice.uuid if kind == "invoice" else payment.uuid
    # A customer's sending was refused, too.
    for row in OutboxRow.objects.all():
        row.state, row.cause_key = "blocked", f"refused:{row.record_uuid}"
        row.cause = {"code": "refused", "params": {"says": "no", "code": "6000"}}
        row.save()
    before = OutboxRow.objects.get(kind="customer").cause

    [upgrade] = import_module("cone.books.migrations.0025_refused_removals").Migration.operations
    with connection.cursor() as cursor:
        cursor.execute(upgrade.sql)

    panel = html.unescape(re.sub("<[^>]*>", "", owner.get(reverse("sync_panel", args=[kind, uuid])).text))
    assert ("refused to take back" in panel, "here, and it's sent again by itself" in panel) == (is_void, not is_void)
    assert OutboxRow.objects.filter(record_uuid=uuid, cause__params__says="no").exists()
    assert OutboxRow.objects.get(kind="customer").cause == before
