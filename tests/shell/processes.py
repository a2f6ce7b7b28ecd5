"""What the tests of the shell ask about processes: are they gone, and who else can run one."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src"
_NOBODY = "65534"


def wait_until(condition: Callable[[], bool], *, seconds: int = 10) -> bool:
    """Poll until the condition holds; say whether it came to hold in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(1 / 50)
    return condition()


def is_running(process_id: int) -> bool:
    """Say whether a process lives; one that waits to be buried doesn't."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return False
    except ProcessLookupError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def find_python_for_nobody() -> list[str] | None:
    """Return a command that runs our Python as the user nobody, or None where that can't be done."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return None
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    for python in (sys.executable, "/usr/bin/python3"):
        command = [
            *("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"),
            *("env", f"PYTHONPATH={SOURCE}:{packages}", "HOME=/nonexistent", python),
        ]
        probe = subprocess.run([*command, "-c", "import psycopg, cone"], cwd="/", capture_output=True, check=False)
        if probe.returncode == 0:
            return command
    return None
