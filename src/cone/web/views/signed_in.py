"""Whether the person whose page is open is still signed in: asked by a page before it sends what was typed on it."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.middleware.csrf import get_token

from cone.operations.actor import Actor
from cone.web.whose import who_is


def signed_in(request: HttpRequest) -> HttpResponse:
    """Say who is signed in, and the token that forms carry since then; 401 when nobody is."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    actor: Actor | None = request.actor  # type: ignore[attr-defined]  # set by current_workspace
    if actor is None:
        return JsonResponse({}, status=401)
    return JsonResponse({"who": who_is(actor), "token": get_token(request)})
