"""History that an earlier version wrote is told in today's words."""

import re
from importlib import import_module

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from cone.books.models import Attempt, Connection
from tests.builders import Cast, make_invoice
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
