"""Runs over existing invoices: their records, what came of them, and what undoing them came to."""

from cone.accounting.sql.standing import stuck_among

ADD_RECORDS = """
insert into books_runrecord (run_id, kind, record_uuid, revision, action, currency, predicted_tax, predicted_total)
select %(run)s, v.* from unnest(%(kinds)s::text[], %(uuids)s::uuid[], %(revisions)s::bigint[], %(actions)s::text[],
    %(currencies)s::text[], %(taxes)s::numeric[], %(totals)s::numeric[]) v
"""

# Payments and invoices alone: customers and services are asked for by them. Priority 10: live ones overtake.
WANT_RECORDS = """
insert into books_outboxrow (company_id, kind, record_uuid, wanted_revision, priority, is_in_scope)
select %(company)s, r.kind, r.record_uuid, r.revision, 10, true
from books_runrecord r where r.run_id = %(run)s and r.kind in ('invoice', 'payment') order by r.id
on conflict (company_id, kind, record_uuid) do nothing
"""

# Lanes, sweeps and pages settle one after another: side by side they'd take the records in different orders.
LOCK_RUNS = """
select id from books_backfillrun where company_id = any(%(companies)s) order by id for no key update
"""

# What stands there by now, in the revision that was foreseen or a later one.
SETTLE_RECORDS = """
update books_runrecord r set
    outcome = case when exists (
        select from books_attempt a where a.company_id = n.company_id and a.kind = r.kind
            and a.record_uuid = r.record_uuid and a.operation = 'create' and a.state = 'succeeded'
            and a.started_at >= n.started_at) then 'created' else 'linked' end,
    sent_revision = l.synced_revision, remote_id = l.remote_id, remote_version = l.remote_version,
    actual_tax = (l.answer->>'tax')::numeric, actual_total = (l.answer->>'total')::numeric
from books_backfillrun n, books_link l
where n.id = r.run_id and n.state <> 'undone' and n.company_id = any(%(companies)s) and r.outcome = 'waiting'
    and l.company_id = n.company_id and l.kind = r.kind and l.record_uuid = r.record_uuid
    and l.synced_revision >= r.revision
"""

# Neither there nor asked for: voided or deleted here meanwhile. Customers and services aren't asked for from the start.
DROP_RECORDS = """
update books_runrecord r set outcome = 'dropped'
from books_backfillrun n
where n.id = r.run_id and n.state in ('running', 'cancelled') and n.company_id = any(%(companies)s)
    and r.outcome = 'waiting' and (n.state = 'cancelled' or r.kind in ('invoice', 'payment'))
    and not exists (select from books_outboxrow o
                    where o.company_id = n.company_id and o.kind = r.kind and o.record_uuid = r.record_uuid)
    and not exists (select from books_link l
                    where l.company_id = n.company_id and l.kind = r.kind and l.record_uuid = r.record_uuid)
"""

# Each record of a run, its row, and the blocked one that holds it: itself, or what it waits for in the end.
_STANDING = """
from books_runrecord r
join books_backfillrun n on n.id = r.run_id
left join books_link l on r.outcome = 'waiting' and l.company_id = n.company_id and l.kind = r.kind
    and l.record_uuid = r.record_uuid and l.synced_revision >= r.revision
left join books_outboxrow o on o.company_id = n.company_id and o.kind = r.kind and o.record_uuid = r.record_uuid
left join stuck s on s.id = o.id
left join books_outboxrow d on d.id = s.blocked_id
"""
_IS_STUCK = "coalesce(d.cause ->> 'code' <> all(%(patient)s), false)"

COUNT_RECORDS = f"""
with recursive {stuck_among("o.company_id = (select company_id from books_backfillrun where id = %(run)s)")}
select count(*) filter (where r.outcome not in ('cancelled', 'dropped')) as total,
       count(*) filter (where r.outcome in ('created', 'linked') or l.id is not null) as done,
       count(*) filter (where r.outcome = 'waiting' and l.id is null and {_IS_STUCK}) as failed,
       count(*) filter (where r.outcome in ('cancelled', 'dropped')) as dropped,
       count(*) filter (where r.undo = 'wanted') as undo_wanted,
       count(*) filter (where r.undo = 'done') as undo_done,
       count(*) filter (where r.undo = 'refused') as undo_refused
{_STANDING}
where r.run_id = %(run)s and r.kind in ('invoice', 'payment')
"""  # noqa: S608  # made of constants

# What came to stand there within the last minute, or since the run began while that's less: settled or not.
COUNT_LATEST = """
with since as (
    select n.company_id, greatest(n.started_at, now() - interval '1 minute') as at
    from books_backfillrun n where n.id = %(run)s)
select now() - s.at as lasted, (
    select count(*) from books_runrecord r
    join books_link l on l.company_id = s.company_id and l.kind = r.kind and l.record_uuid = r.record_uuid
    where r.run_id = %(run)s and r.kind in ('invoice', 'payment') and l.synced_revision >= r.revision
        and l.synced_at > s.at) as latest
from since s
"""

# The same of what was taken back there.
COUNT_LATEST_UNDONE = """
with since as (
    select n.company_id, greatest(n.undo_started_at, now() - interval '1 minute') as at
    from books_backfillrun n where n.id = %(run)s)
select now() - s.at as lasted, (
    select count(*) from books_attempt a where a.company_id = s.company_id and a.started_at > s.at
        and a.state = 'succeeded' and a.verdict = 'taken_back') as latest
from since s
"""

# Of several runs at once, what a list says of each; most records of a run are there, and aren't looked at.
COUNT_OPEN_RECORDS = f"""
with recursive {stuck_among("o.company_id in (select company_id from books_backfillrun where id = any(%(runs)s))")}
select r.run_id,
       count(*) filter (where r.outcome = 'waiting' and l.id is null and not {_IS_STUCK}) as left,
       count(*) filter (where r.outcome = 'waiting' and l.id is null and {_IS_STUCK}) as failed,
       count(*) filter (where r.undo = 'wanted') as undo_wanted,
       count(*) filter (where r.undo = 'refused') as undo_refused
{_STANDING}
where r.run_id = any(%(runs)s) and r.kind in ('invoice', 'payment')
    and (r.outcome = 'waiting' or r.undo in ('wanted', 'refused'))
group by r.run_id
"""  # noqa: S608  # made of constants

FINISH_RUNS = f"""
with recursive {stuck_among("o.company_id = any(%(companies)s)")}
update books_backfillrun f set state = 'finished', ended_at = now()
where f.state = 'running' and f.company_id = any(%(companies)s) and not exists (
    select {_STANDING}
    where r.run_id = f.id and r.kind in ('invoice', 'payment') and r.outcome = 'waiting' and not {_IS_STUCK})
"""  # noqa: S608  # made of constants

FINISH_UNDOING = """
update books_backfillrun f set state = 'undone', undone_at = now()
where f.state = 'undoing' and f.company_id = any(%(companies)s)
    and not exists (select from books_runrecord r where r.run_id = f.id and r.undo = 'wanted')
"""

_OPEN_COMPANIES = """
select distinct n.company_id from books_backfillrun n
where {among} (n.state in ('running', 'undoing')
    or (n.state in ('finished', 'cancelled') and exists (
        select from books_runrecord r
        where r.run_id = n.id and r.outcome = 'waiting' and r.kind in ('invoice', 'payment'))))
"""

# Companies with runs of which something may have come meanwhile.
OPEN_COMPANIES = _OPEN_COMPANIES.format(among="")
OPEN_AMONG = _OPEN_COMPANIES.format(among="n.company_id = any(%(companies)s) and")

# What hasn't left: neither under way nor of unknown outcome. The lane claims a row only while it's there. Customers and
# services only once nothing waits for them: run it until it takes nothing.
TAKE_OUT = """
with out as (
    delete from books_outboxrow o using books_runrecord r
    where r.run_id = %(run)s and r.outcome = 'waiting' and o.company_id = %(company)s and o.kind = r.kind
        and o.record_uuid = r.record_uuid and o.state in ('due', 'blocked')
        and (r.kind in ('invoice', 'payment') or o.priority > 0)
        and not exists (select from books_attempt a where a.company_id = o.company_id and a.kind = o.kind
                        and a.record_uuid = o.record_uuid and a.state = 'unknown')
        and not exists (select from books_link l where l.company_id = o.company_id and l.kind = o.kind
                        and l.record_uuid = o.record_uuid)
        and (r.kind in ('invoice', 'payment') or not exists (
            select from books_outboxrow w where w.company_id = o.company_id and w.waits_for_uuid = o.record_uuid))
    returning r.id
)
update books_runrecord r set outcome = 'cancelled' from out where r.id = out.id
"""

# The records to be taken back, each with how it stood there when the run had sent it.
WANT_BACK = """
insert into books_outboxrow (company_id, kind, record_uuid, wanted_revision, priority, take_back)
select %(company)s, r.kind, r.record_uuid, r.sent_revision, 10,
       jsonb_build_object(
           'by', %(by)s::text, 'version', r.remote_version, 'revision', r.sent_revision, 'total',
           -- payments that the run sent moved the invoice's version, and will again when they're taken back
           case when r.kind = 'invoice' and exists (
               select from books_invoice i join books_paymentallocation a on a.invoice_id = i.id
               join books_payment p on p.id = a.payment_id
               join books_runrecord q on q.run_id = r.run_id and q.kind = 'payment' and q.record_uuid = p.uuid
               where i.uuid = r.record_uuid and q.undo = 'wanted') then r.actual_total::text end,
           'besides', l.answer->>'besides')
from books_runrecord r
left join books_link l on l.company_id = %(company)s and l.kind = r.kind and l.record_uuid = r.record_uuid
where r.run_id = %(run)s and r.undo = 'wanted' order by r.id
on conflict (company_id, kind, record_uuid) do nothing
"""

MARK_UNDO = """
update books_runrecord r set undo = v.undo, undo_reason = v.reason
from unnest(%(ids)s::bigint[], %(undos)s::text[], %(reasons)s::text[]) as v(id, undo, reason)
where r.id = v.id
"""

# What an undo could take back, with all that speaks against it and is known here.
UNDO_CANDIDATES = """
select r.id, r.kind, r.record_uuid, r.outcome, r.sent_revision, r.remote_version, r.currency, r.actual_total,
       coalesce(i.revision, p.revision) as revision, coalesce(i.issue_date, p.received_date) as dated,
       coalesce(i.number, p.reference, '') as label,
       l.remote_version as version_now, l.synced_revision, l.standing,
       o.id is not null as is_asked_for,
       exists (select from books_attempt a where a.company_id = n.company_id and a.kind = r.kind
               and a.record_uuid = r.record_uuid and a.state = 'unknown') as is_uncertain,
       exists (select from books_paymentallocation a join books_payment b on b.id = a.payment_id
               join books_link bl on bl.company_id = n.company_id and bl.kind = 'payment' and bl.record_uuid = b.uuid
               where r.kind = 'invoice' and a.invoice_id = i.id and bl.standing = 'live'
                   and not exists (select from books_runrecord q where q.run_id = r.run_id and q.kind = 'payment'
                                   and q.record_uuid = b.uuid and q.outcome = 'created')) as is_paid_otherwise
from books_runrecord r
join books_backfillrun n on n.id = r.run_id
left join books_invoice i on r.kind = 'invoice' and i.uuid = r.record_uuid
left join books_payment p on r.kind = 'payment' and p.uuid = r.record_uuid
left join books_link l on l.company_id = n.company_id and l.kind = r.kind and l.record_uuid = r.record_uuid
left join books_outboxrow o on o.company_id = n.company_id and o.kind = r.kind and o.record_uuid = r.record_uuid
where r.run_id = %(run)s and r.outcome in ('created', 'linked') and r.undo = ''
order by r.id
"""

# Settled by the lane, each in the transaction of its outcome.
RECORD_UNDO = """
update books_runrecord r set undo = %(undo)s, undo_reason = %(reason)s, undo_says = %(says)s
from books_backfillrun n
where n.id = r.run_id and n.company_id = %(company)s and n.state = 'undoing' and r.undo = 'wanted'
    and r.kind = %(kind)s and r.record_uuid = %(uuid)s
"""

KEEP_ROW = """
update books_outboxrow set take_back = null, state = 'due', changed_at = now() where id = %(row)s
"""

# It's as if it had never been sent: another run may send it again, under a new generation.
FORGET_LINK = """
delete from books_link where company_id = %(company)s and kind = %(kind)s and record_uuid = %(uuid)s
"""

PUT_OUT_OF_SCOPE = """
update books_outboxrow set take_back = null, is_in_scope = false where id = %(row)s
"""

# The answers' figures beside what was foreseen of the same revision.
COMPARE_RECORDS = """
select count(*) as compared, count(*) filter (where r.sent_revision = r.revision
    and r.actual_total = r.predicted_total and coalesce(r.actual_tax, r.predicted_tax) = r.predicted_tax) as equal
from books_runrecord r
where r.run_id = %(run)s and r.outcome in ('created', 'linked') and r.predicted_total is not null
"""

# Those that weren't as foreseen, and those that weren't taken back.
LIST_RECORDS = """
select r.kind, r.record_uuid, r.currency, r.predicted_tax, r.predicted_total, r.actual_tax, r.actual_total,
       r.sent_revision <> r.revision as is_edited, r.undo_reason, r.undo_says
from books_runrecord r
where r.run_id = %(run)s and case when %(of_undo)s then r.undo = 'refused' else
    r.outcome in ('created', 'linked') and r.predicted_total is not null
    and not (r.sent_revision = r.revision and r.actual_total = r.predicted_total
             and coalesce(r.actual_tax, r.predicted_tax) = r.predicted_tax) end
order by r.id limit %(limit)s
"""

COUNT_LEFT_THERE = """
select count(*) filter (where r.kind = 'customer') as customers, count(*) filter (where r.kind = 'service') as services
from books_runrecord r where r.run_id = %(run)s and r.outcome = 'created' and r.kind in ('customer', 'service')
"""
