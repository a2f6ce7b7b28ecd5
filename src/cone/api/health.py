"""Whether this process can serve: it can reach its database. The log tells an outage once, however often it's asked."""

import logging
import threading

from django.db import connection
from django.db.utils import OperationalError
from django.http import HttpRequest, JsonResponse

logger = logging.getLogger(__name__)

_PATH = "/healthz"


class _Outage:
    """Whether the database was away when this process was asked last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_on = False

    def begin(self, error: BaseException) -> None:
        with self._lock:
            is_new, self._is_on = not self._is_on, True
        if is_new:
            reason = next(iter(str(error).splitlines()), "")
            logger.error("the database is away, and %s answers 503 until it's back: %s", _PATH, reason)

    def end(self) -> None:
        with self._lock:
            was_on, self._is_on = self._is_on, False
        if was_on:
            logger.info("the database is back, and %s answers 200 again", _PATH)


_outage = _Outage()


class OncePerOutage(logging.Filter):
    """Drops what Django tells of each 503 here. Who is signed in is read before the view, and may miss it too."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record says something else, which is told as ever."""
        request = getattr(record, "request", None)
        if getattr(record, "status_code", None) != 503 or getattr(request, "path_info", "") != _PATH:
            return True
        if isinstance(record.exc_info, tuple) and (error := record.exc_info[1]) is not None:
            _outage.begin(error)
        return False


def health(_request: HttpRequest) -> JsonResponse:
    """Answer 200 {"status": "ok"}, or 503 when the database can't be reached."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except OperationalError as error:
        _outage.begin(error)
        return JsonResponse({"status": "database unreachable"}, status=503)
    _outage.end()
    return JsonResponse({"status": "ok"})
