"""Tokens: refreshed once however many ask, never resurrected, never readable in the database."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import psycopg
import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import connections
from django.db.models.functions import Now

from cone.accounting.port.company import TokenGrant
from cone.accounting.port.verdicts import Answered, ReconnectError, TryLaterError
from cone.accounting.states import sync_states
from cone.accounting.tokens import StoredAccess
from cone.accounting.values import SyncState
from cone.books.models import Attempt, Connection, ConnectionTokens, TaxMapping
from cone.operations.actor import Actor
from cone.operations.disconnect_provider import disconnect_provider
from cone.operations.refresh_reference import SignInNeededError, refresh_reference
from tests.builders import make_customer, make_invoice
from tests.fakes.ledger import FakeLedger, FakeLedgerClient
from tests.integration.accounting.conftest import MakeWorker, configure, connect, is_settled, wait_until
from tests.integration.accounting.database import conninfo

pytestmark = pytest.mark.django_db(transaction=True)
Result = TypeVar("Result")


class SlowClient(FakeLedgerClient):
    """Takes its time to refresh."""

    def __init__(self, ledger: FakeLedger) -> None:
        super().__init__(ledger)
        self.is_asked = threading.Event()

    async def refresh(self, refresh_token: str) -> TokenGrant:
        self.is_asked.set()
        await asyncio.sleep(0.2)
        return await super().refresh(refresh_token)


def access_of(active: Connection, client: FakeLedgerClient) -> StoredAccess:
    return StoredAccess(connection_id=active.pk, company_id=active.company_id_remote, client=client)


def expire() -> None:
    """The stored access token ends in a minute: too soon to leave with."""
    ConnectionTokens.objects.update(access_expires_at=Now() + timedelta(minutes=1))


def run(work: Callable[[], Awaitable[Result]]) -> Result:
    """Run on an event loop of its own."""

    async def started() -> Result:
        return await work()

    return asyncio.run(started())


def in_threads(*works: Callable[[], object]) -> list[object]:
    """Run all at once; their results or errors, in order."""
    results: list[object] = [None] * len(works)

    def one(place: int) -> None:
        try:
            results[place] = works[place]()
        except (ReconnectError, TryLaterError) as error:
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


def test_many_who_ask_at_once_refresh_once(owner: Actor, ledger: FakeLedger) -> None:
    active = connect(owner, ledger)
    expire()

    def ask() -> list[str]:
        shared = access_of(active, SlowClient(ledger))  # one lane: eight requests over one access
        alone = access_of(active, SlowClient(ledger))  # a page's request

        async def all_of_them() -> list[str]:
            return list(await asyncio.gather(*(shared.token() for _ in range(8)), alone.token()))

        return run(all_of_them)

    first, second = in_threads(ask, ask)
    assert ledger.calls.count("refresh") == 1
    assert isinstance(first, list)
    assert set(first) == {"access-3"}
    assert first == second
    assert ConnectionTokens.objects.get().generation == 2


def test_token_refused_by_the_provider_is_renewed_once_for_all(owner: Actor, ledger: FakeLedger) -> None:
    active = connect(owner, ledger)

    def ask() -> str:
        access = access_of(active, SlowClient(ledger))
        return run(lambda: access.renew(rejected="access-2"))

    assert in_threads(ask, ask, ask) == ["access-3"] * 3
    assert ledger.calls.count("refresh") == 1


def test_refresh_in_flight_cannot_resurrect_what_was_disconnected(owner: Actor, ledger: FakeLedger) -> None:
    active = connect(owner, ledger)
    expire()
    client = SlowClient(ledger)

    def leave() -> None:
        assert client.is_asked.wait(5)
        disconnect_provider(owner)

    in_threads(lambda: run(access_of(active, client).token), leave)
    assert ConnectionTokens.objects.count() == 0
    # The newest token is the one that's revoked, whichever came first.
    assert ledger.revoked == ["refresh-3"]
    assert ledger.company_of("access-3") is None
    with pytest.raises(ReconnectError):
        run(access_of(active, client).token)


def test_lost_refresh_answer_is_asked_for_once_more_with_the_same_token(owner: Actor, ledger: FakeLedger) -> None:
    active = connect(owner, ledger)
    expire()
    ledger.fail_next("refresh", TryLaterError(Answered(message="no answer")))
    assert run(access_of(active, FakeLedgerClient(ledger)).token) == "access-3"
    assert ledger.calls.count("refresh") == 2

    expire()
    before = ConnectionTokens.objects.values().get()
    ledger.fail_next("refresh", TryLaterError(Answered(message="no answer")), times=2)
    with pytest.raises(TryLaterError):
        run(access_of(active, FakeLedgerClient(ledger)).token)
    assert ConnectionTokens.objects.values().get() == before


def test_m09_dead_grant_needs_a_person_and_everything_waits(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    ledger.disconnect_there()
    invoice = make_invoice(owner, is_issued=True)
    wait_until(lambda: Connection.objects.get().state == "needs_reconnect")
    edited = make_customer(owner, "Another")

    assert sync_states(owner.workspace.pk, "invoice", [invoice.uuid]) == {invoice.uuid: SyncState.WAITING}
    assert sync_states(owner.workspace.pk, "customer", [edited.uuid]) == {edited.uuid: SyncState.WAITING}
    assert ledger.records("customer") == []
    with pytest.raises(SignInNeededError):
        refresh_reference(owner)
    mappings = list(TaxMapping.objects.values())

    connect(owner, ledger)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    assert (len(ledger.records("customer")), len(ledger.records("invoice"))) == (2, 1)
    assert list(TaxMapping.objects.values()) == mappings
    assert Attempt.objects.filter(state="unknown").count() == 0


def test_access_that_ended_early_is_refreshed_once_and_sending_goes_on(
    owner: Actor, ledger: FakeLedger, make_worker: MakeWorker
) -> None:
    make_worker()
    connect(owner, ledger)
    configure(owner)
    make_invoice(owner, is_issued=True)
    wait_until(lambda: ledger.records("invoice") and is_settled(owner))
    ledger.expire_access()
    for number in range(5):
        make_customer(owner, f"Customer {number}")
    wait_until(lambda: len(ledger.records("customer")) == 6 and is_settled(owner))
    assert ledger.calls.count("refresh") == 1
    assert Attempt.objects.exclude(state="succeeded").count() == 0


def test_tokens_are_unreadable_in_the_database_and_survive_a_rotation_of_keys(
    owner: Actor, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    active = connect(owner, ledger)
    with (
        psycopg.connect(conninfo()) as reader,
        reader.cursor() as cursor,
        cursor.copy("copy books_connectiontokens to stdout") as copy,
    ):
        dump = b"".join(bytes(block) for block in copy)
    stored = ConnectionTokens.objects.get()
    for secret in (b"access-2", b"refresh-2"):
        assert secret.hex().encode() not in dump
        assert secret not in bytes(stored.access_token) + bytes(stored.refresh_token)

    old, new = settings.TOKEN_KEYS, Fernet.generate_key().decode()
    monkeypatch.setattr(settings, "TOKEN_KEYS", [new, *old])
    assert run(access_of(active, FakeLedgerClient(ledger)).token) == "access-2"
    expire()
    assert run(access_of(active, FakeLedgerClient(ledger)).token) == "access-3"
    # What was written since is under the new key alone.
    monkeypatch.setattr(settings, "TOKEN_KEYS", [new])
    assert run(access_of(active, FakeLedgerClient(ledger)).token) == "access-3"
    monkeypatch.setattr(settings, "TOKEN_KEYS", [Fernet.generate_key().decode()])
    with pytest.raises(ReconnectError, match="key file"):
        run(access_of(active, FakeLedgerClient(ledger)).token)
