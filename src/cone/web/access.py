"""The frame of every view of a firm's pages: method, sign-in, firm, role, and what becomes of a refusal."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from cone.domain.errors import RefusalError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.web.refusals import answer_refusal, is_fragment

P = ParamSpec("P")
Way = Callable[..., str]


def way_to(name: str, *arguments: str) -> Way:
    """The address of a page, made from those of a view's arguments that it needs."""

    def lead(**given: object) -> str:
        return reverse(name, args=[given[argument] for argument in arguments])

    return lead


class MemberRequest(HttpRequest):
    """A request of a signed-in member."""

    actor: Actor
    htmx: HtmxDetails


View = Callable[..., HttpResponseBase]
MemberView = Callable[Concatenate[MemberRequest, P], HttpResponse]


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page, and afterwards back to the page that was open."""
    if is_fragment(request):
        details: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # set by its middleware
        return HttpResponseClientRedirect(redirect_to_login(details.current_url_abs_path or "/").url)
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path())
    # Without the page's script what was typed is lost here: then it must at least not look as if it had been saved.
    messages.warning(request, "You were signed out before that arrived, so nothing of it was saved.")
    return redirect_to_login(_page_it_came_from(request))


def _page_it_came_from(request: HttpRequest) -> str:
    """The address, within Cone, of the page whose form was sent."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    is_ours = came_from.netloc == request.get_host() and came_from.path.startswith("/")
    return came_from._replace(scheme="", netloc="", fragment="").geturl() if is_ours else "/"


def member_page(
    *methods: str, needs: Permission = Permission.READ, back: Way | None = None
) -> Callable[[MemberView[P]], View]:
    """Let members with the permission in.

    `back` leads to the page that shows the message when a rule refuses the act; it gets the view's arguments.
    """
    allowed = methods or ("GET",)

    def decorate(view: MemberView[P]) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method not in (*allowed, *(("HEAD",) if "GET" in allowed else ())):
                return HttpResponseNotAllowed(allowed)
            if not request.user.is_authenticated:
                return _ask_to_sign_in(request)
            actor: Actor | None = request.actor  # type: ignore[attr-defined]  # set by current_workspace
            if actor is None:
                return redirect("firm_new")
            try:
                actor.check_may(needs)
                return view(request, *args, **kwargs)  # type: ignore[arg-type]  # it's a MemberRequest from here on
            except RefusalError as refusal:
                return answer_refusal(request, refusal, back=back(**kwargs) if back else "")

        return guarded

    return decorate
