"""The sweep: what notifications and crashes left behind."""

from cone.accounting.sql.look import is_item_moving

RELEASE_STALE_BLOCKS = """
update books_outboxrow set state = 'due', cause_key = null, cause = null
where id in (
    select o.id from books_outboxrow o join books_connection c on c.company_id = o.company_id
    where c.state = 'connected' and o.state = 'blocked' and o.blocked_settings_revision < c.settings_revision
    order by o.id for update of o skip locked)
"""

# What is waited for though it's linked by now: until it's settled, or left by a crash. A customer in doubt is waited
# for as if it weren't linked, as long as it's looked after itself: otherwise everything that waits for a lost one would
# be planned again each time. So is an item that is about to move, and one that another service found while it's about
# to be renamed: a look is metered. Is that one gone there, nothing renames it: who waits for it looks, and waits again
# only if it's found, which makes it due. What isn't linked and has no row either was taken out of the queue: nothing
# else would ever say so.
_AWAITED_THERE = f"""
select a.company_id, a.waiting, a.kind, a.uuid, lane.id as connection_id
from (select distinct company_id, kind as waiting, waits_for_kind as kind, waits_for_uuid as uuid
      from books_outboxrow where waits_for_uuid is not null {{and_where}}) a
join books_connection lane on lane.company_id = a.company_id
    and lane.state = 'connected' and lane.paused_at is null and lane.not_before <= now()
left join books_link l on l.company_id = a.company_id and l.kind = a.kind and l.record_uuid = a.uuid
left join books_outboxrow r on r.company_id = a.company_id and r.kind = a.kind and r.record_uuid = a.uuid
where (((l.kind <> 'customer' or l.standing = 'live') and a.waiting <> 'service' or r.id is null)
        and (l.id is null or l.kind <> 'service' or not {is_item_moving("l", "lane")})
    or a.waiting = 'service' and r.state = 'blocked' and r.cause ->> 'code' = 'removed_there')
"""  # noqa: S608  # made of constants

# By the company's own lane, which plans them again at once: released by anyone else they'd look as if they were on
# their way, and not as if they waited for a person, until that lane looks again.
RELEASE_LINKED_WAITS = f"""
with there as materialized ({_AWAITED_THERE.format(and_where="and company_id = %(company)s")}
    and lane.id = %(connection)s and lane.lane_epoch = %(epoch)s)
update books_outboxrow set waits_for_kind = null, waits_for_uuid = null
where id in (
    select o.id from books_outboxrow o join there
        on (o.company_id, o.kind, o.waits_for_kind, o.waits_for_uuid)
            = (there.company_id, there.waiting, there.kind, there.uuid)
    order by o.id for update of o skip locked)
"""  # noqa: S608  # made of constants

CONNECTIONS_WITH_LINKED_WAITS = f"""
select distinct connection_id as id from ({_AWAITED_THERE.format(and_where="")}) there
"""  # noqa: S608  # made of constants

# Whether a company that refused writing allows it again is found by trying, once an hour, when something waits.
TRY_WRITING_AGAIN = """
update books_connection c set state = 'connected'
where c.state = 'read_only' and c.not_before <= now() and c.paused_at is null
    and c.provider || ' ' || c.environment = any(%(reachable)s)
    and exists (select from books_outboxrow o where o.company_id = c.company_id and o.state = 'due'
                and o.waits_for_uuid is null and o.not_before <= now())
"""

# 'sending' too: a lane that died may have left rows so, and only taking the lane anew resets them.
CONNECTIONS_WITH_WORK = """
select c.id from books_connection c
where c.state = 'connected' and c.paused_at is null and c.not_before <= now()
    and exists (select from books_outboxrow o where o.company_id = c.company_id and o.state in ('due', 'sending')
                and o.waits_for_uuid is null and o.not_before <= now())
"""
