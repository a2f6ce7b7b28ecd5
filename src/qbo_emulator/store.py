"""The journal under the books: an append-only log, written before an answer is sent, over one SQLite file.

Memory is authoritative while the process lives. The log is folded into the file at the start, which is when the file is
read. Without a data directory there is neither.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .jsonio import Json, decode, encode
from .ledger_log import LedgerLog

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    realm TEXT NOT NULL, entity TEXT NOT NULL, id TEXT NOT NULL, deleted_at TEXT, body BLOB NOT NULL,
    PRIMARY KEY (realm, entity, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS replay (
    realm TEXT NOT NULL, request_id TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL,
    at INTEGER NOT NULL DEFAULT 0, digest TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (realm, request_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fact (
    kind TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One changed record; deleted_at turns it into the trace of a deletion."""

    entity: str
    id: str
    body: Json
    deleted_at: str | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer to be given again for a request id."""

    request_id: str
    status: int
    body: bytes
    at: int = 0
    digest: str = ""


_STATEMENTS = {
    "record": "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)",
    "replay": "INSERT OR REPLACE INTO replay VALUES (?, ?, ?, ?, ?, ?)",
    "fact": "INSERT OR REPLACE INTO fact VALUES (?, ?, ?)",
    "forget fact": "DELETE FROM fact WHERE kind = ? AND key = ?",
    "forget records": "DELETE FROM record WHERE realm = ?",
    "forget replays": "DELETE FROM replay WHERE realm = ?",
}
Change = tuple[str, tuple[Any, ...]]
_LARGEST_LOG = 256_000_000


class Journal:
    """Writes and, at the start, reads back; every method that writes is one entry: all of it or nothing survives."""

    def __init__(self, directory: Path | None) -> None:
        self._db: sqlite3.Connection | None = None
        self.on_write: Callable[[str, list[Row]], None] | None = None
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(directory / "emulator.sqlite3", isolation_level=None, timeout=3)
            # Two emulators on one directory would overwrite each other's memory.
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
            self._widen()
            self._log = LedgerLog(directory / "emulator.log")
            self._fold()

    def _widen(self) -> None:
        """Add what a file of an earlier version does not have."""
        if self._db is None:
            return
        present = {str(row[1]) for row in self._db.execute("PRAGMA table_info(replay)")}
        for column, kind in (("at", "INTEGER NOT NULL DEFAULT 0"), ("digest", "TEXT NOT NULL DEFAULT ''")):
            if column not in present:
                self._db.execute(f"ALTER TABLE replay ADD COLUMN {column} {kind}")

    def _fold(self) -> None:
        """Take the log over into the file; a kill in between only means that it is done again."""
        if self._db is None or not self._log.size:
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for entry in self._log.entries():
                for name, values in entry:
                    self._db.execute(_STATEMENTS[name], values)
        except sqlite3.Error:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        self._log.clear()

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._log.close()
            self._db = None

    def _run(self, changes: list[Change]) -> None:
        if self._db is None:
            return
        self._log.append(changes)
        if self._log.size > _LARGEST_LOG:
            self._fold()

    def write(self, realm: str, rows: list[Row], replay: Replay | None = None) -> None:
        """Make changes durable, then tell who watches; the books show them only afterwards."""
        if self._db is not None:
            self._store(realm, rows, replay)
        if self.on_write is not None and rows:
            self.on_write(realm, rows)

    def _store(self, realm: str, rows: list[Row], replay: Replay | None) -> None:
        changes: list[Change] = [
            ("record", (realm, row.entity, row.id, row.deleted_at, encode(row.body))) for row in rows
        ]
        if replay is not None:
            kept = (realm, replay.request_id, replay.status, replay.body, replay.at, replay.digest)
            changes.append(("replay", kept))
        self._run(changes)

    def keep_facts(self, facts: Iterable[tuple[str, str, Json | None]]) -> None:
        """Store facts beside the books (apps, tokens, settings); a None body forgets one."""
        self._run(
            [
                ("forget fact", (kind, key)) if body is None else ("fact", (kind, key, encode(body)))
                for kind, key, body in facts
            ]
        )

    def forget_realm(self, realm: str) -> None:
        self._run([("forget records", (realm,)), ("forget replays", (realm,))])

    def rows(self) -> Iterator[tuple[str, Row]]:
        if self._db is not None:
            for realm, entity, number, deleted_at, body in self._db.execute(
                "SELECT realm, entity, id, deleted_at, body FROM record"
            ):
                yield realm, Row(entity, number, decode(body), deleted_at)

    def replays(self) -> Iterator[tuple[str, Replay]]:
        if self._db is not None:
            columns = "realm, request_id, status, body, at, digest"
            for realm, *values in self._db.execute(f"SELECT {columns} FROM replay"):  # noqa: S608 - a constant
                yield realm, Replay(*values)

    def facts(self) -> Iterator[tuple[str, str, Json]]:
        if self._db is not None:
            for kind, key, body in self._db.execute("SELECT kind, key, body FROM fact"):
                yield kind, key, decode(body)
