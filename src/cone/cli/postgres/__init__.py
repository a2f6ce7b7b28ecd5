"""A Postgres server of our own: found, started, watched and stopped without anybody's help."""

from cone.cli.postgres.server import EmbeddedPostgres
from cone.cli.postgres.site import PostgresStartError
from cone.cli.postgres.temporary import temporary_postgres

__all__ = ["EmbeddedPostgres", "PostgresStartError", "temporary_postgres"]
