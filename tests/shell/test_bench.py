"""`cone bench`: runs a checkout's benchmarks, says so where there is none, and leaves nothing running."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .processes import SOURCE, is_running, wait_until

needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc about processes")
_CONE = [sys.executable, "-m", "cone.cli.main", "bench"]


def test_bench_without_a_checkout_says_where_to_get_one(tmp_path: Path) -> None:
    library = tmp_path / "lib" / "python3" / "site-packages"
    shutil.copytree(SOURCE / "cone" / "cli", library / "cone" / "cli")
    shutil.copy(SOURCE / "cone" / "__init__.py", library / "cone")

    answer = subprocess.run(
        [*_CONE, "live"],
        env={**os.environ, "PYTHONPATH": str(library)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert answer.stderr == (
        "The benchmarks are in Cone's source, not in the installed package. Clone the repository, run `./test --setup`"
        " there, and measure with that checkout's `.venv/bin/cone bench`.\n"
    )


def test_bench_refuses_a_seed_where_nothing_is_left_to_chance(tmp_path: Path) -> None:
    answer = subprocess.run([*_CONE, "live", "--seed", "4"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert answer.returncode == 2
    assert answer.stderr.endswith("cone bench: error: live leaves nothing to chance; it takes no --seed\n")


@needs_linux
def test_interrupted_bench_leaves_neither_process_nor_data(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*_CONE, "live", "--quick"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509  # this test has no threads
    ) as bench:
        assert bench.stderr is not None
        assert any("worker ready" in line for line in bench.stderr)
        family = _descendants(bench.pid)

        bench.send_signal(signal.SIGINT)

        assert bench.wait(40) == 130
        last_words = bench.stderr.read()
    assert last_words.endswith("Stopped; nothing was measured.\n")
    # The emulator, the worker, Postgres and its helpers.
    assert len(family) > 4
    assert wait_until(lambda: not any(is_running(member) for member in family))
    # The folder of Postgres' socket stays, as everywhere.
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(f"cone-{os.geteuid()}-")] == []


def _heed_interrupts() -> None:
    """Shells have what they start in the background ignore Ctrl-C, and these tests may be started so."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _descendants(process_id: int) -> list[int]:
    found: list[int] = []
    parents = {int(path.name): _parent_of(path) for path in Path("/proc").iterdir() if path.name.isdecimal()}
    waiting = [process_id]
    while waiting:
        present = waiting.pop()
        children = [child for child, parent in parents.items() if parent == present]
        found += children
        waiting += children
    return found


def _parent_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
