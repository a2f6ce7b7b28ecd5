"""What becomes of an error that no view expected: the database is away for a moment, or it's a fault of ours."""

import logging
import sys

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse

from cone.accounting.database import DatabaseAwayError
from cone.api import problems
from cone.web.views import errors

_API = "/api/"
# Of the server's words by their SQLSTATE: connection exceptions; shutting down, crashed, starting up; full.
_GONE_CLASSES, _FULL = ("08", "57P"), "53300"


def is_database_away(error: BaseException | None) -> bool:
    """Whether it says that the database can't be reached, has hung up, or has no connection to spare.

    Django calls much else operational, too: a lock that wasn't had in time, or a statement that was cut off.
    """
    if isinstance(error, DatabaseAwayError):
        return True
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code: str | None = getattr(error.__cause__, "sqlstate", None)
    if code is not None:
        return code.startswith(_GONE_CLASSES) or code == _FULL
    # The driver's own word: of the line where there's none any more, else of how we used it.
    line = connection.connection
    return line is None or line.closed


def server_error(request: HttpRequest) -> HttpResponse:
    """The answer to the error that is being handled: 503 while the database is away, else 500."""
    is_away = is_database_away(sys.exception())
    if request.path.startswith(_API):
        return problems.database_away() if is_away else problems.server_error()
    return errors.database_away(request) if is_away else errors.server_error(request)


class OneLineWhileAway(logging.Filter):
    """Tells of a database that is away in one line: where in our code it was missed says nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is not None and is_database_away(error):
            reason = next(iter(str(error).splitlines()), "")
            record.msg, record.args = "%s: the database is away: %s", (record.getMessage(), reason)
            record.exc_info = record.exc_text = None
        return True
