"""What the benchmarks stand on: a throw-away Postgres, the emulator, workers, and firms that are connected.

Processes end with the one that started them. Nothing listens but on loopback.
"""

import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.request import Request, urlopen

from cone.cli.parentage import die_with_parent
from cone.cli.postgres import EmbeddedPostgres, temporary_postgres

ROOT = Path(__file__).resolve().parents[1]
CLIENT_ID, CLIENT_SECRET = "bench", "bench-secret"
# Its own modules are the checkout's, wherever the benchmark was asked for.
_PATH = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator."""

    url: str
    process: "Process"

    def ask(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """Ask its control plane."""
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = Request(f"{self.url}/_emulator/{path}", data, method=method)  # noqa: S310 - our own server
        with urlopen(request) as answer:  # noqa: S310 - as above
            found: dict[str, object] = json.load(answer)
            return found


def asked(emulator: Emulator) -> int:
    """How many requests of the accounting API have reached it."""
    return int(str(emulator.ask("GET", "requests?since=999999999")["count"]))


class Process:
    """A part in a process of its own, whose processor time and memory can be read."""

    def __init__(
        self,
        *arguments: str,
        env: dict[str, str] | None = None,
        is_piped: bool = False,
        log: IO[bytes] | None = None,
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": _PATH, **(env or {})},
            stdin=subprocess.PIPE if is_piped else None,
            stdout=subprocess.PIPE if is_piped else log,
            stderr=log,
            text=True,
            # Told to stop by us alone, in our order, and by the kernel when we're gone.
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509  # calls nothing but the kernel
        )
        self.pid = self._process.pid

    def read_line(self) -> str:
        """The next line of its output."""
        return self._process.stdout.readline() if self._process.stdout else ""

    def write_line(self, line: str = "") -> None:
        """Tell it something."""
        if self._process.stdin:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()

    def cpu_seconds(self) -> float:
        """Processor time used so far, in user and kernel mode."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mb(self) -> float:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it; at once if it doesn't within half a minute."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def running_emulator(*arguments: str) -> Iterator[Emulator]:
    """An emulator on a free port."""
    keys = ("--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET)
    command = ("-m", "qbo_emulator", "--port", "0", "--exit-with-parent", *keys, *arguments)
    process = Process(*command, is_piped=True)
    try:
        found = re.search(r"http://\S+", process.read_line())
        if found is None:
            raise SystemExit("The emulator did not start.")
        yield Emulator(found.group(0).rstrip("/"), process)
    finally:
        process.stop()


@contextmanager
def prepared_books(
    emulator_url: str, settings: Mapping[str, str] | None = None, *, template: Path | None = None
) -> Iterator[EmbeddedPostgres]:
    """A migrated database of our own in this process's environment, and Django set up on it; gives its server.

    `template` is the home of a migrated one that was stopped: a copy of it is ready much sooner.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cone-bench-"))
        os.environ.update(
            CONE_DATA_DIR=folder,
            CONE_EMULATOR_URL=emulator_url,
            CONE_EMULATOR_CLIENT_ID=CLIENT_ID,
            CONE_EMULATOR_CLIENT_SECRET=CLIENT_SECRET,
            DJANGO_SETTINGS_MODULE="cone.project.settings",
        )
        values = {"max_connections": "100", **(settings or {})}
        server = stack.enter_context(temporary_postgres(values, template=template))
        os.environ["DATABASE_URL"] = server.dsn
        import django  # noqa: PLC0415  # the environment had to be complete first

        django.setup()
        from django.core.management import call_command  # noqa: PLC0415  # as above

        if template is None:
            call_command("migrate", verbosity=0)
        yield server


@contextmanager
def running_worker(count: int = 1) -> Iterator[list[Process]]:
    """Workers, once they listen."""
    workers = [Process("-m", "cone.worker") for _ in range(count)]
    try:
        _wait_until_they_listen(count)
        yield workers
    finally:
        for worker in workers:
            worker.stop()


def _wait_until_they_listen(count: int) -> None:
    from django.db import connection  # noqa: PLC0415  # after django.setup()

    for _ in range(600):
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from pg_stat_activity where query ilike 'listen %cone_lane%'")
            if cursor.fetchone()[0] >= count:
                return
        time.sleep(1 / 10)
    raise SystemExit("The workers did not start.")


def ran_on() -> dict[str, str]:
    """The machine, for the report."""
    cpu = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "cpu": cpu.partition(":")[2].strip(),
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.2f}",
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def quantile(values: list[int], tenths_of_percent: int) -> int:
    """The value below which that share lies: 500 is the median, 990 the 99th percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) * tenths_of_percent // 1000, len(ordered) - 1)]
