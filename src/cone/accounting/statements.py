"""The engine's SQL, one statement per constant. Its hot path: few statements per plan, whatever the number of rows.

Every statement that lets something leave, or records what came back, is gated on `lane_epoch`: a lane that lost its
lock can no longer write. Due times compare with the database's clock only.
"""

# --- the lane ---------------------------------------------------------------------------------------------------

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
       c.lane_epoch, c.settings_revision, c.facts, c.deposit_account_id, c.income_account_id,
       c.connected_at, c.send_from_date, c.not_before > now() as must_wait, w.uuid as workspace_uuid,
       coalesce(a.name, '') as deposit_account_name,
       coalesce(a.is_active and (a.detail->>'can_receive_deposits')::bool, false) as is_deposit_account_active
from books_connection c
join books_workspace w on w.id = c.workspace_id
left join books_referencerecord a
    on a.connection_id = c.id and a.kind = 'account' and a.remote_id = c.deposit_account_id
where c.id = %(connection)s
"""

TAX_CODES = """
select r.uuid, m.remote_id, m.remote_name, ref.is_active
from books_taxmapping m
join books_taxrate r on r.id = m.tax_rate_id
left join books_referencerecord ref
    on ref.connection_id = m.connection_id and ref.kind = 'tax_code' and ref.remote_id = m.remote_id
where m.connection_id = %(connection)s
"""

# The oldest live rows first, then backfill; customers and services before the invoices that need them.
DUE_ROWS = """
select o.id, o.kind, o.record_uuid, o.wanted_revision, o.priority, o.tries, o.is_in_scope,
       l.remote_id, l.remote_version, l.synced_revision, coalesce((l.answer->>'is_equal')::bool, true) as is_equal,
       coalesce((select max(g.generation) from books_attempt g
                 where g.company_id = o.company_id and g.kind = o.kind and g.record_uuid = o.record_uuid), 0)
           as last_generation,
       u.id as attempt_id, u.operation, u.revision as attempt_revision, u.request_line, u.body, u.request_id, u.sends,
       u.expected, extract(epoch from now() - u.started_at)::int as attempt_age,
       extract(epoch from now() - u.last_sent_at)::int as attempt_silence
from books_outboxrow o
left join books_link l on l.company_id = o.company_id and l.kind = o.kind and l.record_uuid = o.record_uuid
left join books_attempt u on u.company_id = o.company_id and u.kind = o.kind and u.record_uuid = o.record_uuid
    and u.state = 'unknown'
where o.company_id = %(company)s and o.state = 'due' and o.not_before <= now() and o.waits_for_uuid is null
    and o.priority <= %(lowest_priority)s
    -- an open attempt is repeated only after its own timeout: until then the first may still be executing
    and (u.id is null or u.last_sent_at + %(timeout)s <= now())
order by o.priority, array_position(array['customer', 'service', 'invoice', 'payment'], o.kind), o.id
limit %(limit)s
"""

CUSTOMERS = """
select uuid, revision, name, email, phone, tax_number, address_line1, address_line2, city, region, postal_code,
       country, currency, notes
from books_customer where uuid = any(%(uuids)s) and workspace_id = %(workspace)s
"""

SERVICES = """
select uuid, revision, name, description, unit_price from books_service
where uuid = any(%(uuids)s) and workspace_id = %(workspace)s
"""

INVOICES = """
select i.uuid, i.revision, i.status, coalesce(i.number, '') as number, c.uuid as customer_uuid, c.name as customer_name,
       c.email as customer_email, i.issued_at, i.issue_date, i.due_date, i.currency, i.amounts_are, i.memo,
       i.net, i.tax, i.total
from books_invoice i join books_customer c on c.id = i.customer_id
where i.uuid = any(%(uuids)s) and i.workspace_id = %(workspace)s
"""

LINES = """
select i.uuid as invoice_uuid, s.uuid as service_uuid, coalesce(s.name, '') as service_name, l.description, l.quantity,
       l.unit_price, l.amount, l.net, r.uuid as tax_rate_uuid, r.name as tax_rate_name, l.tax_percent
from books_invoiceline l
join books_invoice i on i.id = l.invoice_id
join books_taxrate r on r.id = l.tax_rate_id
left join books_service s on s.id = l.service_id
where i.uuid = any(%(uuids)s) and i.workspace_id = %(workspace)s
order by i.uuid, l.position
"""

LINKED = """
select kind, record_uuid, remote_id from books_link
where company_id = %(company)s and record_uuid = any(%(uuids)s)
"""

# Two of our customers may share name and address; only one of them can be the one there, and it may be the one whose
# answer is still out.
LINKED_ELSEWHERE = """
select 1 from books_link
where company_id = %(company)s and kind = %(kind)s and remote_id = %(remote_id)s and record_uuid <> %(uuid)s
    and kind <> 'service'
union all
select 1 from books_attempt
where company_id = %(company)s and kind = %(kind)s and kind = 'customer' and state = 'unknown'
    and operation = 'create' and record_uuid <> %(uuid)s
"""

# --- attempts and outcomes --------------------------------------------------------------------------------------

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

SAVE_LINK = """
insert into books_link (company_id, kind, record_uuid, remote_id, remote_version, synced_revision, answer)
values (%(company)s, %(kind)s, %(uuid)s, %(remote_id)s, %(remote_version)s, %(revision)s, %(answer)s)
on conflict (company_id, kind, record_uuid) do update set
    remote_id = excluded.remote_id, remote_version = excluded.remote_version,
    synced_revision = greatest(books_link.synced_revision, excluded.synced_revision),
    answer = excluded.answer, synced_at = now()
"""

SAVE_VERSION = """
update books_link set remote_version = %(remote_version)s
where company_id = %(company)s and kind = %(kind)s and record_uuid = %(uuid)s
"""

# Done only where nobody has asked for a later revision meanwhile.
ROW_DONE = """
delete from books_outboxrow where id = %(row)s and wanted_revision <= %(revision)s
"""

ROW_DUE = """
update books_outboxrow set state = 'due', tries = tries + %(tried)s, changed_at = now(),
       not_before = now() + %(delay)s
where id = %(row)s
"""

# Blocked only if neither the record nor the settings have moved since they were read: the share lock makes a settings
# change in flight finish first, and it moves `settings_revision` before it looks for rows to release.
ROW_BLOCKED = """
with gate as (
    select settings_revision from books_connection
    where id = %(connection)s and settings_revision = %(settings_revision)s for share
)
update books_outboxrow set state = 'blocked', cause_key = %(cause_key)s, cause = %(cause)s,
       blocked_settings_revision = %(settings_revision)s, changed_at = now()
where id = %(row)s and wanted_revision <= %(revision)s and exists (select from gate)
"""

ROW_WAITS = """
update books_outboxrow set state = 'due', waits_for_kind = %(for_kind)s, waits_for_uuid = %(for_uuid)s,
       changed_at = now()
where id = %(row)s and not exists (
    select from books_link where company_id = %(company)s and kind = %(for_kind)s and record_uuid = %(for_uuid)s)
"""

WANT_REFERRED = """
insert into books_outboxrow (company_id, kind, record_uuid, wanted_revision, priority)
values (%(company)s, %(for_kind)s, %(for_uuid)s, 1, %(priority)s)
on conflict (company_id, kind, record_uuid) do update
    set priority = least(books_outboxrow.priority, excluded.priority)
"""

RELEASE_WAITING = """
update books_outboxrow set waits_for_kind = null, waits_for_uuid = null, changed_at = now()
where company_id = %(company)s and waits_for_uuid = %(uuid)s
"""

# --- the connection ---------------------------------------------------------------------------------------------

HOLD_CONNECTION = """
update books_connection set not_before = greatest(not_before, now() + %(delay)s)
where id = %(connection)s and lane_epoch = %(epoch)s
"""

MOVE_CONNECTION = """
update books_connection set state = %(target)s::text, state_reason = %(reason)s,
       not_before = case when %(target)s::text = 'read_only' then now() + interval '1 hour' else not_before end
where id = %(connection)s and lane_epoch = %(epoch)s and state = any(%(sources)s)
"""

# --- the sweep --------------------------------------------------------------------------------------------------

RELEASE_STALE_BLOCKS = """
update books_outboxrow set state = 'due', cause_key = null, cause = null
where id in (
    select o.id from books_outboxrow o join books_connection c on c.company_id = o.company_id
    where c.state = 'connected' and o.state = 'blocked' and o.blocked_settings_revision < c.settings_revision
    order by o.id for update of o skip locked)
"""

RELEASE_LINKED_WAITS = """
update books_outboxrow set waits_for_kind = null, waits_for_uuid = null
where id in (
    select o.id from books_outboxrow o
    join books_link l on l.company_id = o.company_id and l.kind = o.waits_for_kind and l.record_uuid = o.waits_for_uuid
    order by o.id for update of o skip locked)
"""

# Whether a company that refused writing allows it again is found by trying, once an hour, when something waits.
TRY_WRITING_AGAIN = """
update books_connection c set state = 'connected'
where c.state = 'read_only' and c.not_before <= now() and c.paused_at is null
    and c.provider || ' ' || c.environment = any(%(reachable)s)
    and exists (select from books_outboxrow o where o.company_id = c.company_id and o.state = 'due'
                and o.waits_for_uuid is null and o.not_before <= now())
"""

# 'sending' too: a lane that died may have left rows so, and only taking the lane anew resets them.
CONNECTIONS_WITH_WORK = """
select c.id from books_connection c
where c.state = 'connected' and c.paused_at is null and c.not_before <= now()
    and exists (select from books_outboxrow o where o.company_id = c.company_id and o.state in ('due', 'sending')
                and o.waits_for_uuid is null and o.not_before <= now())
"""

NEXT_DUE = """
select (1000 * extract(epoch from
            min(greatest(o.not_before, c.not_before, u.last_sent_at + %(timeout)s)) - now()))::bigint as milliseconds
from books_outboxrow o join books_connection c on c.company_id = o.company_id
left join books_attempt u on u.company_id = o.company_id and u.kind = o.kind and u.record_uuid = o.record_uuid
    and u.state = 'unknown'
where c.id = %(connection)s and c.state = 'connected' and c.paused_at is null
    and o.state = 'due' and o.waits_for_uuid is null
"""
