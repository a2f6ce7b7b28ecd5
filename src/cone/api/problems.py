"""What went wrong, as machines read it: problem documents (RFC 9457) with a code of ours."""

from http import HTTPStatus

from django.http import HttpResponse, JsonResponse

RETRY_AFTER_SECONDS = 5


def _problem(status: HTTPStatus, *, code: str, detail: str) -> HttpResponse:
    document = {"type": "about:blank", "title": status.phrase, "status": int(status), "code": code, "detail": detail}
    return JsonResponse(document, status=int(status), content_type="application/problem+json")


def database_away() -> HttpResponse:
    """503, and when to ask again."""
    response = _problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        code="database_away",
        detail="The database can't be reached at this moment. What was asked for may have been done; ask again.",
    )
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response


def server_error() -> HttpResponse:
    """500: a fault of ours, which is logged."""
    return _problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, code="server_error", detail="Something broke on our side. It has been logged."
    )
