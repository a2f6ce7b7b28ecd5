"""The in-memory ledger fails as ordered: engine tests rest on it."""

from datetime import date

import pytest

from cone.accounting.port.verdicts import (
    CauseCode,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    StaleError,
    TryLaterError,
)
from tests.fakes.ledger import FakeLedger, FakeLedgerClient, Sending

from .platform import Connected, GrantedAccess
from .writing import a_customer, an_invoice, send


async def connected_to(ledger: FakeLedger) -> Connected:
    client = FakeLedgerClient(ledger)
    back = ledger.read_return(ledger.sign_in())
    access = GrantedAccess(client, await client.exchange_code(code=back.code, redirect_uri=""), back.company_id)
    facts = await client.read_company(access)
    return Connected(ledger, client, access, facts, await client.read_reference(access, facts))


async def test_ordered_failure_is_raised_once_without_the_work() -> None:
    ledger = FakeLedger()
    connected = await connected_to(ledger)
    ledger.fail_next("customer", TryLaterError())
    with pytest.raises(TryLaterError):
        await send(connected, a_customer(connected))
    assert (ledger.count_sends("customer"), ledger.records("customer")) == (1, [])
    await send(connected, a_customer(connected))
    assert len(ledger.records("customer")) == 1


async def test_ordered_failure_with_commit_leaves_the_work_done_and_replays_it() -> None:
    ledger = FakeLedger()
    connected = await connected_to(ledger)
    document = a_customer(connected)
    ledger.fail_next("customer", OutcomeUnknownError(), commit=True, times=2)
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError):
            await send(connected, document, key="same")
    await send(connected, document, key="same")
    assert len(ledger.records("customer")) == 1
    assert ledger.count_sends("customer") == 3
    assert len({sending.request.body for sending in ledger.sent}) == 1


async def test_ledger_that_forgets_request_ids_writes_again() -> None:
    ledger = FakeLedger()
    ledger.memory.is_kept = False
    connected = await connected_to(ledger)
    document = a_customer(connected)
    await send(connected, document, key="same")
    with pytest.raises(RejectedError) as caught:
        await send(connected, document, key="same")
    assert caught.value.cause == CauseCode.NAME_TAKEN


async def test_hooks_see_each_send_before_and_after_its_work() -> None:
    ledger = FakeLedger()
    connected = await connected_to(ledger)
    seen: list[tuple[str, int]] = []

    async def before(sending: Sending) -> None:
        seen.append((sending.kind, len(ledger.records("customer"))))

    ledger.before_send = ledger.after_send = before
    await send(connected, a_customer(connected))
    assert seen == [("customer", 0), ("customer", 1)]


async def test_what_happens_there_is_noticed() -> None:
    ledger = FakeLedger()
    connected = await connected_to(ledger)
    created = (await send(connected, a_customer(connected))).record
    ledger.edit_there("customer", created.remote_id)
    with pytest.raises(StaleError):
        await send(connected, a_customer(connected), over=created)
    document = await an_invoice(connected)
    ledger.close_books(date(2026, 12, 31))
    with pytest.raises(RejectedError) as caught:
        await send(connected, document)
    assert caught.value.cause == CauseCode.PERIOD_CLOSED
    ledger.expire_access()
    await connected.client.read(connected.access, "customer", created.remote_id)
    assert connected.access.renewals == 1
    ledger.disconnect_there()
    with pytest.raises(ReconnectError):
        await connected.client.read(connected.access, "customer", created.remote_id)
