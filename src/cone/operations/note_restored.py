"""After restoring an older copy of the database: what it doesn't know to be there is looked for before it's sent."""

from django.db import connection, transaction
from django.db.models.functions import Now

from cone.books.models import Connection

# Generation 0 is nobody's: a record keeps the request ids that it would have had, so that an answer which is still
# remembered is given again. A verdict that is no plain no has the plan look first (`may_have_arrived`).
_NOTE = """
insert into books_attempt (company_id, connection_id, kind, record_uuid, revision, operation, generation, request_id,
                           request_line, body, sends, lane_epoch, state, verdict, message, finished_at)
select company.id, latest.id, record.kind, record.uuid, 1, 'create', 0, 'restored:' || record.uuid, '', '{}', 0, 0,
       'failed', 'restored', 'The books were restored from an older copy: it is looked for before it is sent.', now()
from books_remotecompany company
join lateral (select max(id) as id from books_connection where company_id = company.id) latest on latest.id is not null
join (
    select workspace_id, uuid, 'customer' as kind from books_customer
    union all select workspace_id, uuid, 'invoice' from books_invoice
    union all select workspace_id, uuid, 'payment' from books_payment
) record on record.workspace_id = company.workspace_id
where not exists (
    select from books_link link
    where link.company_id = company.id and link.kind = record.kind and link.record_uuid = record.uuid)
on conflict (company_id, request_id) do nothing
"""


@transaction.atomic
def note_restored() -> int:
    """Have every record that isn't linked looked for before it's sent the first time; how many were noted now.

    It costs one metered request for each of them that is sent. Doing it again notes nothing twice. Each connection says
    on its page that it happened, until a person has compared what was sent since the copy. Nothing here tells whether
    the books were restored again since, so it's said anew each time, also where an owner had ended it.
    """
    Connection.objects.exclude(state="disconnected").update(restored_at=Now())
    with connection.cursor() as cursor:
        cursor.execute(_NOTE)
        count: int = cursor.rowcount
    return count
