"""A log of entries in memory that is shared with a file: it belongs to the kernel, so that a kill loses nothing.

Nothing waits for the disk: a power cut may lose the latest seconds. An entry that was cut off was never acknowledged;
reading stops before it.
"""

import mmap
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

_HEAD = 8  # length and checksum, four bytes each
_FIRST_ROOM = 1_000_000
_LARGEST_STEP = 16_000_000
_encoder = msgspec.msgpack.Encoder()


class LedgerLog:
    """Opened for the life of the process; entries are lists of anything MessagePack knows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        self._shared: mmap.mmap | None = None
        self._room = 0
        self._entry = bytearray(4096)
        self.size = sum(_HEAD + len(body) for body in _bodies(path.read_bytes()))

    def append(self, entry: list[Any]) -> None:
        """Hand an entry to the operating system; raises OSError and leaves no half of one behind."""
        # The head is filled in when the length is known: one buffer, no copies.
        _encoder.encode_into(entry, self._entry, _HEAD)
        with memoryview(self._entry) as text:
            body = text[_HEAD:]
            text[:4], text[4:_HEAD] = len(body).to_bytes(4), zlib.crc32(body).to_bytes(4)
            body.release()
            end = self.size + len(text)
            shared = self._make_room(end)
            shared[self.size : end] = text
        self.size = end

    def _make_room(self, end: int) -> mmap.mmap:
        """The shared memory, large enough for what is to be written; raises OSError when the disk is full."""
        if self._shared is not None and end <= self._room:
            return self._shared
        room = end + min(max(_FIRST_ROOM, end), _LARGEST_STEP)
        # Zeros are written rather than a hole left: a full disk must be an error here and not a signal later.
        at = os.fstat(self._file).st_size if self._shared is not None else self.size
        try:
            while at < room:
                at += os.pwrite(self._file, bytes(room - at), at)
        except OSError:
            os.ftruncate(self._file, max(self._room, self.size))
            raise
        if self._shared is not None:
            self._shared.close()
        self._shared, self._room = mmap.mmap(self._file, room), room
        return self._shared

    def entries(self) -> Iterator[list[Any]]:
        """All whole entries, oldest first."""
        for body in _bodies(self._path.read_bytes()):
            yield msgspec.msgpack.decode(body)

    def clear(self) -> None:
        self._release(0)

    def rename(self, path: Path) -> None:
        """Take the place of another log."""
        self._path.replace(path)
        self._path = path

    def close(self) -> None:
        self._release(self.size)
        os.close(self._file)

    def _release(self, size: int) -> None:
        if self._shared is not None:
            self._shared.close()
            self._shared = None
        os.ftruncate(self._file, size)
        self.size, self._room = size, 0


def _bodies(text: bytes) -> Iterator[bytes]:
    """The whole entries of a file; zeros after the last are room that was never used."""
    at = 0
    while at + _HEAD <= len(text):
        length, checksum = int.from_bytes(text[at : at + 4]), int.from_bytes(text[at + 4 : at + _HEAD])
        body = text[at + _HEAD : at + _HEAD + length]
        if not length or len(body) < length or zlib.crc32(body) != checksum:
            return
        yield body
        at += _HEAD + length
