"""A record that waits for another, that one for a third, and so on to one that needs attention: everywhere one way."""

from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cone.accounting.causes import list_cause_cards
from cone.accounting.sql.standing import LONGEST_WAY
from cone.accounting.states import sync_states
from cone.accounting.values import SyncState
from cone.books.models import OutboxRow, RemoteCompany
from cone.operations.actor import Actor
from cone.operations.sync_now import sync_record
from tests.builders import make_customer
from tests.fakes.ledger import FakeLedger

from .conftest import configure, connect


def make_way(company: RemoteCompany, first: UUID, steps: int) -> UUID:
    """Rows that wait for each other, from this customer's to a blocked one's, which is returned."""
    uuids = [first, *(uuid4() for _ in range(steps))]
    OutboxRow.objects.filter(record_uuid=first).delete()
    for uuid, awaited in pairwise(uuids):
        OutboxRow.objects.create(
            company=company,
            kind="customer",
            record_uuid=uuid,
            wanted_revision=1,
            waits_for_kind="customer",
            waits_for_uuid=awaited,
        )
    OutboxRow.objects.create(
        company=company,
        kind="customer",
        record_uuid=uuids[-1],
        wanted_revision=1,
        state="blocked",
        cause_key=f"refused:{uuids[-1]}",
        cause={"code": "refused", "params": {}},
    )
    return uuids[-1]


def test_sync_now_finds_what_needs_attention_in_one_query_however_far_off(owner: Actor, ledger: FakeLedger) -> None:
    active = connect(owner, ledger)
    configure(owner)
    counts = []
    for steps in (1, 5):
        customer = make_customer(owner, f"{steps} & Co")
        blocked = make_way(active.company, customer.uuid, steps)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            sync_record(owner, "customer", customer.uuid)
        counts.append(len(queries))
        assert OutboxRow.objects.get(record_uuid=blocked).state == "due"
    assert counts[0] == counts[1]


@pytest.mark.parametrize("is_too_far", [False, True])
def test_card_and_page_agree_how_far_off_the_reason_may_be(
    owner: Actor, ledger: FakeLedger, *, is_too_far: bool
) -> None:
    active = connect(owner, ledger)
    configure(owner)
    customer = make_customer(owner)
    make_way(active.company, customer.uuid, LONGEST_WAY + is_too_far)
    [card] = list_cause_cards(owner.workspace.pk)
    # All on the way, the blocked one among them.
    assert card.count == LONGEST_WAY + 1
    state = sync_states(owner.workspace.pk, "customer", [customer.uuid])[customer.uuid]
    assert (state is SyncState.NEEDS_ATTENTION) is not is_too_far
