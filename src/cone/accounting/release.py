"""Sends again what a change of settings may have mended, and what a person asks for.

The caller holds the connection's row and has moved `settings_revision` *before* calling: a lane that blocks a record at
the same moment either sees the new revision (and plans again) or has finished (and is seen here).
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from cone.accounting.outbox import wake
from cone.accounting.port.documents import Kind
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.sql import outcomes as outcomes_sql
from cone.books.models import Connection

_RELEASE = """
update books_outboxrow
set state = 'due', cause_key = null, cause = null, tries = 0, not_before = now(), changed_at = now()
where company_id = %(company)s and state = 'blocked'
"""


# One of several causes that a record has may be mended before the one it's listed under.
_HAS_CAUSE = """
cause_key = any(%(keys)s) or exists (
    select from jsonb_array_elements(cause -> 'also') as more where more ->> 'key' = any(%(keys)s))
"""


def release_all(active: Connection) -> int:
    """Make every blocked record due; the number of them."""
    return _release(active, "", [])


def release_causes(active: Connection, keys: Sequence[str]) -> int:
    """Make the records of these causes due; the number of them."""
    return _release(active, f" and ({_HAS_CAUSE})", list(keys))


def release_where_voided(active: Connection) -> int:
    """Make due what was voided here and waits for a person, or for the books, there; the number of them."""
    causes = "('voided_here', 'payment_applied', 'removal_period_closed')"
    return _release(active, f" and split_part(cause_key, ':', 1) in {causes}", [])


def release_codes(active: Connection, codes: Sequence[CauseCode]) -> int:
    """Make the records of these kinds of causes due; the number of them."""
    return _release(active, " and cause ->> 'code' = any(%(keys)s)", [code.value for code in codes])


def release_record(active: Connection, kind: Kind, uuid: UUID) -> None:
    """Make one record due, whether it's blocked or waits for its next try."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update books_outboxrow set state = 'due', cause_key = null, cause = null, tries = 0, not_before = now(), "
            "waits_for_kind = null, waits_for_uuid = null, changed_at = now() "
            "where company_id = %s and kind = %s and record_uuid = %s and state <> 'sending'",
            [active.company_id, kind, uuid],
        )
        # A create without an answer is looked for now, too; what comes of that is decided as ever.
        cursor.execute(
            "update books_attempt set looked_at = null "
            "where company_id = %s and kind = %s and record_uuid = %s and state = 'unknown'",
            [active.company_id, kind, uuid],
        )
    wake(active.pk)


def release_waiting(active: Connection, uuid: UUID) -> None:
    """Put what waited for a record that is linked now back into the queue."""
    with connection.cursor() as cursor:
        cursor.execute(outcomes_sql.RELEASE_WAITING, {"company": active.company_id, "uuids": [uuid]})


def _release(active: Connection, condition: str, keys: list[str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE + condition, {"company": active.company_id, "keys": keys})
        released: int = cursor.rowcount
    wake(active.pk)
    return released
