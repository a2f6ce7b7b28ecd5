"""What became of rows, their links and their connection. What goes for one row goes for many: one is a list of one."""

# Everything that arrived in one request, in one statement: it's the hot path.
# Where the lane isn't ours any more nothing is written. `due` tells whether something can go now because of it;
# `changed` are the rows of which a later revision was asked for meanwhile.
DELIVERED = """
with gate as (
    select id from books_connection where id = %(connection)s and lane_epoch = %(epoch)s for no key update
), given as (
    select * from unnest(%(rows)s::bigint[], %(attempts)s::bigint[], %(kinds)s::text[], %(uuids)s::uuid[],
        %(revisions)s::bigint[], %(statuses)s::int[], %(tids)s::text[], %(remote_ids)s::text[],
        %(remote_versions)s::text[], %(standings)s::text[], %(answers)s::text[])
        as v(row, attempt, kind, uuid, revision, http_status, tid, remote_id, remote_version, standing, answer)
    where exists (select from gate)
), closed as (
    update books_attempt a set state = 'succeeded', verdict = 'sent', http_status = given.http_status, tid = given.tid,
        message = '', finished_at = clock_timestamp()
    from given where a.id = given.attempt
), linked as (
    insert into books_link (company_id, kind, record_uuid, remote_id, remote_version, synced_revision, standing,
                            is_made_here, answer)
    select %(company)s, kind, uuid, remote_id, remote_version, revision, standing, true, answer::jsonb from given
    on conflict (company_id, kind, record_uuid) do update set
        remote_id = excluded.remote_id, remote_version = excluded.remote_version,
        synced_revision = greatest(books_link.synced_revision, excluded.synced_revision),
        answer = excluded.answer, standing = excluded.standing, synced_at = now()
), released as (
    update books_outboxrow set waits_for_kind = null, waits_for_uuid = null, changed_at = now()
    where company_id = %(company)s and waits_for_uuid in (select uuid from given)
    returning id
), done as (
    delete from books_outboxrow o using given where o.id = given.row and o.wanted_revision <= given.revision
    returning o.id
), unfinished as (
    update books_outboxrow o set state = 'due', changed_at = now(), not_before = now()
    from given where o.id = given.row and o.id not in (select id from done)
    returning o.id
)
select (select count(*) from gate) as lanes,
       exists (select from released) or exists (select from unfinished) as due,
       array(select id from unfinished) as changed
"""

SAVE_LINKS = """
insert into books_link (company_id, kind, record_uuid, remote_id, remote_version, synced_revision, answer, standing,
                        is_made_here)
select %(company)s, kind, uuid, remote_id, remote_version, revision, answer::jsonb, standing, is_made_here
from unnest(%(kinds)s::text[], %(uuids)s::uuid[], %(remote_ids)s::text[], %(remote_versions)s::text[],
    %(revisions)s::bigint[], %(answers)s::text[], %(standings)s::text[], %(made_here)s::bool[])
    as v(kind, uuid, remote_id, remote_version, revision, answer, standing, is_made_here)
on conflict (company_id, kind, record_uuid) do update set
    remote_id = excluded.remote_id, remote_version = excluded.remote_version,
    synced_revision = greatest(books_link.synced_revision, excluded.synced_revision),
    answer = excluded.answer, standing = excluded.standing, synced_at = now()
"""

# What is theirs goes with its version.
SAVE_VERSION = """
update books_link set remote_version = %(remote_version)s, standing = %(standing)s,
       answer = answer - 'kept' - 'kept_refused' || case when %(kept)s::text = '' then '{}'
           else jsonb_build_object('kept', %(kept)s::text) end
where company_id = %(company)s and kind = %(kind)s and record_uuid = %(uuid)s
"""

# The next update goes without theirs; refused as well, it wasn't for them, and they're said again after the mend.
PUT_THEIRS_ASIDE = """
update books_link set answer = answer - 'kept' || jsonb_build_object('kept_refused', answer->'kept')
where company_id = %(company)s and kind = %(kind)s and record_uuid = %(uuid)s
"""

TAKE_THEIRS_BACK = """
update books_link set answer = answer - 'kept_refused' || jsonb_build_object('kept', answer->'kept_refused')
where company_id = %(company)s and kind = %(kind)s and record_uuid = %(uuid)s and answer ? 'kept_refused'
"""

# It's referred to no more until it was read again. Nothing where another one there is it by now. Whatever else its own
# row waits for a person for can't be had of one that is lost: it's read first.
DOUBT_CUSTOMER = """
with doubted as (
    update books_link set standing = 'unsure'
    where company_id = %(company)s and kind = 'customer' and record_uuid = %(uuid)s and remote_id = %(remote_id)s
    returning company_id, kind, record_uuid
)
update books_outboxrow o set state = 'due', cause_key = null, cause = null, tries = 0, not_before = now(),
       changed_at = now()
from doubted
where o.company_id = doubted.company_id and o.kind = doubted.kind and o.record_uuid = doubted.record_uuid
    and o.state = 'blocked' and o.cause ->> 'code' not in ('customer_lost', 'outcome_uncertain')
"""

# Taken back there: what its answer said last is kept, but for what counts no more.
MARK_LINK = """
update books_link set standing = %(standing)s, synced_at = now(), answer = answer || %(answer)s,
       remote_version = coalesce(nullif(%(remote_version)s, ''), remote_version),
       synced_revision = greatest(synced_revision, %(revision)s)
where company_id = %(company)s and kind = %(kind)s and record_uuid = %(uuid)s
"""

# Done only where nobody has asked for a later revision meanwhile; the others are due again. What isn't deleted must be
# updated, whatever its revision looked like: a request that commits in between would leave it as "sending" for ever.
ROWS_DONE = """
with given as (
    select * from unnest(%(rows)s::bigint[], %(revisions)s::bigint[]) as v(id, revision)
), done as (
    delete from books_outboxrow o using given where o.id = given.id and o.wanted_revision <= given.revision
    returning o.id
)
update books_outboxrow o set state = 'due', changed_at = now(), not_before = now()
from given where o.id = given.id and o.id not in (select id from done)
"""

ROWS_DUE = """
update books_outboxrow set state = 'due', tries = tries + %(tried)s, changed_at = now(),
       not_before = now() + %(delay)s
where id = any(%(rows)s)
"""

# Blocked only if neither the record nor the settings have moved since they were read: the share lock makes a settings
# change in flight finish first, and it moves `settings_revision` before it looks for rows to release.
ROWS_BLOCKED = """
with gate as (
    select settings_revision from books_connection
    where id = %(connection)s and settings_revision = %(settings_revision)s for share
)
update books_outboxrow o set state = 'blocked', cause_key = v.cause_key, cause = v.cause,
       blocked_settings_revision = %(settings_revision)s, changed_at = now()
from unnest(%(rows)s::bigint[], %(revisions)s::bigint[], %(cause_keys)s::text[], %(causes)s::jsonb[])
    as v(id, revision, cause_key, cause)
where o.id = v.id and o.wanted_revision <= v.revision and exists (select from gate)
returning o.id
"""

# Until the other one is linked; or, though it is, until it has gone through the queue once more. Not for what a stopped
# run took out meanwhile: the next look asks for it again.
ROWS_WAIT = """
update books_outboxrow o set state = 'due', waits_for_kind = v.for_kind, waits_for_uuid = v.for_uuid,
       changed_at = now()
from unnest(%(rows)s::bigint[], %(for_kinds)s::text[], %(for_uuids)s::uuid[], %(until_settled)s::bool[])
    as v(id, for_kind, for_uuid, until_settled)
where o.id = v.id and (v.until_settled or not exists (
    select from books_link l
    where l.company_id = %(company)s and l.kind = v.for_kind and l.record_uuid = v.for_uuid
        and (l.kind <> 'customer' or l.standing = 'live')))
    and exists (
    select from books_outboxrow w
    where w.company_id = %(company)s and w.kind = v.for_kind and w.record_uuid = v.for_uuid)
returning o.id
"""

# What something more urgent waits for is as urgent.
ROW_IS_URGENT = """
update books_outboxrow set priority = %(priority)s
where company_id = %(company)s and kind = %(kind)s and record_uuid = %(uuid)s and priority > %(priority)s
"""

LOST_ITEM_IS_DUE = """
update books_outboxrow set state = 'due', cause_key = null, cause = null, tries = 0, not_before = now(),
       changed_at = now()
where company_id = %(company)s and kind = 'service' and kind = %(kind)s and record_uuid = %(uuid)s
    and state = 'blocked' and cause ->> 'code' = 'removed_there'
"""

# Tells of each record that was asked for now whether it's due; in any case whether the lane is ours.
# Services are held as they are, before their rows, as saving them does: one that's being saved is waited for and told
# as it becomes, one that's saved after this finds its row and raises what that wants.
WANT_REFERRED = """
with gate as (
    select id from books_connection where id = %(connection)s and lane_epoch = %(epoch)s for no key update
), service as materialized (
    select uuid, revision from books_service where uuid = any(%(for_uuids)s::uuid[]) order by id for share
), wanted as (
    insert into books_outboxrow (company_id, kind, record_uuid, wanted_revision, priority)
    select %(company)s, v.for_kind, v.for_uuid, 1, v.priority
    from unnest(%(for_kinds)s::text[], %(for_uuids)s::uuid[], %(priorities)s::int[])
        as v(for_kind, for_uuid, priority)
    where exists (select from gate) and (select count(*) from service) is not null
    order by v.for_kind, v.for_uuid
    on conflict (company_id, kind, record_uuid) do update set priority = excluded.priority
    where books_outboxrow.priority > excluded.priority
    returning id, kind, record_uuid, wanted_revision, priority, tries, is_in_scope,
              (select coalesce(max(p.generation), 0) from books_attempt p
               where p.company_id = books_outboxrow.company_id and p.kind = books_outboxrow.kind
                   and p.record_uuid = books_outboxrow.record_uuid) as last_generation,
              state = 'due' and take_back is null and waits_for_uuid is null
              and not_before <= clock_timestamp() and not exists (
                  select from books_attempt u
                  where u.company_id = books_outboxrow.company_id and u.kind = books_outboxrow.kind
                      and u.record_uuid = books_outboxrow.record_uuid and u.state = 'unknown') as is_due
)
select (select count(*) from gate) as lanes, w.*, s.revision as service_revision
from (values (1)) as always left join wanted w on true left join service s on s.uuid = w.record_uuid
"""

RELEASE_WAITING = """
update books_outboxrow set waits_for_kind = null, waits_for_uuid = null, changed_at = now()
where company_id = %(company)s and waits_for_uuid = any(%(uuids)s)
"""

MOVE_CONNECTION = """
update books_connection set state = %(target)s::text, state_reason = %(reason)s,
       not_before = case when %(target)s::text = 'read_only' then now() + interval '1 hour' else not_before end
where id = %(connection)s and lane_epoch = %(epoch)s and state = any(%(sources)s)
"""

IS_PENDING = """
select 1 from books_invoice where uuid = %(uuid)s and number is null and status <> 'draft'
"""

# A number once given never changes: only an invoice without one takes it.
ADOPT_NUMBER = """
with numbered as (
    update books_invoice set number = %(number)s, updated_at = now()
    where uuid = %(uuid)s and number is null and status <> 'draft'
        and workspace_id = (select workspace_id from books_remotecompany where id = %(company)s)
    returning workspace_id, uuid
)
insert into books_activity (workspace_id, kind, record_uuid, verb, detail, at)
select workspace_id, 'invoice', uuid, 'numbered', jsonb_build_object('number', %(number)s::text), now() from numbered
"""

SAVE_NAME = """
insert into books_remotename (company_id, kind, record_uuid, own_name, remote_name)
values (%(company)s, %(kind)s, %(uuid)s, %(own_name)s, %(remote_name)s)
on conflict (company_id, kind, record_uuid) do update
    set own_name = excluded.own_name, remote_name = excluded.remote_name, chosen_at = now()
"""
