"""The jobs of the timetable. Each claims its work in the database, so that several workers share it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from cone.accounting.budget import Budget, CompanyKey, PacedAccess, Share
from cone.accounting.connections import State, sources_of
from cone.accounting.database import DATABASE_ERRORS, Database, Found, Pool
from cone.accounting.notices import owe_notices, send_one_notice
from cone.accounting.port.provider import ProviderClient
from cone.accounting.port.verdicts import VERDICTS, ReconnectError, TryLaterError, Verdict
from cone.accounting.pruning import prune
from cone.accounting.reference import list_item_names
from cone.accounting.registry import get_provider
from cone.accounting.revocations import list_reachable, revoke_one
from cone.accounting.sql import holds as holds_sql
from cone.accounting.sql import upkeep as upkeep_sql
from cone.accounting.tokens import StoredAccess
from cone.operations.disconnect_provider import finish_disconnects
from cone.operations.store_reference import store_reference

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a job works with."""

    pool: Pool
    clients: dict[str, ProviderClient]
    refreshing: Callable[[], AbstractAsyncContextManager[Database]]

    def tokens(self, row: Mapping[str, Any]) -> StoredAccess:
        """The stored access of a claimed connection."""
        return StoredAccess(
            connection_id=row["id"],
            company_id=row["company_id_remote"],
            client=self.clients[row["provider"]],
            database=self.pool.connection,
            refreshing=self.refreshing,
        )


async def revoke(desk: Desk) -> None:
    """Retry the revocations that a disconnect left."""
    while True:
        async with desk.pool.connection() as database:
            if not await revoke_one(database, desk.clients):
                return


async def end_disconnects(desk: Desk) -> None:
    """Finish the disconnects that died half-way."""
    async with desk.pool.connection() as database:
        interrupted = await (await database.execute(upkeep_sql.IS_DISCONNECTING)).fetchone()
    if interrupted is not None:
        await asyncio.to_thread(finish_disconnects)


def _list_item_names(workspace_id: int) -> list[str]:
    try:
        return list_item_names(workspace_id)
    finally:
        # Called in a thread that won't come back.
        connection.close()


async def refresh_references(desk: Desk) -> None:
    """Read the facts and lists of companies that nobody has read for a day, or that refused something since."""
    for row in await _claim(desk, upkeep_sql.CLAIM_STALE_REFERENCE):
        provider = get_provider(row["provider"])
        company = CompanyKey(row["provider"], row["environment"], row["company_id_remote"])
        budget = Budget(company=company, limits=provider.limits, database=desk.pool.connection)
        access = PacedAccess(desk.tokens(row), budget, share=Share.BACKLOG)
        async with _one_of_many(desk, row):
            item_names = await asyncio.to_thread(_list_item_names, row["workspace_id"])
            facts, reference = await desk.clients[row["provider"]].read_books(access, item_names=item_names)
            await asyncio.to_thread(store_reference, row["id"], facts, reference)


async def refresh_aging_tokens(desk: Desk) -> None:
    """Use refresh tokens that nobody has used for so long that they'd end."""
    for row in await _claim(desk, upkeep_sql.CLAIM_AGING_TOKENS):
        async with _one_of_many(desk, row):
            await desk.tokens(row).token()


async def send_mails(desk: Desk) -> None:
    """Tell owners whose connection needs a person, once per event."""
    async with desk.pool.connection() as database:
        await owe_notices(database)
    while True:
        async with desk.pool.connection() as database:
            if not await send_one_notice(database):
                return


async def prune_history(desk: Desk) -> None:
    """Let old attempts go, some at a time."""
    while True:
        async with desk.pool.connection() as database:
            if not await prune(database, kept_for=settings.HISTORY_KEPT_FOR):
                return


async def _claim(desk: Desk, statement: str) -> Sequence[Found]:
    async with desk.pool.connection() as database:
        return await (await database.execute(statement, {"reachable": list_reachable(desk.clients)})).fetchall()


@asynccontextmanager
async def _one_of_many(desk: Desk, row: Mapping[str, Any]) -> AsyncIterator[None]:
    """The edge of one claimed connection: what goes wrong with it doesn't stop the others of the claim."""
    try:
        yield
    except VERDICTS as verdict:
        await _note(desk, row, verdict)
    except DATABASE_ERRORS:
        # It's away for the others, too.
        raise
    except Exception:
        # The edge for one company: a bug in its upkeep must not stop the others'.
        logger.exception("upkeep of connection %s broke", row["id"])


async def _note(desk: Desk, row: Mapping[str, Any], verdict: Verdict) -> None:
    """Take a refusal for what it says of the connection; anything else is tried again by the clock."""
    logger.info("upkeep of connection %s: %s", row["id"], type(verdict).__name__)
    values: dict[str, Any] = {"connection": row["id"], "epoch": row["lane_epoch"], "try_now_at": row["try_now_at"]}
    async with desk.pool.connection() as database:
        if isinstance(verdict, ReconnectError):
            sources = sources_of(State.NEEDS_RECONNECT)
            reason = verdict.answered.message[:500]
            await database.execute(upkeep_sql.NEEDS_RECONNECT, {**values, "reason": reason, "sources": sources})
        elif isinstance(verdict, TryLaterError) and verdict.allowance:
            await database.execute(holds_sql.HOLD_READS, values)
