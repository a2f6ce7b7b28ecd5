"""The right to talk to one company: tokens read, refreshed single-flight, and given to the provider's client.

Refreshing happens behind the lock of the token row, in web pages and workers alike: two refreshes of one token at once
can kill the connection (api: the loser's reuse may revoke the winner's token). The new refresh token is committed
*before* the access token is used, and only where the generation is still the one that was read, so that a refresh in
flight can't resurrect a connection that was ended or replaced meanwhile.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from cone.accounting.database import Database, connect
from cone.accounting.keyring import KeyMissingError, seal, unseal
from cone.accounting.port.company import TokenGrant
from cone.accounting.port.provider import ProviderClient
from cone.accounting.port.verdicts import Answered, ReconnectError, TryLaterError

# Refreshed this long before its end, so that a request never leaves with a token that ends on the way.
_EARLY = timedelta(minutes=2)

_READ = """
select access_token, refresh_token, generation,
       extract(epoch from access_expires_at - now())::int as seconds_left
from books_connectiontokens where connection_id = %(connection)s
"""

_STORE = """
update books_connectiontokens
set access_token = %(access)s, refresh_token = %(refresh)s, access_expires_at = now() + %(access_lifetime)s,
    refresh_expires_at = now() + %(refresh_lifetime)s, refreshed_at = now(), generation = generation + 1
where connection_id = %(connection)s and generation = %(generation)s
returning 1
"""

Connect: TypeAlias = Callable[[], AbstractAsyncContextManager[Database]]


@asynccontextmanager
async def own_connection() -> AsyncIterator[Database]:
    """A connection for one use, where there is no pool (a web page's request)."""
    database = await connect()
    try:
        yield database
    finally:
        await database.close()


@dataclass(frozen=True, slots=True)
class GrantedAccess:
    """Access by a grant that isn't stored yet: for the first reads while connecting. It can't be renewed."""

    company_id: str
    grant: TokenGrant

    async def token(self) -> str:
        return self.grant.access_token

    async def renew(self, *, rejected: str) -> str:  # noqa: ARG002  # a fresh grant that is refused is dead
        raise ReconnectError(Answered(message="The new sign-in was refused straight away."))


class StoredAccess:
    """Access by the stored tokens of one connection; keeps the token in memory until shortly before its end."""

    def __init__(
        self,
        *,
        connection_id: int,
        company_id: str,
        client: ProviderClient,
        database: Connect = own_connection,
        refreshing: Connect = own_connection,
    ) -> None:
        self.company_id = company_id
        self._connection_id = connection_id
        self._client = client
        self._database = database
        self._refreshing = refreshing
        self._cached: tuple[str, int] | None = None
        # In this process one of us waits for the row's lock and the others for that one: a slow refresh then holds a
        # single connection, and never one of a pool that other companies need.
        self._turn = asyncio.Lock()

    async def token(self) -> str:
        """The access token, refreshed when it's about to end. Raises ReconnectError, TryLaterError."""
        return self._find_cached() or await self._read_or_refresh(rejected=None)

    async def renew(self, *, rejected: str) -> str:
        """A token other than `rejected`. Raises ReconnectError, TryLaterError."""
        self._cached = None
        return await self._read_or_refresh(rejected=rejected)

    def _find_cached(self) -> str | None:
        return self._cached[0] if self._cached and time.monotonic_ns() < self._cached[1] else None

    async def _read_or_refresh(self, *, rejected: str | None) -> str:
        async with self._turn:
            if rejected is None and (token := self._find_cached()):
                # Another slot has read it while this one waited for its turn.
                return token
            async with self._database() as database:
                usable = await self._usable(database, rejected)
            if usable is None:
                async with self._refreshing() as database, database.transaction():
                    # The lock: whoever refreshed while we waited for it has left a token we can use.
                    usable = await self._usable(database, rejected, lock=True) or await self._refresh(database)
            # Only now that the refresh token is committed may the access token be used, by us or by another slot.
            return self._remember(*usable)

    async def _usable(self, database: Database, rejected: str | None, *, lock: bool = False) -> tuple[str, int] | None:
        cursor = await database.execute(_READ + (" for update" if lock else ""), {"connection": self._connection_id})
        row = await cursor.fetchone()
        if row is None:
            raise ReconnectError(Answered(message="The connection was ended."))
        if row["seconds_left"] <= _EARLY.total_seconds():
            return None
        token = _unseal(row["access_token"])
        if token == rejected:
            return None
        return token, row["seconds_left"]

    async def _refresh(self, database: Database) -> tuple[str, int]:
        cursor = await database.execute(_READ, {"connection": self._connection_id})
        row = await cursor.fetchone()
        if row is None:
            raise ReconnectError(Answered(message="The connection was ended."))
        refresh_token = _unseal(row["refresh_token"])
        try:
            grant = await self._client.refresh(refresh_token)
        except TryLaterError:
            # Once more with the same token: a lost answer may have rotated it, and only the old value recovers it.
            grant = await self._client.refresh(refresh_token)
        stored = await database.execute(
            _STORE,
            {
                "access": seal(grant.access_token),
                "refresh": seal(grant.refresh_token),
                "access_lifetime": grant.access_lifetime,
                "refresh_lifetime": grant.refresh_lifetime,
                "connection": self._connection_id,
                "generation": row["generation"],
            },
        )
        if await stored.fetchone() is None:
            raise ReconnectError(Answered(message="The connection was ended while its token was refreshed."))
        return grant.access_token, int(grant.access_lifetime.total_seconds())

    def _remember(self, token: str, seconds_left: int) -> str:
        # The database's clock says how long it lives; ours only counts that span down.
        span = max(0, seconds_left - int(_EARLY.total_seconds()))
        self._cached = (token, time.monotonic_ns() + span * 1_000_000_000)
        return token


def _unseal(sealed: bytes) -> str:
    try:
        return unseal(sealed)
    except KeyMissingError as error:
        raise ReconnectError(Answered(message=str(error))) from error
