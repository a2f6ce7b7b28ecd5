"""Tokens that must still be revoked: a disconnect stands at once, its revocation is retried until it's answered."""

import asyncio

from cone.accounting.database import Database
from cone.accounting.keyring import KeyMissingError, unseal
from cone.accounting.port.provider import ProviderClient
from cone.accounting.port.verdicts import VERDICTS
from cone.accounting.registry import get_provider
from cone.accounting.settle import backoff

_NEXT = """
select id, provider, token, tries from books_revocation
where not_before <= now() and provider || ' ' || environment = any(%(reachable)s)
order by not_before limit 1 for update skip locked
"""

_DONE = "delete from books_revocation where id = %(id)s"
_FAILED = "update books_revocation set tries = tries + 1, not_before = now() + %(delay)s where id = %(id)s"

# A sign-in to the same company waits for a revocation in flight (which would end its grant too), but not for long.
_LONGEST_CALL_SECONDS = 10

# By then the token has ended by itself (refresh tokens live 100 days unused).
_FORGET = "delete from books_revocation where created_at < now() - interval '101 days'"


async def revoke_one(database: Database, clients: dict[str, ProviderClient]) -> bool:
    """Try the revocation that has waited longest; whether there was one."""
    async with database.transaction():
        await database.execute(_FORGET)
        row = await (await database.execute(_NEXT, {"reachable": list_reachable(clients)})).fetchone()
        if row is None:
            return False
        try:
            async with asyncio.timeout(_LONGEST_CALL_SECONDS):
                await clients[row["provider"]].revoke(unseal(row["token"]))
        except (*VERDICTS, TimeoutError):
            await database.execute(
                _FAILED,
                {"delay": backoff(row["tries"]), "id": row["id"]},
            )
        except KeyMissingError:
            # Encrypted with a key that is gone: nobody can revoke it, and nobody can use it.
            await database.execute(_DONE, {"id": row["id"]})
        else:
            await database.execute(_DONE, {"id": row["id"]})
    return True


def list_reachable(clients: dict[str, ProviderClient]) -> list[str]:
    """Where our keys are good for: a token of another environment waits until that one is configured again."""
    return [f"{key} {get_provider(key).availability().environment}" for key in clients]
