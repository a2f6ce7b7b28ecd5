"""Children that never outlive the process that started them.

On Linux the kernel tells a child when its parent is gone. Elsewhere a pipe does: its write end is held
by the parent alone, so that reading it ends when the parent does, however it ended.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

LIFELINE_VARIABLE = "CONE_LIFELINE_FD"
_PR_SET_PDEATHSIG = 1
_GRACE_SECONDS = 4


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Return what a child has to run before `exec` so that it gets `death_signal` when we're gone.

    The kernel watches the *thread* that forks: start children from a thread that stays (the main one).
    Returns None where the kernel can't do this.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def before_exec() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # the parent was gone before the kernel knew that we care
            os._exit(1)

    return before_exec


class Lifeline:
    """The pipe whose write end only this process holds."""

    def __init__(self) -> None:
        self.read_end, self._write_end = os.pipe()

    def environment(self) -> dict[str, str]:
        """Return what a child that inherits the read end must find in its environment."""
        return {LIFELINE_VARIABLE: str(self.read_end)}

    def close(self) -> None:
        """Let go of both ends; children that are still there leave."""
        os.close(self.read_end)
        os.close(self._write_end)


def follow_parent() -> bool:
    """Leave when the process that started us has gone; return False where it gave us no lifeline."""
    descriptor = os.environ.pop(LIFELINE_VARIABLE, None)
    if descriptor is None:
        return False
    watcher = threading.Thread(target=_watch, args=(int(descriptor),), name="lifeline", daemon=True)
    watcher.start()
    return True


def _watch(descriptor: int) -> None:
    os.read(descriptor, 1)  # nobody ever writes: this returns when the parent is gone
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)
