"""The month's allowance of requests, for pages and operations: whether it's used up, and a person's word that it isn't.

Reads and batches are metered there and single writes are not, so a refused one of those holds back what begins with a
look or repeats a batch, and nothing else.
"""

from datetime import datetime, timedelta
from typing import Literal

from django.db import connection
from django.db.models.functions import Now

from cone.accounting.sql import holds as holds_sql
from cone.books.models import Connection

_ROWS_DUE = """
update books_outboxrow set not_before = now()
where company_id = %(company)s and state = 'due' and not_before > now() + make_interval(secs => %(longer_than)s)
"""
# No back-off of a record is as long: what waits longer was put off by a hold.
_LONGER_THAN_ANY_BACKOFF = timedelta(minutes=10)


def read_allowance(active: Connection) -> tuple[Literal["", "reads", "everything"], datetime | None]:
    """What is held back because the allowance is used up, and until when."""
    # Asked of the database's clock, and only in the rare month when there's something to ask.
    mine = Connection.objects.filter(pk=active.pk)
    if active.is_allowance_used and mine.filter(not_before__gt=Now()).exists():
        return "everything", active.not_before
    if active.reads_not_before is not None and mine.filter(reads_not_before__gt=Now()).exists():
        return "reads", active.reads_not_before
    return "", None


def note_reads_used_up(active: Connection) -> None:
    """A page's read was refused: the lane needn't ask as well. `active` is the connection as it was before the read."""
    with connection.cursor() as cursor:
        values = {"connection": active.pk, "epoch": active.lane_epoch, "try_now_at": active.try_now_at}
        cursor.execute(holds_sql.HOLD_READS, values)


def lift_hold(active: Connection) -> None:
    """Try now whatever a used-up allowance holds back: a person asked for it, or a read was answered.

    The next refusal holds it again, but for one of a request from before. What a former connection's hold put off is
    tried too. Call it in a transaction that holds the connection's row. A platform that merely asked to slow down is
    still heeded.
    """
    is_held = active.is_allowance_used or active.reads_not_before is not None
    if active.is_allowance_used:
        active.not_before = Now()
    active.is_allowance_used, active.reads_not_before, active.try_now_at = False, None, Now()
    active.save(update_fields=["not_before", "is_allowance_used", "reads_not_before", "try_now_at"])
    _make_due(active.company_id, longer_than=timedelta() if is_held else _LONGER_THAN_ANY_BACKOFF)


def _make_due(company_pk: int, *, longer_than: timedelta) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ROWS_DUE, {"company": company_pk, "longer_than": longer_than.seconds})
