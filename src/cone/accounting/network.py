"""Talking to a provider from a page's request: a client for one use, over the same tokens and the same rules."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from asgiref.sync import async_to_sync

from cone.accounting.port.company import CompanyFacts, Reference, TokenGrant
from cone.accounting.port.provider import Access, Provider, ProviderClient
from cone.accounting.tokens import GrantedAccess, StoredAccess
from cone.books.models import Connection

Result = TypeVar("Result")


def run(work: Callable[[], Awaitable[Result]]) -> Result:
    """Run network work from synchronous code, on an event loop of its own."""
    return async_to_sync(work)()


async def read_books(client: ProviderClient, access: Access) -> tuple[CompanyFacts, Reference]:
    """The company's facts and reference lists. Raises verdicts."""
    facts = await client.read_company(access)
    return facts, await client.read_reference(access, facts)


def exchange_and_read(
    provider: Provider, *, code: str, company_id: str, redirect_uri: str
) -> tuple[TokenGrant, CompanyFacts, Reference]:
    """Trade the code and read the company with the fresh grant. Raises AuthorizationRefusedError and verdicts."""

    async def work() -> tuple[TokenGrant, CompanyFacts, Reference]:
        async with provider.open() as client:
            grant = await client.exchange_code(code=code, redirect_uri=redirect_uri)
            facts, reference = await read_books(client, GrantedAccess(company_id=company_id, grant=grant))
            return grant, facts, reference

    return run(work)


@asynccontextmanager
async def open_stored(provider: Provider, active: Connection) -> AsyncIterator[tuple[ProviderClient, Access]]:
    """A client and the stored access of a connection."""
    async with provider.open() as client:
        yield (
            client,
            StoredAccess(connection_id=active.pk, company_id=active.company_id_remote, client=client),
        )


def read_books_again(provider: Provider, active: Connection) -> tuple[CompanyFacts, Reference]:
    """Facts and reference lists as they are now. Raises verdicts."""

    async def work() -> tuple[CompanyFacts, Reference]:
        async with open_stored(provider, active) as (client, access):
            return await read_books(client, access)

    return run(work)


def revoke(provider: Provider, token: str) -> None:
    """End a grant. Raises verdicts."""

    async def work() -> None:
        async with provider.open() as client:
            await client.revoke(token)

    run(work)
