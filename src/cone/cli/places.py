"""Where this installation keeps its files, and the settings that its parts are told about it."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cone.cli.refusals import StartRefusedError

SETTINGS_MODULE = "cone.project.settings"


@dataclass(frozen=True)
class Places:
    """The data folder and what lies where in it."""

    data_dir: Path

    @property
    def logs(self) -> Path:
        """Return the folder of the parts' logs."""
        return self.data_dir / "log"

    @property
    def postgres(self) -> Path:
        """Return the folder of the embedded Postgres."""
        return self.data_dir / "postgres"

    @property
    def emulator(self) -> Path:
        """Return the folder of the emulator's books."""
        return self.data_dir / "emulator"

    @property
    def lock(self) -> Path:
        """Return the file that a running `cone up` holds locked."""
        return self.data_dir / "lock"

    @property
    def database_url(self) -> Path:
        """Return the file that names the embedded Postgres while it runs."""
        return self.data_dir / "database_url"

    @property
    def prepared(self) -> Path:
        """Return the record of what the database was last prepared for."""
        return self.data_dir / "prepared.json"

    def make(self) -> None:
        """Make the folders that are missing; raises StartRefusedError where that isn't allowed."""
        try:
            # Entered, but not listed, by the user that Postgres runs as when root starts us.
            self.data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
            probe = self.data_dir / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise StartRefusedError(
                f"Can't write to {self.data_dir}: {error.strerror}. Choose another folder with --data-dir."
            ) from error


def find_data_dir(chosen: str | None) -> Path:
    """Return the data folder: the chosen one, CONE_DATA_DIR, or `var` in the checkout."""
    if chosen or os.environ.get("CONE_DATA_DIR"):
        return Path(chosen or os.environ["CONE_DATA_DIR"]).expanduser().absolute()
    checkout = Path(__file__).resolve().parents[3]
    return (checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()) / "var"


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only we can read, at once or not at all."""
    partial = path.with_name(f".{path.name}-{os.getpid()}")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    partial.replace(path)


def ensure_emulator_credentials(places: Places) -> dict[str, str]:
    """Return the keys that Cone is known by at its own emulator, made on first use."""
    path = places.data_dir / "emulator_credentials.json"
    if not path.exists():
        fresh = {"client_id": f"cone-{secrets.token_hex(8)}", "client_secret": secrets.token_urlsafe(32)}
        write_private(path, json.dumps(fresh))
    known: dict[str, str] = json.loads(path.read_text())
    return known


def build_environment(places: Places, *, database_url: str, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what every part finds in its environment. Secrets are named by file or passed here, never as arguments."""
    return {
        "CONE_SECRET_KEY_FILE": str(places.data_dir / "secret_key"),
        "CONE_TOKEN_KEYS_FILE": str(places.data_dir / "keys"),
        **os.environ,
        "DJANGO_SETTINGS_MODULE": SETTINGS_MODULE,
        "CONE_DATA_DIR": str(places.data_dir),
        "DATABASE_URL": database_url,
        "PYTHONUNBUFFERED": "1",
        **(own or {}),
    }
