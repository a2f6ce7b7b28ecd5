"""The async side's way to the database that Django's settings name: the lanes' hot path speaks SQL, not ORM.

Its driver is asyncpg, which costs a third of what Django's takes for a small statement (ADR 21); nothing outside this
folder knows it. `opening` is how a connection comes about, `connection` how it speaks, `pool` how several are shared.
"""

from cone.accounting.database.connection import Database, Found, Reader, Rows
from cone.accounting.database.errors import (
    DATABASE_ERRORS,
    DatabaseAwayError,
    LockNotAvailableError,
    UniqueViolationError,
)
from cone.accounting.database.opening import connect
from cone.accounting.database.pool import Pool

__all__ = [
    "DATABASE_ERRORS",
    "Database",
    "DatabaseAwayError",
    "Found",
    "LockNotAvailableError",
    "Pool",
    "Reader",
    "Rows",
    "UniqueViolationError",
    "connect",
]
