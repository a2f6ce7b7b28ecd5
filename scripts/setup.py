"""Make `.venv` with exactly the locked packages, then become `cone up` or pytest.

Only the standard library: this runs before anything is installed. uv installs; where there's none, pip
puts a pinned one into `.venv`. A stamp says what was installed, so that the next start skips all of it.
"""

import configparser
import contextlib
import fcntl
import hashlib
import importlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

CHECKOUT = Path(__file__).resolve().parent.parent
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = CHECKOUT / "requirements"
UNFINISHED = VENV / ".setup-unfinished"
LOCKS = {"run": ["run.txt"], "test": ["run.txt", "test.txt"]}
# What pip was told about packages on this machine, in uv's words.
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}


class SetupRefusedError(Exception):
    """Setting up can't go on; the message is shown as it is."""


def main(arguments: list[str]) -> int:
    """Set up for `run` or `test`, and become it unless only the setup was asked for."""
    purpose, *rest = arguments
    try:
        set_up(purpose)
    except SetupRefusedError as refusal:
        return _refuse(str(refusal))
    except OSError as error:
        return _refuse(f"Setting up failed: {error.strerror}: {error.filename or VENV}.")
    except KeyboardInterrupt:
        return _refuse("\nSetting up was interrupted; the next start goes on with it.")
    if rest == ["--setup"]:
        print(f"Everything that ./{purpose} needs is installed in {VENV}.")
        return 0
    if "--setup" in rest:
        return _refuse("--setup goes alone: it only installs.")
    return _become(purpose, rest)


def _become(purpose: str, arguments: list[str]) -> NoReturn:
    """Replace this process by what it was a preparation for."""
    if purpose == "run":
        module = ["cone.cli.main", "up"]
    else:
        os.chdir(CHECKOUT)
        # A worker that ends in the middle of a test ends the run. pytest-xdist 3.8 may wait for ever for the one that
        # takes its place, when the others have nothing left to do.
        parallel = ["-n", "2", "--dist", "loadfile", "--max-worker-restart", "0"]
        module = ["pytest", *([] if arguments else parallel)]
    os.execv(PYTHON, [str(PYTHON), "-m", *module, *arguments])  # noqa: S606 -- that is the point


def set_up(purpose: str) -> None:
    """Install what's missing, one process at a time."""
    if is_set_up(purpose):
        return
    with _turn():
        if is_set_up(purpose):
            return
        _check_writable()
        started = time.monotonic()
        identity = _identify()
        if identity is None or UNFINISHED.exists() or _was_made_elsewhere(identity):
            _make_environment()
        UNFINISHED.touch()
        _install(LOCKS[purpose][-1])
        _add_checkout()
        for done in [purpose, "run"]:
            _stamp_path(done).write_text(_describe(done, _identify() or ""))
        UNFINISHED.unlink()
        _say(f"Set up in {time.monotonic() - started:.0f} s.")


def is_set_up(purpose: str) -> bool:
    """Say whether `.venv` works where it stands and holds what the lock files ask for."""
    try:
        stamp = _stamp_path(purpose).read_text()
    except OSError:
        return False
    identity = _identify()
    return identity is not None and not UNFINISHED.exists() and stamp == _describe(purpose, identity)


def _identify() -> str | None:
    """Return the version and place of `.venv`'s Python, or None when it doesn't work (any more)."""
    question = "import sys; print(*sys.version_info[:2], sys.prefix)"
    try:
        answer = subprocess.run([PYTHON, "-I", "-c", question], capture_output=True, text=True, check=False)
    except OSError:
        return None
    major, _, rest = answer.stdout.strip().partition(" ")
    minor, _, prefix = rest.partition(" ")
    if answer.returncode != 0 or not VENV.is_dir() or Path(prefix).resolve() != VENV.resolve():
        return None
    folder = VENV / "lib" / f"python{major}.{minor}" / "site-packages"
    return f"{major}.{minor} {prefix}" if folder.is_dir() and int(minor) >= 11 else None


def _was_made_elsewhere(identity: str) -> bool:
    """Say whether a stamp speaks of another folder: the commands in `.venv` still call that one's Python."""
    stamps = [_stamp_path(purpose) for purpose in LOCKS]
    return any(path.exists() and not path.read_text().startswith(f"{identity} ") for path in stamps)


def _describe(purpose: str, identity: str) -> str:
    digest = hashlib.sha256()
    for name in LOCKS[purpose]:
        digest.update((REQUIREMENTS / name).read_bytes())
    return f"{identity} {digest.hexdigest()}\n"


def _stamp_path(purpose: str) -> Path:
    return VENV / f".setup-{purpose}"


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    """Wait for other setups of the same checkout; the lock is the checkout folder itself."""
    folder = os.open(CHECKOUT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Waiting for another setup of this checkout to finish …")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _check_writable() -> None:
    place = VENV if VENV.is_dir() else CHECKOUT
    if not os.access(place, os.W_OK):
        raise SetupRefusedError(
            f"Can't write to {place}, where the packages go."
            " Use a clone of your own, or ask its owner to run ./run --setup."
        )


def _make_environment() -> None:
    _say(f"Making {VENV} with Python {sys.version.split()[0]} …")
    if VENV.is_symlink():
        VENV.unlink()
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir()
    UNFINISHED.touch()
    if _find_uv() is None:
        _ensure_ensurepip()
        command = [sys.executable, "-m", "venv", str(VENV)]
    else:
        command = [sys.executable, "-m", "venv", "--without-pip", str(VENV)]
    _run(command, failure="Python couldn't make a virtual environment")


def _ensure_ensurepip() -> None:
    """See to the part of Python that Debian packages separately."""
    if importlib.util.find_spec("ensurepip") is not None:
        return
    advice = "apt-get install -y python3-venv"
    missing = "This Python comes without ensurepip (Debian's package python3-venv)."
    if shutil.which("apt-get") is None:
        raise SetupRefusedError(f"{missing} Install it, or uv, and start again.")
    if os.geteuid() != 0:
        raise SetupRefusedError(f"{missing} Run this once, then start again:\n\n    sudo {advice}\n")
    _say(f"{missing} Installing it …")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "python3-venv"]
    first = subprocess.run(install, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if first.returncode != 0:
        _run(["apt-get", "update", "-qq"], failure="apt-get update failed", environment=quiet)
        _run(install, failure=f"{advice} failed", environment=quiet)
    importlib.invalidate_caches()
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupRefusedError(f"{sys.executable} still has no ensurepip; is it Debian's own python3?")


def _find_uv() -> str | None:
    for candidate in (str(VENV / "bin" / "uv"), shutil.which("uv")):
        if candidate and Path(candidate).exists():
            probe = subprocess.run([candidate, "--version"], capture_output=True, check=False)
            if probe.returncode == 0:
                return candidate
    return None


def _install(lock: str) -> None:
    uv = _find_uv() or _install_uv()
    _say("Installing the locked packages (some 50 MB at first; less than a minute on most lines) …")
    pinned = ["--require-hashes", "--only-binary", ":all:", "-r", str(REQUIREMENTS / lock)]
    command = [uv, "pip", "install", "--python", str(PYTHON), *pinned]
    outcome = subprocess.run(command, env=_environment_for_uv(), stdin=subprocess.DEVNULL, check=False)
    if outcome.returncode != 0:
        # pip may know a proxy, a certificate or a mirror that uv doesn't.
        _say("uv couldn't install them (see above); trying pip …")
        _run(
            [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *pinned],
            failure="Installing the packages failed (the lines above say why)",
        )


def _install_uv() -> str:
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run(
        [*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(REQUIREMENTS / "uv.txt")],
        failure="pip couldn't install uv (the lines above say why)",
    )
    return str(VENV / "bin" / "uv")


def _environment_for_uv() -> dict[str, str]:
    """Return our environment with no Python downloads, and with pip's package sources for uv."""
    told = _read_pip_settings()
    environment = {UV_NAMES[name]: value for name, value in told.items()}
    if environment:
        # pip looks everywhere for the best version; the hashes make that safe.
        environment["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {"UV_LINK_MODE": "copy", **environment, **os.environ, "UV_PYTHON_DOWNLOADS": "never"}


def _read_pip_settings() -> dict[str, str]:
    """Return what pip's files and environment say about package sources; the environment wins."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    files = [Path("/etc/pip.conf"), Path.home() / ".pip" / "pip.conf", home / "pip" / "pip.conf"]
    if os.environ.get("PIP_CONFIG_FILE"):
        files.append(Path(os.environ["PIP_CONFIG_FILE"]))
    told: dict[str, str] = {}
    for section in ("global", "install"):
        parser = configparser.RawConfigParser(strict=False)
        parser.read([path for path in files if os.access(path, os.R_OK)])
        if parser.has_section(section):
            told |= {name: value for name, value in parser.items(section) if name in UV_NAMES}
    for name in UV_NAMES:
        value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
        if value:
            told[name] = value
    return {name: " ".join(value.split()) for name, value in told.items() if value.strip()}


def _add_checkout() -> None:
    """Make the checkout importable and `cone` a command, without a build and what it would download."""
    version = f"python{(_identify() or '').split(' ')[0]}"
    (VENV / "lib" / version / "site-packages" / "cone.pth").write_text(f"{CHECKOUT / 'src'}\n")
    command = VENV / "bin" / "cone"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(str(PYTHON))} -m cone.cli.main "$@"\n')
    command.chmod(0o755)


def _run(command: list[str], *, failure: str, environment: dict[str, str] | None = None) -> None:
    outcome = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)
    if outcome.returncode != 0:
        raise SetupRefusedError(f"{failure}.")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _refuse(sentence: str) -> int:
    _say(sentence)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
