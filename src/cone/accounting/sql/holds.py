"""When the platform asks a whole company to wait: for seconds, or until its monthly allowance begins anew."""

# What the platform asked for, else 1, 2, 4 … seconds up to a minute, less up to a quarter so that companies don't come
# back together. Requests that were in flight together fail together: only the first of them counts as a try.
HOLD_CONNECTION = """
update books_connection set
    throttle_tries = least(throttle_tries + (not_before <= now())::int, 10),
    not_before = greatest(not_before, now() + coalesce(
        %(delay)s::interval,
        case when not_before > now() then interval '0'
        else least(60, 2 ^ throttle_tries) * (1 - random() / 4) * interval '1 second' end))
where id = %(connection)s and lane_epoch = %(epoch)s
"""

# A success ends the back-off, unless it's of a request that left before the latest refusal.
END_BACKOFF = """
update books_connection set throttle_tries = 0, is_allowance_used = false
where id = %(connection)s and lane_epoch = %(epoch)s and not_before <= now()
"""

# A refusal of what was planned before a person asked to try now says nothing of what may be asked now: one more request
# finds out.
#
# The platform doesn't say in whose zone its months begin: half a day later it's the next month everywhere. Companies
# come back over an hour, not all at once.
HOLD_READS = """
update books_connection set reads_not_before =
    date_trunc('month', now()) + interval '1 month 12 hours' + random() * interval '1 hour'
where id = %(connection)s and lane_epoch = %(epoch)s and coalesce(reads_not_before <= now(), true)
    and try_now_at is not distinct from %(try_now_at)s
"""

# Until when is asked of the connection, never of a plan: a person may have raised the allowance since.
HOLD_ROWS = """
update books_outboxrow o set state = 'due', changed_at = now(),
    not_before = greatest(o.not_before, coalesce(c.reads_not_before, now()))
from books_connection c
where o.id = any(%(rows)s) and c.id = %(connection)s
"""

HOLD_EVERYTHING = """
update books_connection set is_allowance_used = true, not_before = greatest(
    not_before, date_trunc('month', now()) + interval '1 month 12 hours' + random() * interval '1 hour')
where id = %(connection)s and lane_epoch = %(epoch)s and try_now_at is not distinct from %(try_now_at)s
"""
