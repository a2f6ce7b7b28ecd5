"""What can go wrong with a statement: it was refused, or the database is away."""

from typing import TypeAlias

import asyncpg


class DatabaseAwayError(Exception):
    """The database can't be reached, has hung up, or has no connection to spare; nothing says that a statement failed.

    What was under way may have been committed.
    """


UniqueViolationError: TypeAlias = asyncpg.UniqueViolationError
LockNotAvailableError: TypeAlias = asyncpg.LockNotAvailableError
# All that a statement may raise: it was refused, or the database is away.
DATABASE_ERRORS = (asyncpg.PostgresError, DatabaseAwayError)
# What the driver raises: the server's words, and what becomes of a line that is lost, some of it as usage errors.
DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


def away(error: Exception, by: str = "") -> DatabaseAwayError:
    """What the driver said, as ours; and what it was told `by`, where that says more."""
    return DatabaseAwayError(f"{type(error).__name__}: {error}" + (f" ({by})" if by else ""))


def find_away(error: Exception) -> DatabaseAwayError | None:
    """What an error says of the line, which then is of no more use; None when it speaks of the statement."""
    if isinstance(error, asyncpg.PostgresError):
        is_fatal = getattr(error, "severity_en", None) in ("FATAL", "PANIC")
        is_line = is_fatal or isinstance(error, asyncpg.PostgresConnectionError)
    else:
        # A value of another type than its placeholder's is a usage error, too: a bug of ours.
        is_line = not isinstance(error, ValueError)
    return away(error) if is_line else None
