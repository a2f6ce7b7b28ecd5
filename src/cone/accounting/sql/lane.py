"""The lane: taking it, and what is due."""

from cone.accounting.sql.look import look_at, rows_from

TAKE_LANE = """
update books_connection set lane_epoch = lane_epoch + 1
where id = %(connection)s and state = 'connected'
returning lane_epoch
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

# What a lane is made from. A company that was never asked for anything has no budget yet.
CONNECTION = """
select c.provider, c.environment, c.company_id, c.company_id_remote, b.id as budget_id
from books_connection c left join books_requestbudget b
    on (b.provider, b.environment, b.company_id_remote) = (c.provider, c.environment, c.company_id_remote)
where c.id = %(connection)s
"""

# When an open attempt may be taken up: once its own timeout has passed, since until then the first may be answered yet;
# and what was looked for and not found since, no sooner than a look says something.
_TAKEN_UP_AT = "u.last_sent_at + case when u.looked_at is null then %(timeout)s else %(looks_count_after)s end"

# The oldest live rows first, then backfill; customers and services before the invoices that need them.
_DUE_ROWS = f"""
{rows_from("books_outboxrow")}
where o.company_id = %(company)s and o.state = 'due' and o.not_before <= now() and o.waits_for_uuid is null
    and o.priority <= %(lowest_priority)s and o.id <> all(%(busy)b::bigint[])
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
    and o.state = 'due' and o.waits_for_uuid is null
"""  # noqa: S608  # made of constants
