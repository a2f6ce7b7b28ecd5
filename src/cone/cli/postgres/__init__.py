"""A Postgres server of our own: found, started, watched and stopped without anybody's help."""

from cone.cli.postgres.server import EmbeddedPostgres, PostgresStartError

__all__ = ["EmbeddedPostgres", "PostgresStartError"]
