"""What was sent, and what came of it: of one record, and of the whole firm. Every attempt, in words.

A change is told against the attempt before it of the same record, read back from the stored bytes of both.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet

from cone.accounting.conclusions import Conclusion
from cone.accounting.facts import as_kind
from cone.accounting.labels import label_records
from cone.accounting.port.documents import Kind
from cone.accounting.port.provider import WireRequest
from cone.accounting.registry import get_provider
from cone.accounting.values import AttemptView, FieldChange
from cone.books.models import Attempt, RemoteCompany
from cone.books.queries.paging import Page, cut_page

_MOST_ON_A_RECORD = 20
_WRITES = ("create", "update")

# What became of it, as people say it.
VERDICT_WORDS: Mapping[str, str] = {
    Conclusion.ON_ITS_WAY: "on its way",
    Conclusion.UNKNOWN: "no answer yet",
    Conclusion.SENT: "accepted",
    Conclusion.FOUND: "found there",
    Conclusion.THEIRS: "there already",
    Conclusion.CHOSEN: "chosen by a person",
    Conclusion.REMOVED: "done there",
    Conclusion.TAKEN_BACK: "taken back there",
    Conclusion.GIVEN_UP: "given up by a person",
    Conclusion.NOT_THERE: "not there",
    Conclusion.NOT_DONE: "not done there",
    Conclusion.KEPT: "left as it stands there",
    Conclusion.GHOST: "started over",
    Conclusion.RESTORED: "restored from a copy",
    Conclusion.TRY_LATER: "asked to wait",
    Conclusion.REJECTED: "refused",
    Conclusion.STALE: "changed there meanwhile",
    Conclusion.GONE: "no longer there",
    Conclusion.THEIRS_REFUSED: "refused with what was added there",
    Conclusion.RECONNECT: "sign-in refused",
    Conclusion.MISCONFIGURED: "not allowed",
}


def list_record_history(company: RemoteCompany, kind: Kind, uuid: UUID) -> tuple[AttemptView, ...]:
    """The latest attempts of one record, newest first, each with what it changed."""
    mine = Attempt.objects.filter(company=company, kind=kind, record_uuid=uuid).order_by("-started_at", "-id")
    found = list(mine[: _MOST_ON_A_RECORD + 1])
    fields = [_read_fields(company, attempt) for attempt in found]
    return tuple(
        _view(attempt, changes=_changes(fields[place], fields[place + 1 :]))
        for place, attempt in enumerate(found[:_MOST_ON_A_RECORD])
    )


def list_attempts(workspace_id: int, *, outcome: str, page: int) -> Page[AttemptView]:
    """All attempts of a firm, newest first; `outcome` is one of succeeded, failed, unknown, or empty for all."""
    companies = list(RemoteCompany.objects.filter(workspace_id=workspace_id).values_list("pk", flat=True))
    found = Attempt.objects.filter(company_id__in=companies)
    if outcome:
        found = found.filter(state=outcome)
    ordered = found.order_by("-started_at", "-id").defer("body", "request_line", "expected")
    return cut_page(found.count(), page, lambda part: _read_page(ordered, part))


def _read_page(found: QuerySet[Attempt], part: slice) -> tuple[AttemptView, ...]:
    attempts = list(found[part])
    labels = label_records([(as_kind(attempt.kind), attempt.record_uuid) for attempt in attempts])
    return tuple(
        _view(attempt, label=labels.get((as_kind(attempt.kind), attempt.record_uuid), "")) for attempt in attempts
    )


def _view(attempt: Attempt, *, changes: Sequence[FieldChange] = (), label: str = "") -> AttemptView:
    return AttemptView(
        at=attempt.started_at,
        operation=attempt.operation,
        revision=attempt.revision,
        outcome=attempt.state,
        message=attempt.message,
        http_status=attempt.http_status,
        tid=attempt.tid,
        milliseconds=_milliseconds(attempt),
        kind=as_kind(attempt.kind),
        uuid=attempt.record_uuid,
        label=label,
        # Another version of Cone may know more of them.
        verdict=VERDICT_WORDS.get(attempt.verdict, attempt.verdict),
        sends=attempt.sends,
        changes=tuple(changes),
    )


def _milliseconds(attempt: Attempt) -> int | None:
    if attempt.finished_at is None:
        return None
    return (attempt.finished_at - attempt.last_sent_at) // timedelta(milliseconds=1)


def _read_fields(company: RemoteCompany, attempt: Attempt) -> Mapping[str, str] | None:
    """What a create or update said; None for what carries no fields of the record."""
    if attempt.operation not in _WRITES:
        return None
    request = WireRequest(line=attempt.request_line, body=bytes(attempt.body))
    return get_provider(company.provider).read_fields(request)


def _changes(sent: Mapping[str, str] | None, earlier: Iterable[Mapping[str, str] | None]) -> tuple[FieldChange, ...]:
    if sent is None:
        return ()
    before = next((fields for fields in earlier if fields is not None), None)
    return compare(before or {}, sent)


def compare(before: Mapping[str, str], sent: Mapping[str, str]) -> tuple[FieldChange, ...]:
    """What was said otherwise than before, in the order it was sent; then the lines that are no longer there.

    A field that an update leaves out stays as it is there, so only lines can go by not being sent.
    """
    changed = [
        FieldChange(name, before.get(name, ""), value) for name, value in sent.items() if before.get(name) != value
    ]
    gone = [
        FieldChange(name, value, "") for name, value in before.items() if name.startswith("Line ") and name not in sent
    ]
    return (*changed, *gone)
