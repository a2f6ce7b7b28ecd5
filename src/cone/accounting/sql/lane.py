"""The lane: taking it, and what is due."""

from cone.accounting.sql.look import look_at, rows_from

# Whether the lock is ours now, and what a lane is made from unless the connection isn't a connected one. A company that
# was never asked for anything has no budget yet.
TAKE_LANE = """
with lock as materialized (
    select pg_try_advisory_lock(%(lanes)s, %(connection)s) as is_ours
), taken as (
    update books_connection c set lane_epoch = lane_epoch + 1
    from lock where lock.is_ours and c.id = %(connection)s and c.state = 'connected'
    returning c.lane_epoch, c.provider, c.environment, c.company_id, c.company_id_remote
)
select lock.is_ours, t.*, b.id as budget_id
from lock left join taken t on true left join books_requestbudget b
    on (b.provider, b.environment, b.company_id_remote) = (t.provider, t.environment, t.company_id_remote)
"""

# What a lane that died had marked as sending is due again; its attempts say what is unknown.
RESET_SENDING = """
with reset as (
    update books_outboxrow set state = 'due'
    where company_id = %(company)s and state = 'sending'
        and exists (select from books_connection where id = %(connection)s and lane_epoch = %(epoch)s)
)
select w.uuid as workspace_uuid
from books_connection c join books_workspace w on w.id = c.workspace_id where c.id = %(connection)s
"""

# When an open attempt may be taken up: once its own timeout has passed, since until then the first may be answered yet;
# and what was looked for and not found since, no sooner than a look says something.
_TAKEN_UP_AT = """
u.last_sent_at + case when u.looked_at is null then %(timeout)s::interval else %(looks_count_after)s::interval end
"""

# The oldest live rows first, then backfill; customers and services before the invoices that need them.
_DUE_ROWS = f"""
{rows_from("books_outboxrow")}
where o.company_id = %(company)s and o.state = 'due' and o.not_before <= now() and o.waits_for_uuid is null
    and o.priority <= %(lowest_priority)s and o.id <> all(%(busy)s::bigint[])
    and (u.id is null or {_TAKEN_UP_AT} <= now())
    and exists (select from head where state = 'connected' and not is_paused and not must_wait)
order by o.priority, o.wave, o.id
limit %(limit)s
"""  # made of constants

LOOK = look_at(_DUE_ROWS)

# What went in one batch and is open still, to be found out together.
_OPEN_OF_BATCH = f"""
{rows_from("books_outboxrow")}
where o.company_id = %(company)s and o.state = 'due' and u.batch_id = %(batch)s and {_TAKEN_UP_AT} <= now()
order by u.batch_place
"""  # made of constants

LOOK_AT_BATCH = look_at(_OPEN_OF_BATCH)

NEXT_DUE = f"""
select (1000 * extract(epoch from
            min(greatest(o.not_before, c.not_before, {_TAKEN_UP_AT})) - now()))::bigint as milliseconds
from books_outboxrow o join books_connection c on c.company_id = o.company_id
left join books_attempt u on u.company_id = o.company_id and u.kind = o.kind and u.record_uuid = o.record_uuid
    and u.state = 'unknown'
where c.id = %(connection)s and c.state = 'connected' and c.paused_at is null
    and o.state = 'due' and o.waits_for_uuid is null and o.id <> all(%(busy)s::bigint[])
"""  # noqa: S608  # made of constants
