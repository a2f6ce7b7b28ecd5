"""Around every page: the Content-Security-Policy, and who is asking in which firm."""

from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_cache_control

from cone.books.amounts import language_of
from cone.operations.actor import Actor, find_actor

GetResponse: TypeAlias = Callable[[HttpRequest], HttpResponseBase]

SESSION_KEY = "workspace"
# Where "Connect" may lead: Chromium holds redirects of a form's answer to form-action too.
_INTUIT_SIGN_IN = "https://appcenter.intuit.com"


def build_policy(emulator_url: str) -> str:
    """The Content-Security-Policy: nothing but our own files, and no inline script or style."""
    sign_in = [_INTUIT_SIGN_IN]
    if emulator_url:
        parts = urlsplit(emulator_url)
        sign_in.append(f"{parts.scheme}://{parts.netloc}")
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            f"form-action 'self' {' '.join(sign_in)}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ]
    )


def content_security_policy(get_response: GetResponse) -> GetResponse:
    """Send the policy with every answer, errors and static files included."""
    policy = build_policy(settings.EMULATOR_URL)

    def add_policy(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers["Content-Security-Policy"] = policy
        return response

    return add_policy


def _actor_of(request: HttpRequest) -> Actor | None:
    """The signed-in person in the firm they chose last, or in their first one; None without a firm."""
    if not request.user.is_authenticated:
        return None
    chosen = _as_uuid(request.session.get(SESSION_KEY))
    # A firm chosen once may have been left since.
    return (find_actor(request.user, workspace_uuid=chosen) if chosen else None) or find_actor(request.user)


def _as_uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None


def current_workspace(get_response: GetResponse) -> GetResponse:
    """Set `request.actor`, and show figures the way the firm's country writes them."""

    def set_actor(request: HttpRequest) -> HttpResponseBase:
        actor = _actor_of(request)
        request.actor = actor  # type: ignore[attr-defined]  # declared by access.MemberRequest
        with translation.override(language_of(actor.workspace.country if actor else "gb")):
            response = get_response(request)
        if request.user.is_authenticated:
            # A shared computer's Back button must not show the books after signing out.
            patch_cache_control(response, private=True, no_store=True)
        return response

    return set_actor
