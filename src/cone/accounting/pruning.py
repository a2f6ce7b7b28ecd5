"""Old attempts go by age; what anything still depends on stays.

Kept whatever their age: open attempts and all of a batch with one, the latest success and the latest attempt of each
record (its generation must not come again), and everything of a record that isn't linked (whether an earlier try may
have arrived is read from it).
"""

from datetime import timedelta

from cone.accounting.database import Database

_SOME = 2000

_PRUNE = """
delete from books_attempt where id in (
    select p.id
    from books_remotecompany c
    cross join lateral (
        select a.* from books_attempt a
        where a.company_id = c.id and a.started_at < now() - %(kept_for)s::interval and a.state <> 'unknown'
            and exists (select from books_link l
                        where l.company_id = a.company_id and l.kind = a.kind and l.record_uuid = a.record_uuid)
            and exists (select from books_attempt n
                        where n.company_id = a.company_id and n.kind = a.kind and n.record_uuid = a.record_uuid
                            and n.generation > a.generation)
            and (a.state <> 'succeeded' or exists (
                        select from books_attempt n
                        where n.company_id = a.company_id and n.kind = a.kind and n.record_uuid = a.record_uuid
                            and n.state = 'succeeded' and n.generation > a.generation))
            and not exists (select from books_attempt u where u.batch_id = a.batch_id and u.state = 'unknown')
        order by a.started_at limit %(some)s
    ) p
    limit %(some)s)
returning 1
"""

_PRUNE_BATCHES = """
delete from books_batch where id in (
    select b.id from books_batch b
    where b.started_at < now() - %(kept_for)s::interval
        and not exists (select from books_attempt a where a.batch_id = b.id)
    limit %(some)s)
"""


async def prune(database: Database, *, kept_for: timedelta) -> int:
    """Delete some of what is older than `kept_for`; how many attempts. Call it again until there are none."""
    values = {"kept_for": kept_for, "some": _SOME}
    async with database.transaction():
        pruned = await database.execute(_PRUNE, values)
        await database.execute(_PRUNE_BATCHES, values)
    return len(await pruned.fetchall())
