"""Batches through the port: each item by its own answer, a repeat of the whole executes nothing again."""

from uuid import uuid4

from cone.accounting.port.documents import Create, Document, RemoteRecord, Update
from cone.accounting.port.provider import BatchItem, Sent
from cone.accounting.port.verdicts import CauseCode, RejectedError
from cone.kit.values import replace

from .platform import Connected
from .writing import a_customer, an_invoice, send


def as_items(connected: Connected, *steps: Create | Update) -> list[BatchItem]:
    return [
        BatchItem(str(place), connected.provider.prepare(step, connected.facts)) for place, step in enumerate(steps, 1)
    ]


async def send_batch(
    connected: Connected, items: list[BatchItem], documents: list[Document], *, request_id: str = ""
) -> list[object]:
    outcomes = await connected.client.send_batch(
        connected.access,
        connected.provider.prepare_batch(items),
        request_id=request_id or str(uuid4()),
        kinds={item.key: document.kind for item, document in zip(items, documents, strict=True)},
    )
    return [outcomes.get(item.key) for item in items]


async def test_items_succeed_and_fail_alone(connected: Connected) -> None:
    first, third = a_customer(connected), a_customer(connected)
    taken = replace(a_customer(connected), name=first.name)
    invoice = await an_invoice(connected)
    documents: list[Document] = [first, taken, third, invoice]

    made, refused, also_made, billed = await send_batch(
        connected, as_items(connected, *(Create(document) for document in documents)), documents
    )

    assert isinstance(made, Sent)
    assert isinstance(also_made, Sent)
    assert isinstance(billed, Sent)
    assert (made.record.name, also_made.record.name) == (first.name, third.name)
    assert (billed.record.number, billed.record.total) == (invoice.number, invoice.total)
    assert isinstance(refused, RejectedError)
    assert refused.cause is CauseCode.NAME_TAKEN


async def test_same_batch_sent_twice_makes_nothing_twice(connected: Connected) -> None:
    documents: list[Document] = [a_customer(connected), await an_invoice(connected)]
    items = as_items(connected, *(Create(document) for document in documents))
    assert connected.provider.prepare_batch(items) == connected.provider.prepare_batch(items)
    request_id = str(uuid4())

    first = await send_batch(connected, items, documents, request_id=request_id)
    second = await send_batch(connected, items, documents, request_id=request_id)

    assert [records_of(first), records_of(first)] == [records_of(first), records_of(second)]


async def test_updates_travel_in_batches_too(connected: Connected) -> None:
    document = a_customer(connected)
    created = (await send(connected, document)).record
    renamed = replace(document, name=f"Renamed {uuid4()}")

    (outcome,) = await send_batch(
        connected, as_items(connected, Update(renamed, created.remote_id, created.version)), [renamed]
    )

    assert isinstance(outcome, Sent)
    assert (outcome.record.remote_id, outcome.record.name) == (created.remote_id, renamed.name)


async def test_full_batch_is_taken(connected: Connected) -> None:
    documents: list[Document] = [a_customer(connected) for _ in range(connected.provider.largest_batch)]

    outcomes = await send_batch(connected, as_items(connected, *(Create(each) for each in documents)), documents)

    assert len(records_of(outcomes)) == connected.provider.largest_batch


async def test_every_request_takes_a_turn_of_the_budget(connected: Connected) -> None:
    before = connected.access.turns
    documents: list[Document] = [a_customer(connected)]
    await send_batch(connected, as_items(connected, Create(documents[0])), documents)
    await connected.client.find(connected.access, documents[0])

    assert connected.access.turns - before == 2


def records_of(outcomes: list[object]) -> list[RemoteRecord]:
    return [outcome.record for outcome in outcomes if isinstance(outcome, Sent)]
