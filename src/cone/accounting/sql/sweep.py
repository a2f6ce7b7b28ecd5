"""The sweep: what notifications and crashes left behind."""

from cone.accounting.sql.look import is_item_moving

RELEASE_STALE_BLOCKS = """
update books_outboxrow set state = 'due', cause_key = null, cause = null
where id in (
    select o.id from books_outboxrow o join books_connection c on c.company_id = o.company_id
    where c.state = 'connected' and o.state = 'blocked' and o.blocked_settings_revision < c.settings_revision
    order by o.id for update of o skip locked)
"""

# Rows that wait for what is linked by now: until it's settled, or left by a crash. A customer in doubt is waited
# for as if it weren't linked, as long as it's looked after itself: otherwise everything that waits for a lost one would
# be planned again each time. So is an item that is about to change.
_LINKED_WAITS = f"""
select o.id from books_outboxrow o
join books_link l on l.company_id = o.company_id and l.kind = o.waits_for_kind and l.record_uuid = o.waits_for_uuid
where o.company_id = {{company}} and o.waits_for_uuid is not null
    and (l.kind <> 'customer' or l.standing = 'live' or not exists (
        select from books_outboxrow r
        where r.company_id = l.company_id and r.kind = l.kind and r.record_uuid = l.record_uuid))
    and not (l.kind = 'service' and {is_item_moving("l")})
"""  # noqa: S608  # made of constants

# By the company's own lane, which plans them again at once: released by anyone else they'd look as if they were on
# their way, and not as if they waited for a person, until that lane looks again.
RELEASE_LINKED_WAITS = f"""
update books_outboxrow set waits_for_kind = null, waits_for_uuid = null
where id in ({_LINKED_WAITS.format(company="%(company)s")} order by o.id for update of o skip locked)
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
CONNECTIONS_WITH_WORK = f"""
select c.id from books_connection c
where c.state = 'connected' and c.paused_at is null and c.not_before <= now()
    and (exists (select from books_outboxrow o where o.company_id = c.company_id and o.state in ('due', 'sending')
                 and o.waits_for_uuid is null and o.not_before <= now())
         or exists ({_LINKED_WAITS.format(company="c.company_id")}))
"""  # noqa: S608  # made of constants
