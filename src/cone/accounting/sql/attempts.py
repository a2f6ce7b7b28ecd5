"""Attempts: opened, repeated and closed."""

# Not a share lock: an outcome may go on to move the connection, and two sharers that both want more deadlock.
GATE = """
select 1 from books_connection where id = %(connection)s and lane_epoch = %(epoch)s for no key update
"""

OPEN_ATTEMPT = """
with gate as (
    select id from books_connection
    where id = %(connection)s and lane_epoch = %(epoch)s and state = 'connected' and paused_at is null
    for share
), claimed as (
    update books_outboxrow set state = 'sending', changed_at = now()
    where id = %(row)s and exists (select from gate)
    returning id
)
insert into books_attempt (company_id, connection_id, kind, record_uuid, revision, operation, generation, request_id,
                           request_line, body, expected, lane_epoch)
select %(company)s, %(connection)s, %(kind)s, %(uuid)s, %(revision)s, %(operation)s, %(generation)s, %(request_id)s,
       %(request_line)s, %(body)s, %(expected)s, %(epoch)s
from claimed
returning id
"""

REPEAT_ATTEMPT = """
with gate as (
    select id from books_connection
    where id = %(connection)s and lane_epoch = %(epoch)s and state = 'connected' and paused_at is null
    for share
), claimed as (
    update books_outboxrow set state = 'sending', changed_at = now()
    where id = %(row)s and exists (select from gate)
    returning id
)
update books_attempt set sends = sends + 1, last_sent_at = now(), verdict = '', lane_epoch = %(epoch)s,
       connection_id = %(connection)s
where id = %(attempt)s and state = 'unknown' and exists (select from claimed)
returning id
"""

CLOSE_ATTEMPT = """
update books_attempt set state = %(state)s, verdict = %(verdict)s, http_status = %(http_status)s, tid = %(tid)s,
       message = %(message)s, finished_at = clock_timestamp()
where id = %(attempt)s
"""

NOTE_UNKNOWN = """
update books_attempt set verdict = 'unknown', http_status = %(http_status)s, tid = %(tid)s, message = %(message)s
where id = %(attempt)s
"""
