"""One part of the product as a child process: started, watched, started again, stopped."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cone.cli.logs import PartLog, is_error, read_last_words
from cone.cli.parentage import Lifeline, die_with_parent
from cone.cli.refusals import StartRefusedError

_LONGEST_PAUSE = 30
_STEADY_SECONDS = 60
_ATTEMPTS_AT_START = 3


@dataclass
class Part:
    """What runs, how it's known to be ready, and what became of it."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    log_path: Path
    is_ready: Callable[[list[str]], bool]
    """Given the log lines since the last question, say whether the part can do its work."""

    has_been_ready: bool = False
    _log: PartLog = field(init=False)
    _process: subprocess.Popen[bytes] | None = None
    _started_at: float = 0
    _failures: int = 0
    _start_again_at: float | None = None

    def __post_init__(self) -> None:
        self._log = PartLog(self.log_path)

    @property
    def process_id(self) -> int:
        """Return the process id of the part, or of its latest life."""
        if self._process is None:
            raise RuntimeError("the part hasn't been started")
        return self._process.pid

    def start(self, lifeline: Lifeline) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches only us."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**self.environment, **lifeline.environment()},
                pass_fds=[lifeline.read_end],
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 -- calls nothing but the kernel
            )
        self._started_at = time.monotonic()

    def tend(self, lifeline: Lifeline, *, say: Callable[[str], None], is_verbose: bool) -> None:
        """Read its log, notice that it's ready or gone, and start it again when its pause is over."""
        lines = self._log.read_new_lines()
        for line in lines:
            if is_verbose or is_error(line):
                say(f"[{self.name}] {line}")
        if self._start_again_at is not None:
            if time.monotonic() >= self._start_again_at:
                self._start_again_at = None
                self.start(lifeline)
        elif self._process is not None and (code := self._process.poll()) is not None:
            self._plan_restart(code, say)
        elif not self.has_been_ready:
            self.has_been_ready = self.is_ready(lines)

    def ask_to_stop(self) -> None:
        """Tell the process to finish what it's doing and leave."""
        self._start_again_at = None
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def stop(self, *, deadline: float) -> None:
        """Wait until it has gone (a point on the monotonic clock), then leave nothing of its session."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):  # mostly nobody of its session is left
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process = None

    def _plan_restart(self, code: int, say: Callable[[str], None]) -> None:
        lived_seconds = time.monotonic() - self._started_at
        self._failures = 1 if lived_seconds > _STEADY_SECONDS else self._failures + 1
        if not self.has_been_ready and self._failures >= _ATTEMPTS_AT_START:
            words = read_last_words(self.log_path)
            raise StartRefusedError(f"The {self.name} doesn't start. Its last words in {self.log_path}:\n\n{words}\n")
        pause_seconds = min(2 ** (self._failures - 1), _LONGEST_PAUSE)
        say(f"The {self.name} stopped ({_describe(code)}); starting it again in {pause_seconds} s. See {self.log_path}")
        self._start_again_at = time.monotonic() + pause_seconds


def _describe(code: int) -> str:
    if code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
