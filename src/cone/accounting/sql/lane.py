"""The lane: taking it, its settings, what is due."""

TAKE_LANE = """
update books_connection set lane_epoch = lane_epoch + 1
where id = %(connection)s and state = 'connected'
returning lane_epoch
"""

# What a lane that died had marked as sending is due again; its attempts say what is unknown.
RESET_SENDING = """
update books_outboxrow set state = 'due'
where company_id = %(company)s and state = 'sending'
    and exists (select from books_connection where id = %(connection)s and lane_epoch = %(epoch)s)
"""

SITUATION = """
select c.id, c.workspace_id, c.company_id, c.company_id_remote, c.provider, c.environment, c.state,
       c.paused_at is not null as is_paused,
       c.lane_epoch, c.settings_revision, c.backlog_pace, c.facts,
       c.name_policy, c.item_mode, c.tax_source, c.deposit_account_id, c.income_account_id,
       c.connected_at, c.removal_policy, c.not_before > now() as must_wait,
       w.uuid as workspace_uuid,
       (c.throttle_tries > 0 or c.is_allowance_used) as is_throttled,
       case when c.reads_not_before > now() then c.reads_not_before - now() end as reads_held_for,
       coalesce(a.name, '') as deposit_account_name,
       coalesce(a.is_active and (a.detail->>'can_receive_deposits')::bool, false) as is_deposit_account_active
from books_connection c
join books_workspace w on w.id = c.workspace_id
left join books_referencerecord a
    on a.connection_id = c.id and a.kind = 'account' and a.remote_id = c.deposit_account_id
where c.id = %(connection)s
"""

TAX_CODES = """
select r.uuid, m.remote_id, m.remote_name, ref.is_active, ref.detail->'components' as components
from books_taxmapping m
join books_taxrate r on r.id = m.tax_rate_id
left join books_referencerecord ref
    on ref.connection_id = m.connection_id and ref.kind = 'tax_code' and ref.remote_id = m.remote_id
where m.connection_id = %(connection)s
"""

# What can't be referred to any more, as it was when the lists were read last.
INACTIVE = """
select kind, remote_id, name from books_referencerecord
where connection_id = %(connection)s and kind in ('account', 'item') and not is_active
"""

_ROWS = """
select o.id, o.kind, o.record_uuid, o.wanted_revision, o.priority, o.tries, o.is_in_scope, o.take_back,
       l.remote_id, l.remote_version, l.standing, l.synced_revision, l.is_made_here,
       coalesce((l.answer->>'is_equal')::bool, true) as is_equal,
       coalesce(g.last_generation, 0) as last_generation, coalesce(g.may_have_arrived, false) as may_have_arrived,
       u.id as attempt_id, u.operation, u.revision as attempt_revision, u.request_line, u.body, u.request_id, u.sends,
       u.expected, u.batch_id, u.batch_place, u.started_at,
       extract(epoch from now() - u.started_at)::int as attempt_age,
       extract(epoch from now() - u.last_sent_at)::int as attempt_silence
from {source} o
left join books_link l on l.company_id = o.company_id and l.kind = o.kind and l.record_uuid = o.record_uuid
left join books_attempt u on u.company_id = o.company_id and u.kind = o.kind and u.record_uuid = o.record_uuid
    and u.state = 'unknown'
-- what was answered to a first send with a plain no has certainly not arrived; anything else may have
left join lateral (
    select max(p.generation) as last_generation,
           bool_or(p.state = 'failed' and p.operation = 'create' and not (
               p.sends = 1 and p.verdict in ('trylater', 'rejected', 'reconnect', 'misconfigured'))) as may_have_arrived
    from books_attempt p where p.company_id = o.company_id and p.kind = o.kind and p.record_uuid = o.record_uuid
) g on true
"""


def rows_from(source: str) -> str:
    """Select rows of an outbox, or of something of its shape, each with its link and its attempts."""
    return _ROWS.format(source=source)


# The oldest live rows first, then backfill; customers and services before the invoices that need them.
DUE_ROWS = f"""
{rows_from("books_outboxrow")}
where o.company_id = %(company)s and o.state = 'due' and o.not_before <= now() and o.waits_for_uuid is null
    and o.priority <= %(lowest_priority)s and o.id <> all(%(busy)s)
    -- an open attempt is repeated only after its own timeout: until then the first may still be executing
    and (u.id is null or u.last_sent_at + %(timeout)s <= now())
order by o.priority, o.wave, o.id
limit %(limit)s
"""  # made of constants

NEXT_DUE = """
select (1000 * extract(epoch from
            min(greatest(o.not_before, c.not_before, u.last_sent_at + %(timeout)s)) - now()))::bigint as milliseconds
from books_outboxrow o join books_connection c on c.company_id = o.company_id
left join books_attempt u on u.company_id = o.company_id and u.kind = o.kind and u.record_uuid = o.record_uuid
    and u.state = 'unknown'
where c.id = %(connection)s and c.state = 'connected' and c.paused_at is null
    and o.state = 'due' and o.waits_for_uuid is null
"""
