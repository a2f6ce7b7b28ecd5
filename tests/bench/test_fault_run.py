"""A quick fault run in real processes: whatever is lost, killed, edited and cut off, both books agree in the end.

How long anything took is no matter here. A seed that failed once is kept beside the first one.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc about processes")
_SEEDS = [1]


@needs_linux
@pytest.mark.parametrize("seed", _SEEDS)
def test_books_agree_after_a_quick_fault_run(tmp_path: Path, seed: int) -> None:
    kept = tmp_path / "figures.json"

    command = ["bench", "faults", "--quick", "--seed", str(seed), "--json", str(kept)]
    log = tmp_path / "run.log"
    # Into a file: what outlives a run that was cut off would keep a pipe open, and whoever reads it.
    with log.open("wb") as file:
        running = [sys.executable, "-m", "cone.cli.main", *command]
        try:
            answer = subprocess.run(running, cwd=tmp_path, stdout=file, stderr=file, check=False, timeout=540)
        except subprocess.TimeoutExpired:
            pytest.fail(f"it came to no end:\n{log.read_text()}")

    assert kept.is_file(), log.read_text()
    figures = json.loads(kept.read_text())["figures"]
    assert figures["wrong"] == []
    assert answer.returncode == 0
    # It was no idle run: things were really struck, killed and written, in every cell.
    assert [cell["cell"] for cell in figures["cells"]] == ["ignored", "blind", "both blinded"]
    assert all(cell["faults"] and cell["records"] > 40 for cell in figures["cells"])
    assert figures["what_was_killed"] == "3 database, 3 worker"
