"""The way in: finding a Python, knowing whether .venv is still right, and pip's package sources for uv."""

import importlib.util
import os
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

_CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return scripts/setup.py as it would be in a checkout of its own."""
    spec = importlib.util.spec_from_file_location("cone_setup", _CHECKOUT / "scripts" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    venv, requirements = tmp_path / ".venv", tmp_path / "requirements"
    requirements.mkdir()
    for name in ("run.txt", "test.txt"):
        (requirements / name).write_text("django==5.2.1\n")
    for name, value in {
        "CHECKOUT": tmp_path,
        "VENV": venv,
        "PYTHON": venv / "bin" / "python",
        "REQUIREMENTS": requirements,
        "UNFINISHED": venv / ".setup-unfinished",
    }.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "_install", lambda _lock: None)
    monkeypatch.setattr(module, "_find_uv", lambda: "uv")
    return module


def run_main(setup: ModuleType, *arguments: str) -> int:
    """Return the exit code of a setup."""
    code: int = setup.main(list(arguments))
    return code


def test_setup_is_done_once_until_a_lock_file_changes(setup: ModuleType, tmp_path: Path) -> None:
    before = setup.is_set_up("run")
    code = run_main(setup, "run", "--setup")
    after = setup.is_set_up("run")
    (tmp_path / "requirements" / "run.txt").write_text("django==5.2.2\n")
    assert (before, code, after, setup.is_set_up("run")) == (False, 0, True, False)


def test_setup_for_tests_serves_the_run_too(setup: ModuleType) -> None:
    run_main(setup, "test", "--setup")
    assert setup.is_set_up("run")


def test_environment_without_its_python_is_made_anew(setup: ModuleType, tmp_path: Path) -> None:
    run_main(setup, "run", "--setup")
    (tmp_path / ".venv" / "witness").touch()
    config = tmp_path / ".venv" / "bin" / "python"
    config.unlink()
    config.symlink_to("/nowhere/python3")
    broken = setup.is_set_up("run")
    run_main(setup, "run", "--setup")
    assert (broken, setup.is_set_up("run"), (tmp_path / ".venv" / "witness").exists()) == (False, True, False)


def test_environment_that_moved_along_with_its_checkout_is_made_anew(setup: ModuleType, tmp_path: Path) -> None:
    run_main(setup, "run", "--setup")
    stamp = tmp_path / ".venv" / ".setup-run"
    stamp.write_text(stamp.read_text().replace(str(tmp_path), "/former/place"))
    (tmp_path / ".venv" / "witness").touch()
    run_main(setup, "run", "--setup")
    assert (setup.is_set_up("run"), (tmp_path / ".venv" / "witness").exists()) == (True, False)


def test_interrupted_setup_starts_over(setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_lock: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(setup, "_install", interrupt)
        interrupted = run_main(setup, "run", "--setup")
    (tmp_path / ".venv" / "witness").touch()
    code = run_main(setup, "run", "--setup")
    assert (interrupted, code, (tmp_path / ".venv" / "witness").exists()) == (1, 0, False)


def test_environment_finds_the_checkout_and_the_command(setup: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    run_main(setup, "run", "--setup")
    answer = subprocess.run(
        [setup.PYTHON, "-c", "import sys; print(sys.path[-1])"], capture_output=True, text=True, check=True
    )
    command = tmp_path / ".venv" / "bin" / "cone"
    assert answer.stdout.strip() == str(tmp_path / "src")
    assert command.read_text() == f'#!/bin/sh\nexec {setup.PYTHON} -m cone.cli.main "$@"\n'
    assert os.access(command, os.X_OK)


def test_missing_ensurepip_as_normal_user_names_the_command(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "_find_uv", lambda: None)
    monkeypatch.setattr(setup.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(setup.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)
    code = run_main(setup, "run", "--setup")
    assert code == 1
    assert "Run this once, then start again:\n\n    sudo apt-get install -y python3-venv\n" in capsys.readouterr().err


def test_pip_settings_are_passed_on_to_uv(setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")) or name == "SSL_CERT_FILE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://mirror.example/simple\nextra-index-url =\n    https://a.example\n    https://b.example\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_INDEX_URL", "https://nearer.example/simple")
    environment = setup._environment_for_uv()
    told = {name: environment.get(name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_PYTHON_DOWNLOADS")}
    assert told == {
        "UV_DEFAULT_INDEX": "https://nearer.example/simple",
        "UV_INDEX": "https://a.example https://b.example",
        "UV_PYTHON_DOWNLOADS": "never",
    }


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (None, "Cone needs Python 3.11 or newer as python3; there is none on the PATH.\n"),
        (
            '#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2"\nexit 1\n',
            "Cone needs Python 3.11 or newer as python3; this one is Python 3.9.2.\n",
        ),
    ],
    ids=["none", "old"],
)
def test_run_without_python_says_which_is_needed(tmp_path: Path, program: str | None, sentence: str) -> None:
    if program is not None:
        (tmp_path / "python3").write_text(program)
        (tmp_path / "python3").chmod(0o755)
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    outcome = subprocess.run(
        ["/bin/sh", str(_CHECKOUT / "run")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (1, "", sentence)


@pytest.mark.parametrize("name", ["run.txt", "test.txt", "uv.txt"])
def test_lock_files_record_no_address_and_no_path(name: str) -> None:
    lines = (_CHECKOUT / "requirements" / name).read_text().splitlines()
    assert [line for line in lines if "://" in line or " /" in line or " @ " in line or "--index" in line] == []
    assert sum(line.strip().startswith("--hash=sha256:") for line in lines) > 10
