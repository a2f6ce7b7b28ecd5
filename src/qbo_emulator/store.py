"""The journal under the books: an append-only log, written before an answer is sent and read at the start.

Memory is authoritative while the process lives. Without a data directory nothing is kept. What later entries have
replaced is left out when the log is written anew, which happens at a start or when it has grown large.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .earlier_store import take_over
from .jsonio import Json, decode, encode
from .ledger_log import LedgerLog


class DataInUseError(OSError):
    """Another emulator is running on this directory."""


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


Change = tuple[str, tuple[Any, ...]]
_LARGEST_LOG = 1_000_000_000
_SMALLEST_WASTE = 4_000_000
_LARGEST_ENTRY = 1000  # changes


@dataclass(slots=True)
class _Found:
    """The last word of a log on everything, in the order in which it first came."""

    records: dict[tuple[str, str, str], tuple[Any, ...]] = field(default_factory=dict)
    replays: dict[tuple[str, str], tuple[Any, ...]] = field(default_factory=dict)
    facts: dict[tuple[str, str], tuple[Any, ...]] = field(default_factory=dict)

    def take(self, name: str, values: tuple[Any, ...]) -> None:
        if name == "record":
            self.records[values[0], values[1], values[2]] = values
        elif name == "replay":
            self.replays[values[0], values[1]] = values
        elif name == "fact":
            self.facts[values[0], values[1]] = values
        elif name == "forget fact":
            self.facts.pop((values[0], values[1]), None)
        elif name == "forget records":
            self.records = {key: each for key, each in self.records.items() if key[0] != values[0]}
        elif name == "forget replays":
            self.replays = {key: each for key, each in self.replays.items() if key[0] != values[0]}

    def changes(self) -> list[Change]:
        return [
            *(("record", each) for each in self.records.values()),
            *(("replay", each) for each in self.replays.values()),
            *(("fact", each) for each in self.facts.values()),
        ]

    def size(self) -> int:
        """About how many bytes of the log are still worth something."""
        return (
            sum(len(values[4]) for values in self.records.values())
            + sum(len(values[3]) for values in self.replays.values())
            + sum(len(values[2]) for values in self.facts.values())
        )


class Journal:
    """Writes and, at the start, reads back; every method that writes is one entry: all of it or nothing survives."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._log: LedgerLog | None = None
        self._found = _Found()
        self._held: list[tuple[str, list[Row], Replay | None]] | None = None
        self.on_write: Callable[[str, list[Row]], None] | None = None
        self.writes = 0
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(directory / "emulator.lock")
            take_over(directory)
            self._log = LedgerLog(directory / "emulator.log")
            self._found = _read(self._log)
            if self._log.size > 2 * self._found.size() + _SMALLEST_WASTE:
                self._rewrite(self._found)

    def forget_found(self) -> None:
        """Let go of what was read at the start, once it has been taken over."""
        self._found = _Found()

    def _rewrite(self, found: _Found) -> None:
        """Write the log anew without what has been replaced; a kill in between leaves the old one."""
        if self._log is None or self._directory is None:
            return
        fresh = self._directory / "emulator.log.new"
        fresh.unlink(missing_ok=True)
        log = LedgerLog(fresh)
        changes = found.changes()
        for at in range(0, len(changes), _LARGEST_ENTRY):
            log.append(changes[at : at + _LARGEST_ENTRY])
        self._log.close()
        log.rename(self._directory / "emulator.log")
        self._log = log

    def close(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None
            os.close(self._lock)

    def _run(self, changes: list[Change]) -> None:
        if self._log is None:
            return
        self._log.append(changes)
        if self._log.size > _LARGEST_LOG:
            self._rewrite(_read(self._log))

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Make what is written in the block one entry, at its end; for many changes that one answer acknowledges."""
        held: list[tuple[str, list[Row], Replay | None]] = []
        self._held = held
        try:
            yield
        finally:
            self._held = None
            # Encoding all of them at once is several times cheaper than each amid its own work.
            if held and self._log is not None:
                self._run([change for write in held for change in _changes(*write)])

    def write(self, realm: str, rows: list[Row], replay: Replay | None = None) -> None:
        """Make changes durable, then tell who watches; the books show them only afterwards."""
        self.writes += 1
        if self._held is not None:
            self._held.append((realm, rows, replay))
        elif self._log is not None:
            self._run(_changes(realm, rows, replay))
        if self.on_write is not None and rows:
            self.on_write(realm, rows)

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
        """What was found at the start, as are replays and facts."""
        for realm, entity, number, deleted_at, body in self._found.records.values():
            yield realm, Row(entity, number, decode(body), deleted_at)

    def replays(self) -> Iterator[tuple[str, Replay]]:
        for realm, *values in self._found.replays.values():
            yield realm, Replay(*values)

    def facts(self) -> Iterator[tuple[str, str, Json]]:
        for kind, key, body in self._found.facts.values():
            yield kind, key, decode(body)


def _lock(path: Path) -> int:
    """Two emulators on one directory would overwrite each other's memory; raises DataInUseError."""
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise DataInUseError("another emulator is running on it") from error
    return file


def _read(log: LedgerLog) -> _Found:
    found = _Found()
    for entry in log.entries():
        for name, values in entry:
            found.take(name, values)
    return found


def _changes(realm: str, rows: list[Row], replay: Replay | None) -> list[Change]:
    changes: list[Change] = [("record", (realm, row.entity, row.id, row.deleted_at, encode(row.body))) for row in rows]
    if replay is not None:
        kept = (realm, replay.request_id, replay.status, replay.body, replay.at, replay.digest)
        changes.append(("replay", kept))
    return changes
