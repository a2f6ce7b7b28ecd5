"""Error pages in the product's look. They use no database: it may be what broke."""

import logging
from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.template.loader import render_to_string

_log = logging.getLogger(__name__)

_AWAY = int(HTTPStatus.SERVICE_UNAVAILABLE)
# A restart takes about as long.
_RETRY_AFTER_SECONDS = 5
_PASSWORDS_BELOW = "/accounts/"


def _error_page(status: HTTPStatus, heading: str, text: str) -> HttpResponse:
    html = render_to_string("errors/error.html", {"status": int(status), "heading": heading, "text": text})
    return HttpResponse(html, status=int(status))


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return _error_page(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "That's too much at once",
            "Nothing was saved. Send less text and try again.",
        )
    return _error_page(
        HTTPStatus.BAD_REQUEST,
        "We couldn't read that request",
        "Nothing was saved. Go back, reload the page and try again.",
    )


def csrf_failure(_request: HttpRequest, reason: str = "") -> HttpResponse:
    _log.info("refused a form without a valid token: %s", reason)
    return _error_page(
        HTTPStatus.FORBIDDEN,
        "This page had gone stale",
        "Nothing was saved. You may have signed in or out in another tab, or cookies are turned off: "
        "go back, reload the page and try again.",
    )


def forbidden(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  # Django names it
    return _error_page(HTTPStatus.FORBIDDEN, "Not allowed", "You can't open this page.")


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  # Django names it
    return _error_page(
        HTTPStatus.NOT_FOUND, "There's nothing here", "The page may have moved, or it belongs to another firm."
    )


def server_error(_request: HttpRequest) -> HttpResponse:
    return _error_page(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something broke on our side",
        "It has been logged. What you typed was not saved; try again in a moment.",
    )


def database_away(request: HttpRequest) -> HttpResponse:
    """503. A page asks again by itself; a form that was sent stays here with all that was typed, to be sent again."""
    if request.headers.get("HX-Request"):
        # What refreshes itself asks again anyway, and the page's own script says why it stands still.
        response = HttpResponse("The database can't be reached just now.", status=_AWAY, content_type="text/plain")
    else:
        context = {
            "retry_seconds": _RETRY_AFTER_SECONDS if request.method == "GET" else 0,
            "sent": _read_sent(request) if request.method == "POST" else (),
            "request": request,
        }
        response = HttpResponse(render_to_string("errors/database_away.html", context), status=_AWAY)
    response.headers["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _read_sent(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields as they came, with the token that they came with: a form of somebody else's site has none of ours.

    None of them where one is a password, which belongs on no page, nor where they can't be read.
    """
    if request.path.startswith(_PASSWORDS_BELOW):
        return []
    try:
        return [(name, str(value)) for name, values in request.POST.lists() for value in values]
    except (SuspiciousOperation, UnreadablePostError):
        return []
