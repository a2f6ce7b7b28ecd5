"""Attempts: opened, repeated and closed. Always for many at once: one is a list of one."""

# Not a share lock: an outcome may go on to move the connection, and two sharers that both want more deadlock.
GATE = """
select 1 from books_connection where id = %(connection)s and lane_epoch = %(epoch)s for no key update
"""

# What was planned may leave only as it was planned: a record or a setting that moved meanwhile, a pause or a request to
# wait leave the row as it is, and the next look plans it anew.
OPEN_ATTEMPTS = """
with gate as (
    select id from books_connection
    where id = %(connection)s and lane_epoch = %(epoch)s and settings_revision = %(settings_revision)s
        and state = 'connected' and paused_at is null and not_before <= now()
    for share
), given as (
    select * from unnest(%(rows)s::bigint[], %(wanted)s::bigint[], %(kinds)s::text[], %(uuids)s::uuid[],
        %(revisions)s::bigint[], %(operations)s::text[], %(generations)s::int[], %(request_ids)s::text[],
        %(lines)s::text[], %(bodies)s::bytea[], %(expected)s::text[])
    with ordinality as v(row, wanted, kind, uuid, revision, operation, generation, request_id, line, body, expected,
        place)
), claimed as (
    update books_outboxrow o set state = 'sending', changed_at = now()
    from given where o.id = given.row and o.state = 'due' and o.wanted_revision = given.wanted
        and exists (select from gate)
    returning o.id
), batch as (
    insert into books_batch (company_id, request_id)
    select %(company)s, %(batch_request_id)s::text where %(batch_request_id)s::text is not null
        and exists (select from claimed)
    returning id
)
insert into books_attempt (company_id, connection_id, kind, record_uuid, revision, operation, generation, request_id,
                           request_line, body, expected, lane_epoch, batch_id, batch_place)
select %(company)s, %(connection)s, kind, uuid, revision, operation, generation, request_id, line, body,
       expected::jsonb, %(epoch)s, (select id from batch), case when exists (select from batch) then place end
from given join claimed on claimed.id = given.row
returning id, request_id, batch_id, batch_place, started_at
"""

REPEAT_ATTEMPTS = """
with gate as (
    select id from books_connection
    where id = %(connection)s and lane_epoch = %(epoch)s and state = 'connected' and paused_at is null
        and not_before <= now()
    for share
), claimed as (
    update books_outboxrow set state = 'sending', changed_at = now()
    where id = any(%(rows)s) and state = 'due' and exists (select from gate)
    returning company_id, kind, record_uuid
)
update books_attempt a set sends = sends + 1, last_sent_at = now(), looked_at = null, verdict = '',
       lane_epoch = %(epoch)s, connection_id = %(connection)s
from claimed c
where a.id = any(%(attempts)s) and a.state = 'unknown'
    and (a.company_id, a.kind, a.record_uuid) = (c.company_id, c.kind, c.record_uuid)
returning a.id
"""

# Everything a batch carried, in order, and what became of it.
BATCH = """
select b.request_id, a.id, a.kind, a.record_uuid, a.operation, a.state, a.verdict, a.batch_place, a.request_line,
       a.body, l.remote_id
from books_batch b join books_attempt a on a.batch_id = b.id
left join books_link l on l.company_id = a.company_id and l.kind = a.kind and l.record_uuid = a.record_uuid
where b.id = %(batch)s order by a.batch_place
"""

# The latest creates that were answered since a batch was sent last, with their ids there.
MADE_SINCE_BATCH = """
select a.kind, a.request_line, a.body, l.remote_id
from books_attempt a
join books_link l on l.company_id = a.company_id and l.kind = a.kind and l.record_uuid = a.record_uuid
    and l.standing = 'live'
where a.company_id = %(company)s and a.operation = 'create' and a.state = 'succeeded' and a.verdict = 'sent'
    and a.started_at >= (select max(last_sent_at) from books_attempt where batch_id = %(batch)s)
order by a.started_at desc, a.id desc limit %(limit)s
"""

# The latest creates that stand there, whatever they were, but for what was found to be the firm's own.
LATEST_MADE = """
select a.kind, a.request_line, a.body, l.remote_id
from books_attempt a
join books_link l on l.company_id = a.company_id and l.kind = a.kind and l.record_uuid = a.record_uuid
    and l.standing = 'live'
where a.company_id = %(company)s and a.operation = 'create' and a.state = 'succeeded' and a.verdict <> 'theirs'
order by a.started_at desc, a.id desc limit %(limit)s
"""

# Found nothing; taken up again when a look counts.
NOTE_LOOK = """
update books_attempt set looked_at = now(), verdict = 'unknown' where id = %(attempt)s and state = 'unknown'
"""

CLOSE_ATTEMPTS = """
update books_attempt a set state = %(state)s, verdict = %(verdict)s, http_status = v.http_status, tid = v.tid,
       message = v.message, finished_at = clock_timestamp()
from unnest(%(attempts)s::bigint[], %(statuses)s::int[], %(tids)s::text[], %(messages)s::text[])
    as v(id, http_status, tid, message)
where a.id = v.id
"""

# How often this was the answer to a record of late.
COUNT_ANSWERS = """
select count(*) as times from books_attempt
where company_id = %(company)s and kind = %(kind)s and record_uuid = %(uuid)s and verdict = %(verdict)s
    and finished_at > now() - %(within)s::interval
"""

NOTE_UNKNOWN = """
update books_attempt set verdict = 'unknown', http_status = %(http_status)s, tid = %(tid)s, message = %(message)s
where id = any(%(attempts)s)
"""
