"""Settings › Integrations: what can be connected, what is, how it's doing."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import redirect, render

from cone.accounting.connections import State
from cone.accounting.overview import list_provider_cards, read_flow
from cone.accounting.runs.reading import find_latest_run
from cone.accounting.values import ConnectionView
from cone.domain.permissions import Permission
from cone.operations.confirm_compared import confirm_compared
from cone.operations.connect_provider import finish_connecting, start_connecting
from cone.operations.disconnect_provider import disconnect_provider
from cone.operations.pause_sync import pause_sync
from cone.operations.resume_sync import resume_sync
from cone.operations.sync_now import sync_all, sync_cause, try_writing_again
from cone.web.access import MemberRequest, member_page, way_to
from cone.web.causes import list_cause_rows
from cone.web.context import connection_of
from cone.web.flow import FlowDiagram, draw_flow


@member_page()
def integrations(request: MemberRequest) -> HttpResponse:
    workspace_id = request.actor.workspace.pk
    connection = connection_of(request)
    return render(
        request,
        "settings/integrations.html",
        {
            "cards": list_provider_cards(workspace_id),
            "connection": connection,
            "flow": _flow(workspace_id, is_live=connection is not None),
            "causes": list_cause_rows(workspace_id) if connection else (),
            "run": find_latest_run(workspace_id) if connection else None,
        },
    )


def _flow(workspace_id: int, *, is_live: bool) -> FlowDiagram:
    return draw_flow(read_flow(workspace_id), is_live=is_live)


@member_page()
def flow(request: MemberRequest) -> HttpResponse:
    """The diagram alone, for its refresh; the card's counts come along out of band."""
    workspace_id = request.actor.workspace.pk
    connection = connection_of(request)
    return render(
        request,
        "settings/_flow.html",
        {"flow": _flow(workspace_id, is_live=connection is not None), "connection": connection, "is_swap": True},
    )


def _redirect_uri(provider: str) -> str:
    return f"{settings.BASE_URL}/settings/integrations/{provider}/callback"


def _session_key(request: MemberRequest) -> str:
    return cast("str", request.session.session_key)  # a signed-in session always has one


@member_page("POST", needs=Permission.INTEGRATIONS, back=way_to("integrations"))
def connect(request: MemberRequest, provider: str) -> HttpResponse:
    """Off to the provider's own sign-in."""
    url = start_connecting(
        request.actor,
        provider_key=provider,
        session_key=_session_key(request),
        redirect_uri=_redirect_uri(provider),
    )
    return HttpResponseRedirect(url)


@member_page("GET", needs=Permission.INTEGRATIONS, back=way_to("integrations"))
def callback(request: MemberRequest, provider: str) -> HttpResponse:
    """Back from the provider, with a code or a refusal. The state, good for one return, is for a GET alone."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    connection = finish_connecting(
        request.actor,
        query=request.GET.dict(),
        session_key=_session_key(request),
        redirect_uri=_redirect_uri(provider),
    )
    still = " The sync is still paused." if connection.is_paused else ""
    messages.success(request, f"Connected to {connection.company_name}.{still}")
    return redirect("integrations")


@member_page("GET", "POST", needs=Permission.INTEGRATIONS, back=way_to("integrations"))
def disconnect(request: MemberRequest) -> HttpResponse:
    """GET asks (for browsers without dialogs); POST does it."""
    connection = connection_of(request)
    if connection is None:
        return redirect("integrations")
    if request.method != "POST":
        return render(request, "settings/disconnect.html", {"connection": connection})
    disconnect_provider(request.actor)
    messages.success(request, f"{connection.provider_name} is disconnected and its settings are removed.")
    return redirect("integrations")


@member_page("POST", needs=Permission.INTEGRATIONS, back=way_to("integrations"))
def pause(request: MemberRequest) -> HttpResponse:
    pause_sync(request.actor)
    messages.success(request, "Sync is paused. Changes wait here until you resume; none is lost.")
    return redirect("integrations")


@member_page("POST", needs=Permission.INTEGRATIONS, back=way_to("integrations"))
def resume(request: MemberRequest) -> HttpResponse:
    resume_sync(request.actor)
    messages.success(request, f"Sync is on again. {_say_what_goes(connection_of(request))}")
    return redirect("integrations")


def _say_what_goes(connection: ConnectionView | None) -> str:
    if connection is None or connection.state == State.CONNECTED:
        return "What waited is being sent in its latest state."
    again = "is connected again" if connection.state == State.NEEDS_RECONNECT else "can be written to again"
    return f"What waits goes once {connection.provider_name} {again}."


@member_page("POST", needs=Permission.INTEGRATIONS, back=way_to("integrations"))
def compared(request: MemberRequest) -> HttpResponse:
    """The books were restored from an older copy, and somebody has compared them."""
    confirm_compared(request.actor)
    messages.success(request, "Noted: the restored books are compared.")
    return redirect("integrations")


@member_page("POST", back=way_to("integrations"))
def sync_everything(request: MemberRequest) -> HttpResponse:
    """Try again: one cause's records, or all that need attention."""
    cause_key = request.POST.get("cause", "").replace("\0", "")
    if cause_key:
        sync_cause(request.actor, cause_key)
    else:
        sync_all(request.actor)
    messages.success(request, "Trying again now.")
    return redirect("integrations")


@member_page("POST", back=way_to("integrations"))
def try_writing(request: MemberRequest) -> HttpResponse:
    """What kept the company from being written to is solved."""
    try_writing_again(request.actor)
    messages.success(request, "Trying again now.")
    return redirect("integrations")
