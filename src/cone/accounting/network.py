"""Talking to a provider from a page's request: a client for one use, over the same tokens and the same rules."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

from asgiref.sync import async_to_sync

from cone.accounting.budget import Budget, CompanyKey, PacedAccess, TokenSource
from cone.accounting.database import Database, LockNotAvailableError
from cone.accounting.port.company import CompanyFacts, Reference, TokenGrant
from cone.accounting.port.provider import Access, Provider, ProviderClient
from cone.accounting.port.verdicts import Answered, TryLaterError
from cone.accounting.reference import list_item_names
from cone.accounting.tokens import GrantedAccess, StoredAccess, own_connection
from cone.books.models import Connection

Result = TypeVar("Result")

# A person is waiting for the page.
_LONGEST_TURN = timedelta(seconds=20)

_TRY_PLACE = "select pg_try_advisory_lock(hashtextextended(%(key)s, %(place)s)) as taken"
_WAIT_FOR_PLACE = "select pg_advisory_lock(hashtextextended(%(key)s, %(place)s))"


def run(work: Callable[[], Awaitable[Result]]) -> Result:
    """Run network work from synchronous code, on an event loop of its own."""
    return async_to_sync(work)()


def exchange_and_read(
    provider: Provider, *, code: str, company_id: str, redirect_uri: str, item_names: Sequence[str]
) -> tuple[TokenGrant, CompanyFacts, Reference]:
    """Trade the code and read the company with the fresh grant. Raises AuthorizationRefusedError and verdicts."""

    async def work() -> tuple[TokenGrant, CompanyFacts, Reference]:
        async with provider.open() as client:
            grant = await client.exchange_code(code=code, redirect_uri=redirect_uri)
            environment = provider.availability().environment or ""
            tokens = GrantedAccess(company_id=company_id, grant=grant)
            async with _paced(provider, environment, tokens) as access:
                facts, reference = await client.read_books(access, item_names=item_names)
            return grant, facts, reference

    return run(work)


@asynccontextmanager
async def open_stored(provider: Provider, active: Connection) -> AsyncIterator[tuple[ProviderClient, Access]]:
    """A client and the stored access of a connection."""
    async with provider.open() as client:
        tokens = StoredAccess(connection_id=active.pk, company_id=active.company_id_remote, client=client)
        async with _paced(provider, active.environment, tokens) as access:
            yield client, access


@asynccontextmanager
async def _paced(provider: Provider, environment: str, tokens: TokenSource) -> AsyncIterator[PacedAccess]:
    """A page's access: its requests take their turns with the lane's, one page at a time of the two that may ask.

    A lane keeps at most eight of the ten requests that a platform takes at once.
    """
    company = CompanyKey(provider.key, environment, tokens.company_id)
    budget = Budget(company=company, limits=provider.limits, database=own_connection)
    async with own_connection() as database:
        await _hold_place(database, company)
        yield PacedAccess(tokens, budget, longest=_LONGEST_TURN)


async def _hold_place(database: Database, company: CompanyKey) -> None:
    """Take one of the company's two places for pages; it's free again when the connection is closed."""
    key = f"{company.provider} {company.environment} {company.company_id}"
    for place in (1, 2):
        cursor = await database.execute(_TRY_PLACE, {"key": key, "place": place})
        row = await cursor.fetchone()
        if row and row["taken"]:
            return
    try:
        await database.execute(f"set lock_timeout = '{_LONGEST_TURN.seconds}s'")
        await database.execute(_WAIT_FOR_PLACE, {"key": key, "place": 1})
    except LockNotAvailableError as error:
        message = "Others are reading this company's books just now; try again in a moment."
        raise TryLaterError(Answered(message=message)) from error


def read_books_again(provider: Provider, active: Connection) -> tuple[CompanyFacts, Reference]:
    """Facts and reference lists as they are now. Raises verdicts."""
    item_names = list_item_names(active.workspace_id)

    async def work() -> tuple[CompanyFacts, Reference]:
        async with open_stored(provider, active) as (client, access):
            return await client.read_books(access, item_names=item_names)

    return run(work)


def revoke(provider: Provider, token: str) -> None:
    """End a grant. Raises verdicts."""

    async def work() -> None:
        async with provider.open() as client:
            await client.revoke(token)

    run(work)
