"""Servers that an earlier life left on our cluster, and how they're made to go.

Only called with the cluster's lock in hand, so that whatever still runs there has no owner any more.
"""

import os
import signal
import time
from pathlib import Path

_PATIENCE_SECONDS = 10
_PAUSE_SECONDS = 1 / 50


def stop_leftovers(cluster: Path) -> bool:
    """Stop every process that still works on this cluster; say whether there was any."""
    found = False
    for stop_signal in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if not _signal_postmaster(cluster, stop_signal) and not list_processes(cluster):
            return found
        found = True
        if _are_gone(cluster):
            return found
        for process_id in list_processes(cluster):
            _send(process_id, stop_signal)
    return found


def list_processes(cluster: Path) -> list[int]:
    """Return the processes whose working directory is the cluster: postmaster and backends alike.

    Where there's no /proc this knows only the postmaster.
    """
    if not Path("/proc/self/cwd").exists():
        postmaster = _read_postmaster(cluster)
        return [postmaster] if postmaster is not None and _is_alive(postmaster) else []
    wanted = str(cluster.resolve())
    entries = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [int(entry.name) for entry in entries if _working_directory(entry) == wanted]


def _signal_postmaster(cluster: Path, stop_signal: signal.Signals) -> bool:
    postmaster = _read_postmaster(cluster)
    if postmaster is None or postmaster not in list_processes(cluster):
        return False
    return _send(postmaster, stop_signal)


def _read_postmaster(cluster: Path) -> int | None:
    try:
        first_line = (cluster / "postmaster.pid").read_text().splitlines()[0]
        return abs(int(first_line))
    except (OSError, ValueError, IndexError):
        return None


def _working_directory(process: Path) -> str | None:
    try:
        return str((process / "cwd").readlink())
    except OSError:
        return None


def _are_gone(cluster: Path) -> bool:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if not list_processes(cluster):
            return True
        time.sleep(_PAUSE_SECONDS)
    return False


def _send(process_id: int, stop_signal: signal.Signals) -> bool:
    try:
        os.kill(process_id, stop_signal)
    except ProcessLookupError:
        return False
    return True


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
