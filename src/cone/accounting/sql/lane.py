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

# What a lane is made from.
CONNECTION = """
select provider, environment, company_id, company_id_remote from books_connection where id = %(connection)s
"""

# The oldest live rows first, then backfill; customers and services before the invoices that need them.
_DUE_ROWS = f"""
{rows_from("books_outboxrow")}
where o.company_id = %(company)s and o.state = 'due' and o.not_before <= now() and o.waits_for_uuid is null
    and o.priority <= %(lowest_priority)s and o.id <> all(%(busy)b::bigint[])
    -- an open attempt is repeated only after its own timeout: until then the first may still be executing
    and (u.id is null or u.last_sent_at + %(timeout)s <= now())
    and exists (select from head where state = 'connected' and not is_paused and not must_wait)
order by o.priority, o.wave, o.id
limit %(limit)s
"""  # made of constants

LOOK = look_at(_DUE_ROWS)

NEXT_DUE = """
select (1000 * extract(epoch from
            min(greatest(o.not_before, c.not_before, u.last_sent_at + %(timeout)s)) - now()))::bigint as milliseconds
from books_outboxrow o join books_connection c on c.company_id = o.company_id
left join books_attempt u on u.company_id = o.company_id and u.kind = o.kind and u.record_uuid = o.record_uuid
    and u.state = 'unknown'
where c.id = %(connection)s and c.state = 'connected' and c.paused_at is null
    and o.state = 'due' and o.waits_for_uuid is null
"""
