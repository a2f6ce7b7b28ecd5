"""Two services that one item could be, since one of them is archived or renamed: it's one's, and both know whose."""

from datetime import timedelta
from typing import Literal

import pytest
from django.utils import timezone

from cone.accounting.port.verdicts import Answered, OutcomeUnknownError
from cone.books.models import Attempt, Connection, Link, OutboxRow, Service
from cone.domain.services import ServiceInput
from cone.operations.actor import Actor
from cone.operations.archive_service import archive_service
from cone.operations.save_service import save_service
from tests.builders import make_service
from tests.fakes.ledger import FakeLedger, Sending

from .conftest import MakeWorker, hurry, is_settled, wait_until
from .test_items import FEES, advice, items
from .test_moving_items import bill

__all__ = ["advice"]

NO_ANSWER = OutcomeUnknownError(Answered(message="no answer"))


def lose_the_making(owner: Actor, ledger: FakeLedger, service: Service, *, commit: bool) -> None:
    """Bill a service and lose the answer to its item's create, which was made or refused there."""
    ledger.fail_next("service", NO_ANSWER, commit=commit)
    bill(owner, service)
    wait_until(lambda: Attempt.objects.filter(record_uuid=service.uuid, state="unknown", verdict="unknown").exists())


def put_off(service: Service, delay: timedelta) -> None:
    OutboxRow.objects.filter(record_uuid=service.uuid).update(not_before=timezone.now() + delay)


def waits_for(service: Service) -> bool:
    """Whether another service waits for it."""
    return OutboxRow.objects.filter(kind="service", waits_for_uuid=service.uuid).exists()


@pytest.mark.parametrize("sees", ["the older first", "the newer first", "the newer first, by its repeat"])
def test_item_is_one_services_of_two_whose_making_got_no_answer(
    owner: Actor,
    ledger: FakeLedger,
    make_worker: MakeWorker,
    advice: Service,
    sees: Literal["the older first", "the newer first", "the newer first, by its repeat"],
) -> None:
    """The newer one's was refused for the older one's item, which nobody heard either: looks show it to both."""

    async def see_from_the_repeat_on(_: Sending) -> None:
        if ledger.count_sends("service") == 2:
            ledger.looks_are_blind_for = timedelta()

    hurry(ledger, 1000)
    save_service(owner, ServiceInput("Advice"), uuid=advice.uuid, income_account_id=FEES)
    make_worker()
    lose_the_making(owner, ledger, advice, commit=True)
    if sees != "the older first":
        put_off(advice, timedelta(hours=1))
    if sees == "the newer first, by its repeat":
        ledger.looks_are_blind_for = None
    archive_service(owner, advice.uuid)
    again = make_service(owner, "Advice")
    # The lists were read before, so that this one goes without a look.
    Connection.objects.update(missing_items=["advice"])
    lose_the_making(owner, ledger, again, commit=False)
    ledger.before_send = see_from_the_repeat_on
    if sees != "the older first":
        wait_until(lambda: Link.objects.filter(kind="service").exists() or waits_for(advice))
        put_off(advice, timedelta())

    wait_until(lambda: len(ledger.records("invoice")) == 2 and is_settled(owner), seconds=30)
    assert items(ledger) == {"Advice": FEES}
    links = Link.objects.filter(kind="service", remote_id=ledger.records("service")[0].remote_id)
    assert dict(links.values_list("record_uuid", "is_made_here")) == {advice.uuid: True, again.uuid: False}
