"""Which of the records found there is the one that a create made, if any: decided by what was sent. Pure.

The platform's marker decides; a customer's name alone proves nothing. Where nothing decides, a person chooses among
what could be it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cone.accounting.port.documents import RemoteRecord
from cone.accounting.port.sent import SentRecord

# The platform's clock may differ from ours by this much (api: second line).
_CLOCKS_DIFFER = timedelta(minutes=5)
_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Undecided:
    """Any of these could be it, or none."""

    records: tuple[RemoteRecord, ...]


def judge(
    sent: SentRecord, found: Sequence[RemoteRecord], *, uuid: UUID, sent_at: datetime | None
) -> RemoteRecord | Undecided | None:
    """The record that this create made, what could be it, or None where nothing there could."""
    if sent.kind == "service":
        # An item of the name is the item to use, whoever made it.
        return found[0] if found else None
    if sent.kind == "customer":
        return _judge_customers(sent, found, sent_at)
    marked = [record for record in found if record.marker == str(uuid)]
    if len(marked) == 1:
        return marked[0]
    # Another mark is another record of ours; no mark at all may be one that somebody edited there.
    possible = marked or [record for record in found if not record.marker]
    return Undecided(tuple(possible[:_MOST_SHOWN])) if possible else None


def _judge_customers(
    sent: SentRecord, found: Sequence[RemoteRecord], sent_at: datetime | None
) -> RemoteRecord | Undecided | None:
    """Of the name that was sent: the same address settles it, and so does having been made when we sent it."""
    for record in found:
        is_same = record.email.casefold() == sent.email.casefold()
        if is_same and (sent.email or is_made_since(record, sent_at)):
            return record
    return Undecided(tuple(found[:_MOST_SHOWN])) if found else None


def is_made_since(record: RemoteRecord, sent_at: datetime | None) -> bool:
    """Whether it can have been made by what was sent then."""
    if record.created_at is None or sent_at is None:
        return False
    return record.created_at >= sent_at - _CLOCKS_DIFFER


def holds_the_name(found: RemoteRecord | Undecided | None, sent_at: datetime | None) -> bool:
    """Whether what was found is why a create sent then can't have been done yet: it had the name before.

    It could be renamed, a linked customer by us and an item by the bookkeeper, and that create be done after all: it's
    left as it is until that can't come any more.
    """
    if not isinstance(found, RemoteRecord) or found.kind not in ("customer", "service"):
        return False
    return not is_made_since(found, sent_at)


def candidates_to_json(records: Sequence[RemoteRecord]) -> list[dict[str, str]]:
    """Candidates as they're kept with a cause."""
    return [
        {
            "remote_id": record.remote_id,
            "version": record.version,
            "label": record.number or record.name,
            "email": record.email,
            "customer_id": record.customer_id or "",
            "total": "" if record.total is None else f"{record.total:f}",
            "date": record.issue_date.isoformat() if record.issue_date else "",
            "created_at": record.created_at.isoformat() if record.created_at else "",
            "kept": record.kept,
        }
        for record in records
    ]


def list_stored(cause: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """The candidates of a stored cause."""
    stored: list[dict[str, str]] = (cause or {}).get("candidates") or []
    return stored
