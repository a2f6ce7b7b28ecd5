"""Send invoices that are older than the connection, from a date the firm chooses."""

from datetime import date

from django.db import connection, transaction

from cone.accounting.connections import NotConnectedError
from cone.accounting.outbox import find_active_connection, wake
from cone.accounting.overview import EXISTING, count_existing, existing_values
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.sync_settings import get_locked_connection

# Priority 10: live invoices overtake.
_WANT = f"""
insert into books_outboxrow (company_id, kind, record_uuid, wanted_revision, priority)
select %(company)s, 'invoice', i.uuid, i.revision, 10 {EXISTING}
order by i.issue_date, i.id
on conflict (company_id, kind, record_uuid) do nothing
"""  # made of constants


def count_existing_invoices(actor: Actor, from_date: date) -> int:
    """How many would be sent. Raises: NotAllowedError, NotConnectedError."""
    actor.check_may(Permission.INTEGRATIONS)
    active = find_active_connection(actor.workspace.pk)
    if active is None:
        raise NotConnectedError
    return count_existing(active, from_date)


# The payments of those invoices follow; of invoices that are there already they don't, since what was paid before the
# connection may have been recorded there by hand. Wanted first: an invoice on its way isn't among the existing ones.
_WANT_PAYMENTS = f"""
insert into books_outboxrow (company_id, kind, record_uuid, wanted_revision, priority, is_in_scope)
select %(company)s, 'payment', p.uuid, p.revision, 10, true
from books_payment p
where p.workspace_id = %(workspace)s and p.voided_at is null
    and exists (select from books_paymentallocation a
                where a.payment_id = p.id and a.invoice_id in (select i.id {EXISTING}))
    and not exists (select from books_link pl
                    where pl.company_id = %(company)s and pl.kind = 'payment' and pl.record_uuid = p.uuid)
order by p.received_date, p.id
on conflict (company_id, kind, record_uuid) do nothing
"""  # noqa: S608  # made of constants


@transaction.atomic
def send_existing_invoices(actor: Actor, from_date: date) -> int:
    """Bring issued invoices dated since then into scope, their customers and payments with them; how many invoices.

    Raises: NotAllowedError, NotConnectedError.
    """
    active = get_locked_connection(actor)
    if active.send_from_date is None or from_date < active.send_from_date:
        active.send_from_date = from_date
    active.settings_revision += 1
    active.save(update_fields=["send_from_date", "settings_revision"])
    with connection.cursor() as cursor:
        cursor.execute(_WANT_PAYMENTS, existing_values(active, from_date))
        cursor.execute(_WANT, existing_values(active, from_date))
        added: int = cursor.rowcount
    wake(active.pk)
    note(actor, "connection", active.uuid, "existing_sent", from_date=from_date.isoformat(), count=str(added))
    return added
