"""Which records there are which of ours."""

LINKED = """
select kind, record_uuid, remote_id, coalesce(answer->>'currency', '') as currency from books_link
where company_id = %(company)s and record_uuid = any(%(uuids)s)
"""

LINKED_ELSEWHERE = """
select 1 from books_link
where company_id = %(company)s and kind = %(kind)s and remote_id = %(remote_id)s and record_uuid <> %(uuid)s
    and kind <> 'service'
union all
-- what an undone run voided carries our mark still, and is nobody's any more
select 1 from books_runrecord r join books_backfillrun n on n.id = r.run_id
where n.company_id = %(company)s and r.undo = 'done' and r.kind = %(kind)s and r.remote_id = %(remote_id)s
"""

OTHER_OPEN_CUSTOMERS = """
select request_line, body from books_attempt
where company_id = %(company)s and kind = 'customer' and state = 'unknown' and operation = 'create'
    and record_uuid <> %(uuid)s
"""

# Items whose making got no answer yet, and of which one comes by itself: without a row or with a person nobody asks. Of
# a service whose create is out itself only those that were sent before. One that waits is waited for by none, so that
# no two ever wait for each other.
OTHER_OPEN_ITEMS = """
select a.record_uuid, a.request_line, a.body, a.started_at from books_attempt a
join books_outboxrow o on o.company_id = a.company_id and o.kind = a.kind and o.record_uuid = a.record_uuid
    and o.state <> 'blocked' and o.waits_for_uuid is null
where a.company_id = %(company)s and a.kind = 'service' and a.state = 'unknown' and a.operation = 'create'
    and a.record_uuid <> %(uuid)s and (%(before)s::bigint is null or a.id < %(before)s)
order by a.id
"""

# Which other service an item is known to have been made for, and is about to be changed for, or as soon as a person has
# acted; what it's called here. What is linked never waits for another service, so no two wait for each other.
MADE_FOR_ANOTHER_AND_DUE = """
select s.uuid, s.name from books_link l
join books_outboxrow o on o.company_id = l.company_id and o.kind = l.kind and o.record_uuid = l.record_uuid
join books_service s on s.uuid = l.record_uuid
where l.company_id = %(company)s and l.kind = 'service' and l.remote_id = %(remote_id)s and l.record_uuid <> %(uuid)s
    and l.is_made_here
"""

# Whether an item is known to have been made for another service.
MADE_FOR_ANOTHER = """
select 1 from books_link
where company_id = %(company)s and kind = 'service' and remote_id = %(remote_id)s and record_uuid <> %(uuid)s
    and is_made_here
"""

CUSTOMER = """
select remote_id, standing, coalesce(answer->>'looked_for', '') as looked_for from books_link
where company_id = %(company)s and kind = 'customer' and record_uuid = %(uuid)s
"""

# Those of the ids that other records of ours are.
CUSTOMERS_LINKED = """
select remote_id from books_link
where company_id = %(company)s and kind = 'customer' and remote_id = any(%(ids)s) and record_uuid <> %(uuid)s
"""
