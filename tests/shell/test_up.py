"""`cone up` as a user has it: ready, working, stopped; nothing of it survives Ctrl-C or `kill -9`."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from .processes import SOURCE, is_running, wait_until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc about processes")

_SUMMARY_END = "Ctrl-C stops everything."


@dataclass
class Household:
    """One running `cone up`, and what it printed until it was ready."""

    process: "subprocess.Popen[str]"
    data_dir: Path
    printed: str
    port: int
    emulator_port: int

    def list_family(self) -> list[int]:
        """Return all processes below `cone up`, itself included."""
        family = [self.process.pid]
        for parent in family:
            for thread in Path(f"/proc/{parent}/task").glob("*/children"):
                family.extend(int(child) for child in thread.read_text().split())
        return family

    def find(self, *words: str) -> int:
        """Return the one child whose command line has these words."""
        found = [child for child in self.list_family()[1:] if set(words) <= set(_command_line(child))]
        return found[0]


@pytest.fixture(scope="module")
def household() -> Iterator[Household]:
    """Return one `cone up` that the tests which don't end it share."""
    with make_data_dir() as data_dir, start(data_dir) as running:
        assert _SUMMARY_END in running.printed, running.printed
        yield running


@contextmanager
def make_data_dir() -> Iterator[Path]:
    """Give a data folder that everybody may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="cone-up-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder, "var")


@contextmanager
def start(data_dir: Path, *options: str) -> Iterator[Household]:
    """Run `cone up` on free ports until the block ends."""
    port, emulator_port = find_free_ports()
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    environment.pop("DATABASE_URL", None)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "cone.cli.main", "up", "--no-demo", "--data-dir", str(data_dir)),
            *("--port", str(port), "--emulator-port", str(emulator_port), *options),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={
            name: value for name, value in {**os.environ, "PYTHONPATH": str(SOURCE)}.items() if name != "DATABASE_URL"
        },
    )
    assert process.stdout is not None
    try:
        printed = ""
        for line in process.stdout:
            printed += line
            if _SUMMARY_END in line:
                break
        yield Household(process, data_dir, printed, port, emulator_port)
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def find_free_ports() -> tuple[int, int]:
    """Return two ports that are free at this moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        first, second = (each.getsockname()[1] for each in sockets)
    return first, second


def get_status(port: int, path: str) -> int:
    """Return the HTTP status of a GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def test_up_serves_on_the_ports_asked_for(household: Household) -> None:
    statuses = get_status(household.port, "/healthz"), get_status(household.emulator_port, "/_emulator/health")
    assert statuses == (200, 200)
    assert f"http://127.0.0.1:{household.port}\n" in household.printed
    assert f"http://127.0.0.1:{household.emulator_port} " in household.printed


def test_secrets_are_private(household: Household) -> None:
    names = ("secret_key", "keys", "emulator_credentials.json", "prepared.json", "database_url", "log/web.log")
    modes = {name: oct((household.data_dir / name).stat().st_mode & 0o777) for name in names}
    assert modes == dict.fromkeys(names, "0o600")


def test_worker_and_postgres_come_back_when_they_die(household: Household) -> None:
    worker, postgres = household.find("worker"), household.find("-D")
    os.kill(worker, signal.SIGKILL)
    os.kill(postgres, signal.SIGKILL)

    def is_back() -> bool:
        lines = [_command_line(child) for child in household.list_family()[1:]]
        return any("worker" in line for line in lines) and get_status(household.port, "/healthz") == 200

    assert wait_until(lambda: not is_running(worker) and not is_running(postgres))
    assert wait_until(is_back, seconds=20)


def test_second_up_on_the_same_data_is_refused(household: Household) -> None:
    with start(household.data_dir) as second:
        pass
    assert second.printed == (
        f"Cone is already running on {household.data_dir} (process {household.process.pid})."
        " Stop that one first, or choose another folder with --data-dir.\n"
    )


def test_taken_port_is_refused_in_a_sentence() -> None:
    with make_data_dir() as data_dir, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with start(data_dir, "--port", str(port)) as household:
            code = household.process.wait(20)
    sentence = f"Port {port} on 127.0.0.1 is taken by another program. Choose another one with --port.\n"
    assert (code, household.printed) == (1, sentence)


def test_nothing_survives_sigkill_or_ctrl_c_and_the_next_start_is_quick() -> None:
    with make_data_dir() as data_dir, start(data_dir) as first:
        killed = first.list_family()
        first.process.kill()
        with start(data_dir) as second:
            assert _SUMMARY_END in second.printed, second.printed
            assert get_status(second.port, "/healthz") == 200
            assert wait_until(lambda: not any(is_running(process) for process in killed))
            stopped = second.list_family()
            second.process.send_signal(signal.SIGINT)
            code = second.process.wait(20)
    assert len(stopped) > 5
    assert (code, [process for process in stopped if is_running(process)]) == (0, [])
    assert "Bringing the database up to date" not in second.printed


def _command_line(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
