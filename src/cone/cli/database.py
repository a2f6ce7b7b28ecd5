"""Which database a command works on: DATABASE_URL, the running `cone up`'s, or an embedded one of its own."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from cone.cli.places import Places
from cone.cli.postgres import EmbeddedPostgres
from cone.cli.refusals import StartRefusedError


@contextlib.contextmanager
def hold_data_dir(places: Places) -> Iterator[bool]:
    """Be the one `cone up` of this data folder; say whether the last one ended in good order.

    Raises StartRefusedError when there's another.
    """
    with places.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise StartRefusedError(
                f"Cone is already running on {places.data_dir} (process {lock.read().strip()})."
                " Stop that one first, or choose another folder with --data-dir."
            ) from error
        lock.seek(0)
        ended_well = not lock.read()
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield ended_well
        lock.truncate(0)


def get_running_database(places: Places) -> str:
    """Return DATABASE_URL or the address of the running `cone up`'s database, for parts that run beside it."""
    if os.environ.get("DATABASE_URL"):
        return os.environ["DATABASE_URL"]
    if not _is_up(places):
        raise StartRefusedError("There's no database: set DATABASE_URL, or start everything with `cone up`.")
    return places.database_url.read_text().strip()


@contextlib.contextmanager
def open_database(places: Places) -> Iterator[str]:
    """Give the address of the database that a single command should work on, started if need be."""
    if os.environ.get("DATABASE_URL") or _is_up(places):
        yield get_running_database(places)
    else:
        with EmbeddedPostgres(places.postgres) as server:
            yield server.dsn


def _is_up(places: Places) -> bool:
    with places.lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return places.database_url.is_file()
    return False
