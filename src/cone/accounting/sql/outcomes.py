"""What became of a row, its link and its connection."""

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

MOVE_CONNECTION = """
update books_connection set state = %(target)s::text, state_reason = %(reason)s,
       not_before = case when %(target)s::text = 'read_only' then now() + interval '1 hour' else not_before end
where id = %(connection)s and lane_epoch = %(epoch)s and state = any(%(sources)s)
"""
