"""A part as a child process: noticed when ready, started again when it dies, gone when we are."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cone.cli.logs import read_last_words
from cone.cli.parentage import Lifeline
from cone.cli.part import Part
from cone.cli.refusals import StartRefusedError

from .processes import SOURCE, is_running, wait_until

needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc about processes")

_SAYS_READY = "import time; print('worker ready', flush=True); time.sleep(60)"
_DIES_AT_ONCE = "import sys; sys.exit('no such planet')"
_IS_STUBBORN = """
import signal, time
from cone.cli.parentage import follow_parent
follow_parent()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("worker ready", flush=True)
time.sleep(60)
"""
_PARENT = """
import sys, time
from pathlib import Path
import cone.cli.part as part_module
from cone.cli.parentage import Lifeline
if sys.argv[2] == "portable":
    part_module.die_with_parent = lambda death_signal: None
part = part_module.Part(
    name="worker",
    command=[sys.executable, "-c", sys.argv[3]],
    environment={"PYTHONPATH": sys.argv[4]},
    log_path=Path(sys.argv[1], "worker.log"),
    is_ready=lambda lines: "worker ready" in lines,
)
lifeline = Lifeline()
part.start(lifeline)
while not part.has_been_ready:
    part.tend(lifeline, say=print, is_verbose=False)
    time.sleep(0.02)
print(part.process_id, flush=True)
time.sleep(60)
"""


@pytest.fixture
def lifeline() -> Iterator[Lifeline]:
    """Return a lifeline that ends with the test."""
    line = Lifeline()
    yield line
    line.close()


def make_part(folder: Path, program: str, *, is_ready: Callable[[list[str]], bool] | None = None) -> Part:
    """Return a part that runs this program and is ready when it says so."""
    return Part(
        name="worker",
        command=[sys.executable, "-c", program],
        environment={**os.environ, "PYTHONPATH": str(SOURCE)},
        log_path=folder / "worker.log",
        is_ready=is_ready or (lambda lines: "worker ready" in lines),
    )


def tend_until(part: Part, lifeline: Lifeline, said: list[str], condition: Callable[[], bool]) -> None:
    """Look after the part until the condition holds."""

    def is_done() -> bool:
        part.tend(lifeline, say=said.append, is_verbose=False)
        return condition()

    assert wait_until(is_done), said


def test_part_is_ready_when_its_log_says_so(tmp_path: Path, lifeline: Lifeline) -> None:
    part = make_part(tmp_path, _SAYS_READY)
    part.start(lifeline)
    tend_until(part, lifeline, [], lambda: part.has_been_ready)
    process_id = part.process_id
    part.ask_to_stop()
    part.stop(deadline=time.monotonic() + 5)
    assert not is_running(process_id)


def test_part_that_dies_is_started_again_and_says_so(tmp_path: Path, lifeline: Lifeline) -> None:
    part, said = make_part(tmp_path, _SAYS_READY), list[str]()
    part.start(lifeline)
    tend_until(part, lifeline, said, lambda: part.has_been_ready)
    first = part.process_id
    os.kill(first, 9)
    tend_until(part, lifeline, said, lambda: part.process_id != first)
    assert said == [f"The worker stopped (SIGKILL); starting it again in 1 s. See {tmp_path / 'worker.log'}"]
    part.ask_to_stop()
    part.stop(deadline=time.monotonic() + 5)


def test_part_that_never_starts_is_refused_with_its_last_words(tmp_path: Path, lifeline: Lifeline) -> None:
    part = make_part(tmp_path, _DIES_AT_ONCE)
    part.start(lifeline)
    with pytest.raises(StartRefusedError, match=r"(?s)The worker doesn't start\..*no such planet"):
        tend_until(part, lifeline, [], lambda: False)


def test_part_that_ignores_the_request_is_killed(tmp_path: Path, lifeline: Lifeline) -> None:
    part = make_part(tmp_path, _IS_STUBBORN)
    part.start(lifeline)
    tend_until(part, lifeline, [], lambda: part.has_been_ready)
    process_id = part.process_id
    part.ask_to_stop()
    part.stop(deadline=time.monotonic() + 1)
    assert not is_running(process_id)


def test_only_errors_of_a_part_are_shown(tmp_path: Path, lifeline: Lifeline) -> None:
    program = "print('12:00 INFO all well'); print('12:01 ERROR cone.web broken'); print('worker ready', flush=True)"
    part, said = make_part(tmp_path, f"{program}; import time; time.sleep(60)"), list[str]()
    part.start(lifeline)
    tend_until(part, lifeline, said, lambda: part.has_been_ready)
    part.ask_to_stop()
    part.stop(deadline=time.monotonic() + 5)
    assert said == ["[worker] 12:01 ERROR cone.web broken"]


def test_log_that_grew_too_big_is_put_aside_at_start(tmp_path: Path) -> None:
    (tmp_path / "worker.log").write_text("x" * 5_000_001)
    make_part(tmp_path, _SAYS_READY)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes == {"worker.log": 0, "worker.log.1": 5_000_001}


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (
            "Traceback (most recent call last):\n  File 'a'\nmodule.OneError: no table\n\tLINE 1\n",
            "module.OneError: no table",
        ),
        ("DATABASE_URL must start with postgresql://\n", "DATABASE_URL must start with postgresql://"),
    ],
    ids=["traceback", "sentence"],
)
def test_last_words_of_a_log_leave_out_the_traceback(tmp_path: Path, log: str, words: str) -> None:
    (tmp_path / "web.log").write_text(log)
    assert read_last_words(tmp_path / "web.log").splitlines()[0] == f"    {words}"


@needs_linux
@pytest.mark.parametrize("way", ["kernel", "portable"])
@pytest.mark.parametrize("program", [_SAYS_READY, _IS_STUBBORN], ids=["simple", "stubborn"])
def test_sigkill_of_parent_takes_part_along(tmp_path: Path, way: str, program: str) -> None:
    if (way, program) == ("portable", _SAYS_READY):
        program = _IS_STUBBORN.replace("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "")
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path), way, program, str(SOURCE)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
    assert is_running(child)
    parent.kill()
    parent.wait()
    assert wait_until(lambda: not is_running(child))
