"""Ports, data folder and secrets: refused in a sentence, kept to ourselves."""

import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from cone.cli.database import get_running_database, hold_data_dir
from cone.cli.places import Places, ensure_emulator_credentials, find_data_dir, write_private
from cone.cli.ports import answers_ok, check_port, get_address
from cone.cli.refusals import StartRefusedError

from .processes import find_python_for_nobody


def test_taken_port_is_refused_naming_the_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartRefusedError) as refusal:
            check_port("127.0.0.1", port, option="--emulator-port")
    assert str(refusal.value) == (
        f"Port {port} on 127.0.0.1 is taken by another program. Choose another one with --emulator-port."
    )
    check_port("127.0.0.1", port, option="--emulator-port")


def test_address_of_another_machine_is_refused() -> None:
    with pytest.raises(StartRefusedError, match="this machine has no such address"):
        check_port("192.0.2.1", 8000, option="--port")


def test_port_where_nobody_answers_is_not_ok() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert not answers_ok("127.0.0.1", port, "/healthz")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 -- only spelled
        ("::1", "http://[::1]:8000"),
        ("books.example", "http://books.example:8000"),
    ],
)
def test_address_is_one_that_a_browser_can_open(host: str, address: str) -> None:
    assert get_address(host, 8000) == address


def test_data_dir_is_chosen_then_configured_then_in_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONE_DATA_DIR", raising=False)
    checkout = Path(__file__).resolve().parents[2]
    by_default = find_data_dir(None)
    monkeypatch.setenv("CONE_DATA_DIR", str(tmp_path / "configured"))
    configured = find_data_dir(None)
    chosen = find_data_dir(str(tmp_path / "chosen"))
    assert (by_default, configured, chosen) == (checkout / "var", tmp_path / "configured", tmp_path / "chosen")


def test_emulator_credentials_are_made_once_and_private(tmp_path: Path) -> None:
    places = Places(tmp_path)
    first = ensure_emulator_credentials(places)
    path = tmp_path / "emulator_credentials.json"
    assert ensure_emulator_credentials(places) == first
    assert set(first) == {"client_id", "client_secret"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_private_file_replaces_an_open_one(tmp_path: Path) -> None:
    path = tmp_path / "prepared.json"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_second_start_on_one_data_dir_is_refused(tmp_path: Path) -> None:
    places = Places(tmp_path)
    with hold_data_dir(places), pytest.raises(StartRefusedError) as refusal, hold_data_dir(places):
        pass
    assert str(refusal.value) == (
        f"Cone is already running on {tmp_path} (process {os.getpid()})."
        " Stop that one first, or choose another folder with --data-dir."
    )
    with hold_data_dir(places):
        pass


def test_part_without_database_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(StartRefusedError, match="set DATABASE_URL, or start everything with `cone up`"):
        get_running_database(Places(tmp_path))


def test_data_dir_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    with pytest.raises(StartRefusedError, match=r"Can't write to .*/var/data: Not a directory\. Choose another folder"):
        Places(tmp_path / "var" / "data").make()


def test_unwritable_data_dir_is_refused_in_a_sentence(tmp_path: Path) -> None:
    python = find_python_for_nobody()
    if python is None:
        pytest.skip("this user may write everywhere, and nobody can't reach this Python")
    outcome = subprocess.run(
        [*python, "-m", "cone.cli.main", "up", "--data-dir", "/cone-of-nobody"],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr == (
        "Can't write to /cone-of-nobody: Permission denied. Choose another folder with --data-dir.\n"
    )
