"""A Postgres server for one run of tests or one experiment: fast, careless of power cuts, gone afterwards."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from cone.cli.postgres.server import EmbeddedPostgres


@contextlib.contextmanager
def temporary_postgres(
    settings: Mapping[str, str] | None = None, *, template: Path | None = None
) -> Iterator[EmbeddedPostgres]:
    """Give a running server on a folder of its own, which is removed in the end.

    `template` is the home of a stopped server: the new one begins as a copy of it.
    """
    folder = Path(tempfile.mkdtemp(prefix="cone-pg-"))
    folder.chmod(0o711)  # entered by the user that Postgres runs as when we're root
    try:
        if template is not None:
            shutil.copytree(template, folder / "postgres")
        with EmbeddedPostgres(folder / "postgres", fsync=False, settings=settings) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)
