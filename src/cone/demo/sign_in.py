"""The demo's sign-in: a generated password, kept beside the data so that later starts can show it again."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

OWNER_EMAIL = "demo@cone.example"
FILE_NAME = "demo_sign_in.json"
# Without letters and digits that look alike.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    """What to type on the sign-in page."""

    email: str
    password: str


def find_sign_in(directory: Path) -> DemoSignIn | None:
    """Return the sign-in kept in `directory`; None when there is none that can be read as one."""
    try:
        kept = json.loads((directory / FILE_NAME).read_text(encoding="utf-8"))
        return DemoSignIn(email=str(kept["email"]), password=str(kept["password"]))
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def make_sign_in(directory: Path) -> DemoSignIn:
    """Generate a password and keep it, readable by this account only."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))
    sign_in = DemoSignIn(email=OWNER_EMAIL, password="-".join(groups))
    directory.mkdir(parents=True, exist_ok=True)
    unfinished = directory / f".{FILE_NAME}.{secrets.token_hex(4)}"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"email": sign_in.email, "password": sign_in.password}, file)
    unfinished.replace(directory / FILE_NAME)
    return sign_in
