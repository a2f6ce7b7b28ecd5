"""What a preview looks at, in parts: its memory doesn't grow with the number of records."""

from cone.accounting.sql.look import look_at, rows_from

# Rows of an outbox in which these records were: as a run would put them there.
AS_IF_WANTED = look_at(
    rows_from(
        """(
    select v.place::bigint as id, v.kind, v.uuid as record_uuid, 1::bigint as wanted_revision, 10 as priority,
           0 as tries, true as is_in_scope, null::jsonb as take_back, %(company)s::bigint as company_id
    from unnest(%(kinds)s::text[], %(uuids)s::uuid[]) with ordinality as v(kind, uuid, place)
)"""
    )
)

# What's on its way by itself, as the outbox has it.
ON_THEIR_WAY = look_at(
    rows_from(
        """(
    select * from books_outboxrow
    where company_id = %(company)s and kind = 'service' and record_uuid = any(%(uuids)s)
)"""
    )
)

# The rows first, then what belongs to them: each part would otherwise look up the rest of the backlog, too.
_WAITING_ROWS = """(
    select * from books_outboxrow
    where company_id = %(company)s and (wave, id) > (%(wave)s, %(id)s)
    order by wave, id
    limit %(limit)s
)"""

WAITING = look_at(f"{rows_from(_WAITING_ROWS)} order by o.wave, o.id")

# What rows of the outbox were refused for, while nothing has changed since.
STORED_CAUSES = """
select o.id, o.wave, o.cause_key, o.cause
from books_outboxrow o join books_connection c on c.id = %(connection)s and c.company_id = o.company_id
where o.id = any(%(rows)s) and o.state = 'blocked' and o.blocked_settings_revision >= c.settings_revision
"""
