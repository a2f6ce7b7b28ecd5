"""The port's suite for payments, and for taking invoices and payments back, over every provider."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from cone.accounting.port.documents import (
    AllocationDocument,
    Create,
    Delete,
    Document,
    InvoiceDocument,
    PaymentDocument,
    RemoteRecord,
    Void,
)
from cone.accounting.port.provider import BatchItem, Sent
from cone.accounting.port.verdicts import GoneError, RejectedError, StaleError
from cone.accounting.verify import expected_of, find_difference
from cone.kit.values import replace

from .platform import Connected
from .writing import a_customer, a_payment, an_invoice, send, take


async def read(connected: Connected, record: RemoteRecord) -> RemoteRecord:
    return await connected.client.read(connected.access, record.kind, record.remote_id)


async def sent_invoice(
    connected: Connected, *, of: InvoiceDocument | None = None
) -> tuple[InvoiceDocument, RemoteRecord]:
    document = await an_invoice(connected)
    if of is not None:
        document = replace(document, customer_id=of.customer_id)
    return document, (await send(connected, document)).record


async def sent_payment(connected: Connected) -> tuple[PaymentDocument, RemoteRecord, RemoteRecord]:
    """A payment of all of an invoice, that invoice, both as they stand there."""
    document, invoice = await sent_invoice(connected)
    payment = a_payment(connected, document.customer_id, document.total, (invoice.remote_id, document.total))
    record = (await send(connected, payment)).record
    return payment, record, await read(connected, invoice)


async def test_payment_of_two_invoices_applies_each_part_and_leaves_the_rest(connected: Connected) -> None:
    first, one = await sent_invoice(connected)
    second, two = await sent_invoice(connected, of=first)
    amount = first.total + Decimal("30.00")
    document = a_payment(
        connected, first.customer_id, amount, (one.remote_id, first.total), (two.remote_id, Decimal("20.00"))
    )

    record = (await send(connected, document)).record

    assert (record.kind, record.total, record.unapplied) == ("payment", amount, Decimal("10.00"))
    assert record.applied == document.allocations
    assert (record.number, record.marker, record.customer_id) == ("BACS 7", str(document.uuid), first.customer_id)
    assert record.deposit_account_id == document.deposit_account_id
    assert find_difference(expected_of(document), record) is None
    assert [(await read(connected, invoice)).balance for invoice in (one, two)] == [
        Decimal(0),
        second.total - Decimal("20.00"),
    ]
    assert (await read(connected, one)).payment_ids == (record.remote_id,)
    assert await connected.client.find(connected.access, document) == record
    assert await connected.client.find(connected.access, replace(document, uuid=first.uuid)) is None


async def test_payment_that_comes_and_goes_leaves_what_the_invoice_says(connected: Connected) -> None:
    """Its version moves, so that alone tells whether somebody has touched it meanwhile."""
    document, invoice = await sent_invoice(connected)
    payment = a_payment(connected, document.customer_id, document.total, (invoice.remote_id, document.total))
    paid_by = (await send(connected, payment)).record
    paid = await read(connected, invoice)
    await take(connected, Delete("payment", payment.uuid, 1, paid_by.remote_id, paid_by.version))
    freed = await read(connected, invoice)

    assert invoice.besides
    assert {each.besides for each in (invoice, paid, freed)} == {invoice.besides}
    assert len({each.version for each in (invoice, paid, freed)}) == 3


async def test_payment_on_account_is_all_unapplied(connected: Connected) -> None:
    invoice, _ = await sent_invoice(connected)
    document = a_payment(connected, invoice.customer_id, Decimal("75.00"))
    record = (await send(connected, document)).record
    assert (record.total, record.unapplied, record.applied) == (Decimal(75), Decimal(75), ())


async def test_edited_payment_replaces_all_its_parts(connected: Connected) -> None:
    document, record, invoice = await sent_payment(connected)
    _, other = await sent_invoice(connected, of=replace(await an_invoice(connected), customer_id=document.customer_id))
    moved = replace(
        document,
        amount=Decimal("50.00"),
        reference="BACS 8",
        allocations=(AllocationDocument(other.remote_id, Decimal("40.00")),),
    )
    updated = (await send(connected, moved, over=record)).record
    assert (updated.remote_id, updated.total, updated.unapplied) == (record.remote_id, Decimal(50), Decimal(10))
    assert (updated.applied, updated.number) == (moved.allocations, "BACS 8")
    assert updated.marker == str(document.uuid)
    assert (await read(connected, invoice)).payment_ids == ()
    freed = replace(moved, allocations=(), reference="")
    assert (await send(connected, freed, over=updated)).record.unapplied == Decimal(50)


async def test_payment_makes_the_invoices_version_old(connected: Connected) -> None:
    document, invoice = await sent_invoice(connected)
    await send(
        connected, a_payment(connected, document.customer_id, Decimal("1.00"), (invoice.remote_id, Decimal("1.00")))
    )
    changed = replace(document, memo="Changed")
    with pytest.raises(StaleError):
        await send(connected, changed, over=invoice)
    again = (await send(connected, changed, over=await read(connected, invoice))).record
    assert (again.remote_id, again.balance) == (invoice.remote_id, document.total - 1)


async def test_payment_of_more_than_is_owed_isnt_taken(connected: Connected) -> None:
    document, invoice = await sent_invoice(connected)
    payment = a_payment(connected, document.customer_id, document.total + 1, (invoice.remote_id, document.total + 1))
    with pytest.raises(RejectedError):
        await send(connected, payment)
    assert await connected.client.find(connected.access, payment) is None


async def test_same_payment_sent_twice_is_one(connected: Connected) -> None:
    document, invoice = await sent_invoice(connected)
    payment = a_payment(connected, document.customer_id, Decimal("5.00"), (invoice.remote_id, Decimal("5.00")))
    first = await send(connected, payment, key=f"once-{payment.uuid.hex}")
    assert (await send(connected, payment, key=f"once-{payment.uuid.hex}")).record == first.record
    assert (await read(connected, invoice)).balance == document.total - 5


async def test_void_payment_owes_its_invoice_again(connected: Connected) -> None:
    document, record, invoice = await sent_payment(connected)
    voided = await take(connected, Void("payment", document.uuid, 2, record.remote_id, record.version))
    assert (voided.standing, voided.total, voided.unapplied, voided.applied) == ("void", Decimal(0), Decimal(0), ())
    assert await read(connected, record) == voided
    assert (await read(connected, invoice)).balance == document.amount


async def test_deleted_payment_is_gone_and_owes_its_invoice_again(connected: Connected) -> None:
    document, record, invoice = await sent_payment(connected)
    step = Delete("payment", document.uuid, 2, record.remote_id, record.version)
    deleted = await take(connected, step)
    assert (deleted.kind, deleted.remote_id, deleted.standing) == ("payment", record.remote_id, "deleted")
    with pytest.raises(GoneError):
        await read(connected, record)
    with pytest.raises(GoneError):
        await take(connected, step)
    assert (await read(connected, invoice)).balance == document.amount


async def test_void_invoice_keeps_its_number_and_owes_nothing(connected: Connected) -> None:
    document, record = await sent_invoice(connected)
    voided = await take(connected, Void("invoice", document.uuid, 2, record.remote_id, record.version))
    assert (voided.standing, voided.number) == ("void", document.number)
    assert (voided.total, voided.tax, voided.balance) == (Decimal(0), Decimal(0), Decimal(0))
    assert await read(connected, record) == voided
    assert voided.version != record.version


async def test_deleted_invoice_is_gone(connected: Connected) -> None:
    document, record = await sent_invoice(connected)
    step = Delete("invoice", document.uuid, 2, record.remote_id, record.version)
    assert (await take(connected, step)).standing == "deleted"
    with pytest.raises(GoneError):
        await read(connected, record)
    with pytest.raises(GoneError):
        await take(connected, step)


async def test_old_version_is_neither_voided_nor_deleted(connected: Connected) -> None:
    document, record = await sent_invoice(connected)
    await send(connected, replace(document, memo="Changed"), over=record)
    for kind in (Void, Delete):
        with pytest.raises(StaleError):
            await take(connected, kind("invoice", document.uuid, 2, record.remote_id, record.version))
    assert (await read(connected, record)).standing == "live"


def test_payment_methods_have_names(connected: Connected) -> None:
    methods = connected.reference.payment_methods
    assert "Cash" in {method.name for method in methods}
    assert len({method.remote_id for method in methods}) == len(methods)


async def test_payments_travel_in_a_batch(connected: Connected) -> None:
    document, invoice = await sent_invoice(connected)
    parts = [Decimal("10.00"), Decimal("20.00")]
    payments = [a_payment(connected, document.customer_id, part, (invoice.remote_id, part)) for part in parts]
    items = [
        BatchItem(str(place), connected.provider.prepare(Create(payment), connected.facts))
        for place, payment in enumerate(payments, 1)
    ]
    outcomes = await connected.client.send_batch(
        connected.access,
        connected.provider.prepare_batch(items),
        request_id=str(uuid4()),
        kinds=dict.fromkeys(("1", "2"), "payment"),
    )
    sent = [outcome.record for outcome in outcomes.values() if isinstance(outcome, Sent)]
    assert [record.total for record in sent] == parts
    assert (await read(connected, invoice)).balance == document.total - 30


async def test_lost_payment_is_found_by_what_was_sent(connected: Connected) -> None:
    invoice, _ = await sent_invoice(connected)
    document = a_payment(connected, invoice.customer_id, Decimal("5.00"))
    request = connected.provider.prepare(Create(document), connected.facts)
    created = (await send(connected, document)).record
    await send(connected, replace(document, uuid=uuid4()))
    key = connected.provider.read_sent("payment", request)
    found = await connected.client.list_candidates(connected.access, key, sent_at=datetime.now(UTC))
    assert len(found) == 2
    assert [record.remote_id for record in found if record.marker == str(document.uuid)] == [created.remote_id]


async def test_what_was_sent_together_is_found_together_in_its_order(connected: Connected) -> None:
    invoice, created = await sent_invoice(connected)
    payment = a_payment(connected, invoice.customer_id, Decimal("5.00"))
    paid = (await send(connected, payment)).record
    customer = a_customer(connected)
    unsent = a_customer(connected)
    named = (await send(connected, customer)).record
    documents: list[Document] = [invoice, unsent, customer, payment]
    keys = [
        connected.provider.read_sent(each.kind, connected.provider.prepare(Create(each), connected.facts))
        for each in documents
    ]
    # One that isn't found by its number is asked for by customer and date, in a second request.
    keys.append(replace(keys[0], number="NOWHERE"))

    found = await connected.client.list_candidates_together(connected.access, keys, sent_at=datetime.now(UTC))

    assert [[record.remote_id for record in records] for records in found] == [
        [created.remote_id],
        [],
        [named.remote_id],
        [paid.remote_id],
        [created.remote_id],
    ]
