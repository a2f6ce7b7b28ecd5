"""What the worker's timetable asks the database: claims are taken so that two workers never do the same."""

# Lists that are a day old, or that something was refused after: they may tell of the next record why, before it's sent.
# Once in ten minutes at most, whether it fails or whatever is refused meanwhile: reads are metered. Paused: nothing is
# asked there.
CLAIM_STALE_REFERENCE = """
update books_connection set refresh_not_before = now() + interval '10 minutes'
where id in (
    select id from books_connection
    where state = 'connected' and paused_at is null
        and (facts_read_at < now() - interval '24 hours' or exists (
            select from books_outboxrow o
            where o.company_id = books_connection.company_id and o.state = 'blocked'
                and o.changed_at > books_connection.facts_read_at
                and o.cause->>'code' in ('reference_missing', 'removed_there', 'account_inactive', 'period_closed',
                                         'removal_period_closed', 'income_account_inactive',
                                         'tax_code_inactive', 'currency_unsupported')
                -- what was known before sending says nothing new
                and o.cause->'params' ? 'says'))
        and refresh_not_before <= now() and coalesce(reads_not_before <= now(), true) and not_before <= now()
        and provider || ' ' || environment = any(%(reachable)s)
    order by facts_read_at limit 20 for update skip locked)
returning id, workspace_id, provider, environment, company_id_remote, lane_epoch, try_now_at
"""

# Tokens refresh when they're used; one that nobody used must be, once before its end.
CLAIM_AGING_TOKENS = """
update books_connection set refresh_not_before = now() + interval '1 hour'
where id in (
    select c.id from books_connection c join books_connectiontokens t on t.connection_id = c.id
    where c.state in ('connected', 'read_only') and t.refresh_expires_at < now() + interval '10 days'
        and t.refreshed_at < now() - interval '1 day' and c.refresh_not_before <= now()
        and c.provider || ' ' || c.environment = any(%(reachable)s)
    order by t.refresh_expires_at limit 20 for update of c skip locked)
returning id, provider, environment, company_id_remote, lane_epoch, try_now_at
"""

NEEDS_RECONNECT = """
update books_connection set state = 'needs_reconnect', state_reason = %(reason)s
where id = %(connection)s and lane_epoch = %(epoch)s and state = any(%(sources)s)
"""

# An event is over once something was accepted again; a company that is tried hourly and refuses again is still in it.
FORGET_NOTICES = """
delete from books_notice n using books_connection c
where c.id = n.connection_id and (c.state = 'disconnected' or n.event not like 'allowance:%%' and c.state = 'connected'
    and exists (select from books_attempt a where a.company_id = c.company_id and a.started_at > n.created_at
                and a.state = 'succeeded'))
"""

OWE_NOTICES = """
insert into books_notice (connection_id, event)
select id, state || ':' || generation from books_connection where state in ('needs_reconnect', 'read_only')
union all
select id, 'allowance:' || to_char(now(), 'YYYY-MM') from books_connection
where state = 'connected' and (reads_not_before > now() or is_allowance_used and not_before > now())
on conflict (connection_id, event) do nothing
"""

NEXT_NOTICE = """
select n.id, n.tries, split_part(n.event, ':', 1) as event, c.provider, c.environment, c.company_name, c.state_reason,
       w.name as firm,
       array(select u.email from books_membership m join books_user u on u.id = m.user_id
             where m.workspace_id = w.id and m.role = 'owner' and u.is_active order by u.id) as addresses
from books_notice n
join books_connection c on c.id = n.connection_id
join books_workspace w on w.id = c.workspace_id
where n.sent_at is null and n.not_before <= now()
    and (split_part(n.event, ':', 1) = c.state or n.event like 'allowance:%')
order by n.not_before limit 1 for update of n skip locked
"""

NOTICE_SENT = "update books_notice set sent_at = now() where id = %(notice)s"

NOTICE_FAILED = "update books_notice set tries = tries + 1, not_before = now() + %(delay)s where id = %(notice)s"

IS_DISCONNECTING = """
select 1 from books_connection where state = 'disconnecting' limit 1
"""
