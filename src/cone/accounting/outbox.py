"""The outbox: one row per record that must stand in the accounting software, written in the change's own transaction.

A row says *what must be true*, not what happened: ten edits are one row, order doesn't matter, twice does nothing.
"""

from uuid import UUID

from django.db import connection, transaction

from cone.accounting.port.documents import Kind
from cone.books.models import Connection

LANE_CHANNEL = "cone_lane"

_UPSERT = """
insert into books_outboxrow (company_id, kind, record_uuid, wanted_revision, is_in_scope)
values (%(company)s, %(kind)s, %(uuid)s, %(revision)s, %(is_in_scope)s)
on conflict (company_id, kind, record_uuid) do update set
    wanted_revision = greatest(books_outboxrow.wanted_revision, excluded.wanted_revision),
    priority = 0, is_in_scope = books_outboxrow.is_in_scope or excluded.is_in_scope,
    state = case when books_outboxrow.state = 'sending' then 'sending' else 'due' end,
    not_before = least(books_outboxrow.not_before, now()),
    tries = 0, cause_key = null, cause = null, waits_for_kind = null, waits_for_uuid = null,
    changed_at = now()
"""


def find_active_connection(workspace_id: int) -> Connection | None:
    """The workspace's connection, whatever its state but disconnected."""
    mine = Connection.objects.filter(workspace_id=workspace_id).select_related("company")
    return mine.exclude(state="disconnected").first()


def _find_one_being_made(workspace_id: int) -> Connection | None:
    """Look again behind the workspace's row, which connecting locks while it looks for what changed meanwhile.

    So a change that crosses a sign-in either waits here and sees the connection, or is waited for and seen by it.
    """
    with connection.cursor() as cursor:
        cursor.execute("select 1 from books_workspace where id = %s for key share", [workspace_id])
    return find_active_connection(workspace_id)


def enqueue(*, workspace_id: int, kind: Kind, record_uuid: UUID, revision: int, is_in_scope: bool = False) -> None:
    """Ask that a record stand there in `revision` or later; wakes the lane once the transaction commits.

    Call it in the transaction that changes the record. Does nothing while no accounting software is connected: what
    is in scope then is found when it is. `is_in_scope`: send it whatever its date, because it's issued right now or a
    person asked for it; otherwise an invoice from before the connection stays here until a start date brings it in.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("enqueue belongs in the transaction that changes the record")
    active = find_active_connection(workspace_id) or _find_one_being_made(workspace_id)
    if active is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _UPSERT,
            {
                "company": active.company_id,
                "kind": kind,
                "uuid": record_uuid,
                "revision": revision,
                "is_in_scope": is_in_scope,
            },
        )
    wake(active.pk)


def wake(connection_id: int) -> None:
    """Notify the workers at commit. Postgres folds equal notifications of one transaction into one."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_notify(%s, %s)", [LANE_CHANNEL, str(connection_id)])
