"""An append-only file of entries: one write to the operating system each, so that a killed process loses nothing.

An entry that was cut off by the kill was never acknowledged; reading stops before it.
"""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

_HEAD = 8  # length and checksum, four bytes each
_encoder = msgspec.msgpack.Encoder()


class LedgerLog:
    """Opened for the life of the process; entries are lists of anything MessagePack knows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600)
        self.size = os.fstat(self._file).st_size

    def append(self, entry: list[Any]) -> None:
        """Hand an entry to the operating system; raises OSError and leaves no half of one behind."""
        body = _encoder.encode(entry)
        text = len(body).to_bytes(4) + zlib.crc32(body).to_bytes(4) + body
        try:
            written = os.write(self._file, text)
            while written < len(text):
                written += os.write(self._file, text[written:])
        except OSError:
            os.ftruncate(self._file, self.size)
            raise
        self.size += len(text)

    def entries(self) -> Iterator[list[Any]]:
        """All whole entries, oldest first."""
        text = self._path.read_bytes()
        at = 0
        while at + _HEAD <= len(text):
            length, checksum = int.from_bytes(text[at : at + 4]), int.from_bytes(text[at + 4 : at + _HEAD])
            body = text[at + _HEAD : at + _HEAD + length]
            if len(body) < length or zlib.crc32(body) != checksum:
                return
            yield msgspec.msgpack.decode(body)
            at += _HEAD + length

    def clear(self) -> None:
        os.ftruncate(self._file, 0)
        self.size = 0

    def close(self) -> None:
        os.close(self._file)
