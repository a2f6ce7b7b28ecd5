"""`cone restored` on a copy that an older version made: it's brought up to date first."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from .processes import SOURCE


def test_copy_without_the_newest_tables_is_brought_up_to_date() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    with tempfile.TemporaryDirectory(prefix="cone-restored-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        done = subprocess.run(
            [sys.executable, "-m", "cone.cli.main", "restored", "--data-dir", str(Path(folder, "var"))],
            capture_output=True,
            text=True,
            check=False,
            env=environment | {"PYTHONPATH": str(SOURCE)},
        )
    assert (done.returncode, done.stdout) == (
        0,
        "Records that aren't linked and will be looked for before they're sent: 0.\n",
    ), done.stderr
