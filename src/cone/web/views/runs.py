"""Settings › Integrations › Preview, and the runs that send existing invoices: progress, result, undo."""

from datetime import date
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from cone.accounting.preview.summary import read_preview
from cone.accounting.preview.values import Action
from cone.accounting.runs.reading import find_run, list_runs
from cone.accounting.runs.values import RunView
from cone.books.models import BackfillRun
from cone.books.queries.paging import PAGE_SIZE, Page
from cone.domain.errors import RecordNotFoundError
from cone.domain.permissions import Permission
from cone.operations.cancel_run import cancel_run
from cone.operations.send_existing_invoices import RunUnderWayError, send_existing_invoices
from cone.operations.undo_run import preview_undo, undo_run
from cone.web.access import MemberRequest, member_page, way_to
from cone.web.causes import card_rows
from cone.web.context import connection_of
from cone.web.foresight import action_tabs, outlook_rows
from cone.web.forms.fields import attempt
from cone.web.forms.integrations import StartDateForm
from cone.web.parameters import read_page_number


@member_page(back=way_to("integrations"))
def preview(request: MemberRequest) -> HttpResponse:
    """What would be sent: existing invoices since the date asked for, else everything that waits."""
    if connection_of(request) is None:
        return redirect("integrations")
    form = StartDateForm(request.GET if "from_date" in request.GET else None)
    if form.is_bound and not form.is_valid():
        return render(request, "settings/preview.html", {"start": form}, status=422)
    from_date: date | None = form.cleaned_data["from_date"] if form.is_bound else None
    only = _read_action(request)
    number = read_page_number(request)
    found = read_preview(
        request.actor.workspace.pk,
        from_date=from_date,
        now=timezone.now(),
        only=only,
        start=(number - 1) * PAGE_SIZE,
        size=PAGE_SIZE,
    )
    if found is None:
        return redirect("integrations")
    context = {
        "start": form if form.is_bound else StartDateForm(),
        "preview": found,
        "tabs": action_tabs(found, only),
        "only": only,
        "rows": outlook_rows(found),
        "causes": card_rows(found.causes),
        "found": Page(items=found.shown, number=number, total_count=found.shown_count),
        "invoice_count": found.count_kind("invoice"),
        "payment_count": found.count_kind("payment"),
    }
    return render(request, "settings/preview.html", context)


def _read_action(request: MemberRequest) -> Action | None:
    try:
        return Action(request.GET.get("show", ""))
    except ValueError:
        return None


@member_page("POST", needs=Permission.INTEGRATIONS, back=way_to("manage"))
def run_start(request: MemberRequest) -> HttpResponse:
    """Send existing invoices since the date."""
    form = StartDateForm(request.POST)

    def start() -> BackfillRun:
        return send_existing_invoices(request.actor, form.cleaned_data["from_date"])

    try:
        run = attempt(form, start, beyond=(RunUnderWayError,))
    except RunUnderWayError as refusal:
        # Its own page says how far it is, and can stop it.
        messages.error(request, str(refusal))
        return redirect("run", uuid=refusal.run_uuid)
    if run is None:
        return render(request, "settings/preview.html", {"start": form}, status=422)
    if _is_paused(request):
        messages.info(request, "Existing invoices wait with the others, and go once the sync is resumed.")
    else:
        messages.success(request, "Existing invoices are on their way. New invoices go first meanwhile.")
    return redirect("run", uuid=run.uuid)


@member_page(back=way_to("integrations"))
def runs(request: MemberRequest) -> HttpResponse:
    return render(request, "settings/runs.html", {"runs": list_runs(request.actor.workspace.pk)})


@member_page(back=way_to("runs"))
def run(request: MemberRequest, uuid: UUID) -> HttpResponse:
    return render(request, "settings/run.html", {"run": _get_run(request, uuid)})


@member_page(back=way_to("runs"))
def run_progress(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """How far it has come, alone, for its refresh."""
    return render(request, "settings/_run.html", {"run": _get_run(request, uuid)})


def _is_paused(request: MemberRequest) -> bool:
    active = connection_of(request)
    return active is not None and active.is_paused


def _get_run(request: MemberRequest, uuid: UUID) -> RunView:
    found = find_run(request.actor.workspace.pk, uuid)
    if found is None:
        raise RecordNotFoundError
    return found


@member_page("POST", needs=Permission.INTEGRATIONS, back=way_to("run", "uuid"))
def run_cancel(request: MemberRequest, uuid: UUID) -> HttpResponse:
    cancel_run(request.actor, uuid)
    messages.success(request, "Stopped. What is under way finishes; the rest stays in Cone.")
    return redirect("run", uuid=uuid)


@member_page("GET", "POST", needs=Permission.INTEGRATIONS, back=way_to("run", "uuid"))
def run_undo(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """GET says what it would come to (in the dialog, or as a page without one); POST does it."""
    if request.method != "POST":
        context = {"plan": preview_undo(request.actor, uuid), "run_uuid": uuid}
        return render(request, "settings/_undo.html" if request.htmx else "settings/undo.html", context)
    undo_run(request.actor, uuid, by=request.POST.get("by", ""))
    if _is_paused(request):
        messages.info(request, "It's taken back once the sync is resumed.")
    else:
        messages.success(request, "Being taken back now.")
    return redirect("run", uuid=uuid)
