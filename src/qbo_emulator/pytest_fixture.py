"""A pytest fixture for projects that talk to QuickBooks: `pytest_plugins = ["qbo_emulator.pytest_fixture"]`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from .settings import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET


@dataclass(frozen=True)
class RunningEmulator:
    """Where it runs and which keys its default app has; everything else is asked of its control plane."""

    url: str
    client_id: str = DEFAULT_CLIENT_ID
    client_secret: str = DEFAULT_CLIENT_SECRET

    @property
    def control(self) -> str:
        return f"{self.url}/_emulator"

    @property
    def api(self) -> str:
        return f"{self.url}/v3/company"

    @property
    def discovery(self) -> str:
        return f"{self.url}/.well-known/openid_sandbox_configuration/"


@contextmanager
def run_emulator(*arguments: str) -> Iterator[RunningEmulator]:
    """An emulator on a free port of this machine until the end of the block; arguments as on its command line."""
    command = [sys.executable, "-m", "qbo_emulator", "--port", "0", "--exit-with-parent", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        try:
            line = process.stdout.readline() if process.stdout is not None else ""
            found = re.search(r"http://\S+", line)
            if found is None:
                raise RuntimeError("The emulator did not start; its message is above.")
            yield RunningEmulator(found.group(0).rstrip("/"))
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def qbo_emulator() -> Iterator[RunningEmulator]:
    """One emulator for the run, without limits; POST /_emulator/reset gives each test new companies."""
    with run_emulator("--no-limits") as running:
        yield running
