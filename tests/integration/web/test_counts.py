"""Numbers of records as people read them, and what a used-up allowance says of itself."""

from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cone.books.models import Connection, Link, OutboxRow
from tests.builders import Cast, make_invoice
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import connect


def link_many(active: Connection, count: int) -> None:
    """As if that many invoices stood there already."""
    Link.objects.bulk_create(
        Link(
            company=active.company,
            kind="invoice",
            record_uuid=uuid4(),
            remote_id=str(number),
            remote_version="0",
            synced_revision=1,
        )
        for number in range(count)
    )


def test_thousands_are_grouped_and_one_needs_attention(cast: Cast, owner: Client, ledger: FakeLedger) -> None:
    link_many(connect(cast.owner, ledger), 1234)
    issued = make_invoice(cast.owner, is_issued=True)
    OutboxRow.objects.filter(record_uuid=issued.uuid).update(
        state="blocked", cause_key="refused", cause={"code": "refused", "params": {}}
    )

    page = owner.get(reverse("integrations")).text

    assert "<dt>Synced</dt><dd>1,234</dd>" in page
    assert "1,234 synced" in page
    assert ("1 needs attention" in page, "1 need attention" in page) == (True, False)


@pytest.mark.parametrize(
    ("country", "shown"), [("GB", "so nothing goes until 3 Dec 2099"), ("US", "so nothing goes until Dec 3, 2099")]
)
def test_used_up_allowance_says_until_when_and_leads_to_its_page_from_others(
    cast: Cast, owner: Client, ledger: FakeLedger, country: str, shown: str
) -> None:
    cast.workspace.country = country
    cast.workspace.save()
    connect(cast.owner, ledger)
    Connection.objects.update(not_before=datetime(2099, 12, 3, 12, tzinfo=UTC), is_allowance_used=True)

    elsewhere, there = (unescape(owner.get(reverse(name)).text) for name in ("invoices", "integrations"))

    assert shown in elsewhere
    assert ("See what to do" in elsewhere, "See what to do" in there) == (True, False)
    assert "and then goes by itself; nothing is lost" in there
    Connection.objects.update(not_before=timezone.now() - timedelta(days=1))
    assert "used up" not in owner.get(reverse("invoices")).text


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, "Waiting"),
        ({"paused_at": timezone.now()}, "Held while paused"),
        ({"state": "needs_reconnect", "paused_at": timezone.now()}, "Waiting"),
        ({"not_before": timezone.now() + timedelta(days=9), "is_allowance_used": True}, "Waiting for allowance"),
    ],
)
@pytest.mark.parametrize("count", [0, 1, 1200])
def test_card_counts_what_waits_in_one_word(
    cast: Cast, owner: Client, ledger: FakeLedger, change: dict[str, object], word: str, count: int
) -> None:
    active = connect(cast.owner, ledger)
    OutboxRow.objects.bulk_create(
        OutboxRow(company=active.company, kind="invoice", record_uuid=uuid4(), wanted_revision=1) for _ in range(count)
    )
    Connection.objects.update(**change)

    page = owner.get(reverse("integrations")).text

    assert f"<dt>{word}</dt><dd>{count:,}</dd>" in page
    assert "<dt>Need attention</dt><dd>0</dd>" in page
    OutboxRow.objects.update(state="blocked", cause_key="refused", cause={"code": "refused", "params": {}})
    attention = "Needs attention" if count == 1 else "Need attention"
    assert f"<dt>{attention}</dt><dd>{count:,}</dd>" in owner.get(reverse("integrations")).text
