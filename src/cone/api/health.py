"""Whether this process can serve: it can reach its database."""

from django.db import connection
from django.db.utils import OperationalError
from django.http import HttpRequest, JsonResponse


def health(_request: HttpRequest) -> JsonResponse:
    """Answer 200 {"status": "ok"}, or 503 when the database can't be reached."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except OperationalError:
        return JsonResponse({"status": "database unreachable"}, status=503)
    return JsonResponse({"status": "ok"})
