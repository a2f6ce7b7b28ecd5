"""The parts' logs: one file each, rotated by size at start, read along for what a person must see."""

import re
from pathlib import Path

_LARGEST = 5_000_000
_NAMES_ERROR = re.compile(r"^[\w.]+(Error|Exception|Refused|Warning)\b")
_MOST_WORDS = 6
_IS_ERROR = re.compile(r"\b(ERROR|CRITICAL)\b")


class PartLog:
    """One part's log file, and how far it has been read."""

    def __init__(self, path: Path) -> None:
        """Begin after what earlier starts have written."""
        self.path = path
        if path.is_file() and path.stat().st_size > _LARGEST:
            path.replace(path.with_suffix(".log.1"))
        path.touch(mode=0o600)
        path.chmod(0o600)
        self._read_to = path.stat().st_size
        self._unfinished = ""

    def read_new_lines(self) -> list[str]:
        """Return the whole lines written since the last call."""
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            fresh = file.read()
        self._read_to += len(fresh)
        *lines, self._unfinished = (self._unfinished + fresh.decode(errors="replace")).split("\n")
        return lines


def is_error(line: str) -> bool:
    """Say whether a log line reports an error."""
    return _IS_ERROR.search(line) is not None


def read_last_words(path: Path) -> str:
    """Return the end of a log, indented: what a failed program said, or what its traceback comes down to."""
    lines = path.read_text(errors="replace").rstrip().splitlines()
    named = [number for number, line in enumerate(lines) if _NAMES_ERROR.match(line)]
    first = max(named[-1] if named else 0, len(lines) - _MOST_WORDS)
    return "\n".join(f"    {line}" for line in lines[first:])
