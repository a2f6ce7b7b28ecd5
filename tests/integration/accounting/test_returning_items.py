"""Items after a return to their company: they follow what changed of their services while nothing was connected."""

import pytest
from django.utils import timezone

from cone.books.models import Link, OutboxRow, Service
from cone.domain.services import ServiceInput
from cone.operations.actor import Actor
from cone.operations.archive_service import archive_service
from cone.operations.disconnect_provider import disconnect_provider
from cone.operations.save_service import save_service
from tests.builders import make_service
from tests.fakes.ledger import INCOME, FakeLedger

from .conftest import MakeWorker, configure, connect, is_settled, wait_until
from .test_items import FEES, advice, invoice_for, items
from .test_moving_items import Post, bill, post, send_another
from .test_shared_items import upgrading

__all__ = ["advice", "post"]


def come_back(owner: Actor, ledger: FakeLedger) -> None:
    connect(owner, ledger)
    configure(owner)


def test_item_whose_service_was_renamed_meanwhile_isnt_taken_for_a_new_one_of_its_former_name(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    """Its lines would stand under the other one's new name, with the next change of that."""
    bill(owner, advice)
    worker = make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    worker.stop()
    disconnect_provider(owner)
    save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid)
    again = make_service(owner, "Advice")
    come_back(owner, ledger)
    bill(owner, again)

    make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    assert items(ledger) == {"Counsel": INCOME, "Advice": INCOME}


def test_item_moves_to_the_account_that_is_chosen_after_the_return_and_lines_wait_for_it(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service, post: Post
) -> None:
    """Its own account was a setting, and went with the others. What stands where it should isn't told again.

    Of one that an older version made nobody knows where it stands.
    """
    audit = save_service(owner, ServiceInput("Audit"), income_account_id=FEES)
    counsel = save_service(owner, ServiceInput("Counsel"), income_account_id=FEES)
    for service in (advice, audit, counsel):
        bill(owner, service)
    worker = make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 3 and is_settled(owner))
    worker.stop()
    assert items(ledger) == {"Advice": INCOME, "Audit": FEES, "Counsel": FEES}
    Link.objects.filter(record_uuid=counsel.uuid).update(answer={})
    disconnect_provider(owner)
    come_back(owner, ledger)
    assert set(OutboxRow.objects.values_list("record_uuid", flat=True)) == {audit.uuid, counsel.uuid}

    invoice_for(owner, audit, counsel)
    ledger.before_send = post
    make_worker()
    assert post.held.is_asked.wait(10)
    send_another(owner, ledger)
    assert not post.posted
    post.held.is_released.set()
    wait_until(lambda: len(ledger.records("invoice")) == 4 and is_settled(owner))
    assert post.posted == [{"Advice": INCOME, "Audit": INCOME, "Counsel": INCOME}]


def test_item_that_was_found_stays_as_it_is_after_the_return(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service
) -> None:
    bill(owner, advice)
    worker = make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    worker.stop()
    Link.objects.filter(kind="service").update(is_made_here=False)
    disconnect_provider(owner)
    save_service(owner, ServiceInput("Counsel"), uuid=advice.uuid)
    come_back(owner, ledger)
    assert not OutboxRow.objects.exists()


@pytest.mark.parametrize("name", ["Advice", "Counsel"])
def test_item_that_two_took_for_theirs_is_told_anew_after_the_return_where_nothing_was_connected_at_the_upgrade(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker, advice: Service, post: Post, name: str
) -> None:
    bill(owner, advice)
    worker = make_worker()
    wait_until(lambda: len(ledger.records("invoice")) == 1 and is_settled(owner))
    archive_service(owner, advice.uuid)
    again = make_service(owner, "Advice")
    bill(owner, again)
    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner))
    with upgrading():
        Link.objects.filter(record_uuid=again.uuid).update(is_made_here=True, linked_at=timezone.now())
        save_service(owner, ServiceInput(name), uuid=again.uuid, income_account_id=FEES)
        wait_until(lambda: items(ledger) == {name: FEES} and is_settled(owner))
        worker.stop()
        disconnect_provider(owner)
    assert list(OutboxRow.objects.values_list("record_uuid", flat=True)) == [advice.uuid]

    come_back(owner, ledger)
    ledger.before_send = post
    bill(owner, again)
    make_worker()
    assert post.held.is_asked.wait(10)
    send_another(owner, ledger)
    send_another(owner, ledger)
    assert not post.posted
    post.held.is_released.set()
    wait_until(lambda: len(ledger.records("invoice")) == 3 and is_settled(owner))
    assert items(ledger) == {"Advice": INCOME, name: INCOME}
    assert post.posted == [items(ledger)]
