"""Data directories of version 0.1.0, which folded the log into an SQLite file at each start."""

import sqlite3
from contextlib import closing
from pathlib import Path

from .ledger_log import LedgerLog

_TABLES = {
    "record": "SELECT realm, entity, id, deleted_at, body FROM record",
    "replay": "SELECT realm, request_id, status, body, at, digest FROM replay",
    "fact": "SELECT kind, key, body FROM fact",
}


def take_over(directory: Path) -> None:
    """Put what such a file holds before the log's own entries; a kill in between only means that it is done again."""
    file = directory / "emulator.sqlite3"
    if not file.exists():
        return
    later, fresh = LedgerLog(directory / "emulator.log"), LedgerLog(directory / "emulator.log.new")
    fresh.clear()
    try:
        with closing(sqlite3.connect(file)) as database:
            for name, statement in _TABLES.items():
                fresh.append([(name, values) for values in database.execute(statement)])
    except sqlite3.Error as error:
        raise OSError(f"{file.name} cannot be read: {error}") from error
    for entry in later.entries():
        fresh.append(entry)
    later.close()
    fresh.rename(directory / "emulator.log")
    fresh.close()
    file.unlink()
    for suffix in ("-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
