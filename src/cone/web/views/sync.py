"""The sync panel of a record, and "Sync now"."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from cone.accounting.history import list_attempts
from cone.accounting.port.documents import Kind
from cone.operations.resolve_uncertain import link_candidate, send_again
from cone.operations.sync_now import sync_record
from cone.web.access import MemberRequest, member_page
from cone.web.links import record_url
from cone.web.panel import check_record, read_panel
from cone.web.parameters import read_page_number


def _panel(request: MemberRequest, kind: Kind, uuid: UUID) -> HttpResponse:
    return render(request, "sync/_refresh.html", {"panel": read_panel(request.actor.workspace.pk, kind, uuid)})


@member_page()
def sync_panel(request: MemberRequest, kind: str, uuid: UUID) -> HttpResponse:
    """The panel for its refresh, and the page's note above it on what is to be removed there."""
    check_record(request.actor.workspace.pk, kind, uuid)
    return _panel(request, cast("Kind", kind), uuid)


def _way_back(kind: str, uuid: UUID) -> str:
    """The record's page; of a kind that has none there's no way back but the dashboard."""
    return record_url(cast("Kind", kind), uuid) if kind in ("customer", "service", "invoice", "payment") else "/"


OUTCOMES = ("failed", "unknown", "succeeded")


@member_page()
def sync_history(request: MemberRequest) -> HttpResponse:
    """Everything that was sent and what came of it, of the whole firm."""
    outcome = request.GET.get("outcome", "")
    outcome = outcome if outcome in OUTCOMES else ""
    found = list_attempts(request.actor.workspace.pk, outcome=outcome, page=read_page_number(request))
    rows = [(attempt, record_url(attempt.kind, attempt.uuid)) for attempt in found.items]
    return render(request, "sync/history.html", {"found": found, "rows": rows, "outcome": outcome})


@member_page("POST", back=_way_back)
def sync_choose(request: MemberRequest, kind: str, uuid: UUID) -> HttpResponse:
    """A person's answer about an uncertain record: it's this one there, or it isn't there."""
    check_record(request.actor.workspace.pk, kind, uuid)
    known_kind = cast("Kind", kind)  # checked above
    remote_id = request.POST.get("remote_id", "").replace("\0", "")
    if remote_id:
        link_candidate(request.actor, known_kind, uuid, remote_id=remote_id)
        messages.success(request, "Linked. What differs here is being sent as a change of that record.")
    else:
        send_again(request.actor, known_kind, uuid)
        messages.success(request, "It's being sent again.")
    return redirect(record_url(known_kind, uuid))


@member_page("POST", back=_way_back)
def sync_now(request: MemberRequest, kind: str, uuid: UUID) -> HttpResponse:
    check_record(request.actor.workspace.pk, kind, uuid)
    known_kind = cast("Kind", kind)  # checked above
    sync_record(request.actor, known_kind, uuid)
    if request.htmx:
        return _panel(request, known_kind, uuid)
    messages.success(request, "Trying again now.")
    return redirect(record_url(known_kind, uuid))
