"""The test database, for connections that a test opens by itself."""

from typing import Any

from django.db import connection
from psycopg.conninfo import make_conninfo


def conninfo() -> str:
    """Its libpq connection string."""
    settings: dict[str, Any] = connection.get_connection_params()
    known = ("dbname", "user", "password", "host", "port", "options")
    return make_conninfo(**{key: settings[key] for key in known if settings.get(key)})
