"""Invoices kept in mind: planned once all that they refer to has arrived, let go when some of it doesn't come."""

from uuid import UUID

from cone.accounting.plan.decisions import Send, WaitFor
from cone.accounting.plan.next_step import plan
from cone.accounting.port.documents import Create, InvoiceDocument, RemoteRecord
from cone.accounting.records import Reference, Subject
from cone.accounting.waiting import Expecting, Waiting, can_expect
from cone.kit.values import replace
from tests.unit.accounting.builders import CUSTOMER, ISSUED, NAMED, SERVICE, ready, subject

THE_CUSTOMER: Reference = ("customer", CUSTOMER)
THE_SERVICE: Reference = ("service", SERVICE)
SOMEBODY: Reference = ("customer", UUID(int=5))
BARE = ready(linked={})


def invoice(row_id: int) -> Subject:
    waits = subject(ISSUED)
    return replace(waits, row=replace(waits.row, id=row_id, is_in_scope=True))


def expecting(row_id: int, *references: Reference) -> Expecting:
    return Expecting(invoice(row_id), frozenset(references))


def there(reference: Reference, remote_id: str, currency: str = "") -> dict[Reference, RemoteRecord]:
    return {reference: RemoteRecord(kind=reference[0], remote_id=remote_id, version="0", currency=currency)}


def test_invoice_is_taken_once_all_has_arrived_and_can_be_sent() -> None:
    waiting = Waiting()
    waiting.add([expecting(1, THE_CUSTOMER, THE_SERVICE), expecting(2, SOMEBODY)], BARE)

    assert waiting.take_arrived(there(THE_CUSTOMER, "58", "GBP")) == []
    ((taken, situation),) = waiting.take_arrived(there(THE_SERVICE, "12"))

    assert taken.row.id == 1
    assert situation.linked == {THE_CUSTOMER: "58", THE_SERVICE: "12"}
    assert situation.customer_currencies == {CUSTOMER: "GBP"}
    decision = plan(taken, situation)
    assert isinstance(decision, Send)
    assert isinstance(decision.step, Create)
    assert isinstance(decision.step.document, InvoiceDocument)
    assert decision.step.document.customer_id == "58"
    assert waiting.row_ids() == [2]


def test_links_of_one_look_are_kept_for_the_other() -> None:
    waiting = Waiting()
    waiting.add([expecting(1, THE_CUSTOMER)], BARE)
    waiting.add([expecting(2, THE_CUSTOMER)], ready(linked={THE_SERVICE: "12"}))

    taken = waiting.take_arrived(there(THE_CUSTOMER, "58"))

    assert [one.row.id for one, _ in taken] == [1, 2]
    assert [situation.linked for _, situation in taken] == [
        {THE_CUSTOMER: "58"},
        {THE_CUSTOMER: "58", THE_SERVICE: "12"},
    ]
    assert len(waiting) == 0


def test_invoice_of_an_item_that_was_about_to_move_is_for_the_next_look() -> None:
    waiting = Waiting()
    moving = ready(linked={THE_CUSTOMER: "58", THE_SERVICE: "12"}, moving_items={SERVICE: SERVICE})
    waiting.add([expecting(1, THE_SERVICE)], moving)

    ((taken, situation),) = waiting.take_arrived(there(THE_SERVICE, "12"))

    assert plan(taken, situation) == WaitFor("service", SERVICE, until="settled")
    assert len(waiting) == 0


def test_what_does_not_come_lets_go_of_those_that_wait_for_it_alone() -> None:
    waiting = Waiting()
    waiting.add([expecting(1, THE_CUSTOMER), expecting(2, SOMEBODY)], BARE)

    assert not waiting.forget([THE_SERVICE])
    assert waiting.forget([THE_CUSTOMER])
    assert waiting.row_ids() == [2]


def test_cleared_queue_expects_nothing() -> None:
    waiting = Waiting()
    waiting.add([expecting(1, THE_CUSTOMER)], BARE)

    waiting.clear()

    assert (len(waiting), waiting.row_ids()) == (0, [])
    assert waiting.take_arrived(there(THE_CUSTOMER, "58")) == []


def test_only_invoices_can_be_planned_as_they_were_read() -> None:
    assert can_expect(subject(ISSUED))
    assert not can_expect(subject(NAMED))
    assert not can_expect(subject(None))
