"""Secrets from files: made on first start with mode 0600, read ever after, never printed."""

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet


def read_secret(variable: str, default_path: Path) -> str:
    """Return the secret in the file that `variable` names, or in `default_path`, which is made when missing."""
    return _read_or_make(Path(os.environ.get(variable, default_path)), secrets.token_urlsafe(50))


def read_keys(variable: str, default_path: Path) -> list[str]:
    """Return the token-encryption keys, newest first (one Fernet key per line); made like `read_secret`."""
    text = _read_or_make(Path(os.environ.get(variable, default_path)), Fernet.generate_key().decode())
    return [line.strip() for line in text.splitlines() if line.strip()]


def _read_or_make(path: Path, fresh: str) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}-{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(fresh + "\n")
    try:
        # Whole or not at all: of two processes starting at once, one makes the file and both use it.
        os.link(partial, path)
    except FileExistsError:
        return path.read_text().strip()
    finally:
        partial.unlink()
    return fresh
