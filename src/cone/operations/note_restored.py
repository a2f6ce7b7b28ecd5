"""After restoring an older copy of the database: what it doesn't know to be there is looked for before it's sent."""

from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models.functions import Now

from cone.accounting.conclusions import Conclusion
from cone.books.models import Connection, RemoteCompany

# Generation 0 is nobody's: a record keeps the request ids that it would have had, so that an answer which is still
# remembered is given again. A verdict that is no plain no has the plan look first (`given_up`). Services
# need none: they're looked for unless the lists say that there's no item of the name, and what they said is forgotten.
_NOTE = """
insert into books_attempt (company_id, connection_id, kind, record_uuid, revision, operation, generation, request_id,
                           request_line, body, sends, lane_epoch, state, verdict, message, finished_at)
select company.id, latest.id, record.kind, record.uuid, 1, 'create', 0, 'restored:' || record.uuid, '', '{}', 0, 0,
       'failed', %(verdict)s, 'The books were restored from an older copy: it is looked for before it is sent.', now()
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


# A restored dump makes all tables anew, and so does a new cluster. Restored files are the same tables again.
_MAKING = "select system_identifier || ':' || 'books_remotecompany'::regclass::oid from pg_control_system()"


@dataclass(frozen=True, slots=True)
class Noted:
    """How many records were noted now, and the firms that have compared these books already: they aren't told again."""

    records: int
    compared: tuple[str, ...]


@transaction.atomic
def note_restored(*, is_another: bool = False) -> Noted:
    """Have every record that isn't linked looked for before it's sent the first time, and every service.

    It costs one metered request for each of them that is sent. Doing it again notes nothing twice. The page of each
    company's connection, the present one or a later one, says that it happened, until a person has compared what was
    sent since the copy. `is_another`: the same files were restored again since, which nothing here tells.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, {"verdict": Conclusion.RESTORED.value})
        count: int = cursor.rowcount
        cursor.execute(_MAKING)
        (making,) = cursor.fetchone()
    Connection.objects.exclude(missing_items=[]).update(missing_items=[])
    companies = RemoteCompany.objects.filter(pk__in=Connection.objects.values("company"))
    if is_another:
        companies.update(restored_in="")
    compared = companies.filter(restored_in=making, restored_at__isnull=True).order_by("workspace__name")
    names = tuple(compared.values_list("workspace__name", flat=True).distinct())
    companies.exclude(restored_in=making).update(restored_at=Now(), restored_in=making)
    return Noted(count, names)
