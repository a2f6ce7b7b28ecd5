"""What the database and the data folder need before anything can serve: tables, static files, a demo firm."""

import hashlib
import json
import os
from pathlib import Path
from typing import TypedDict

import cone
from cone.cli.places import Places, write_private

_LOCK_NUMBER = 20_261_123


class SignIn(TypedDict):
    """How to sign in to the demo firm."""

    email: str
    password: str


def get_fingerprint(database_url: str, cluster: Path | None, *, with_demo: bool) -> str:
    """Return a digest of everything that decides whether preparing again would do anything."""
    digest = hashlib.sha256(f"{database_url} {with_demo}".encode())
    if cluster is not None:
        digest.update((cluster / "global" / "pg_control").read_bytes()[:8])  # the cluster's own identifier
    package = Path(cone.__file__).parent
    for folder, folders, files in os.walk(package):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(files):
            path = Path(folder, name)
            status = path.stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def is_prepared(places: Places, fingerprint: str) -> bool:
    """Say whether exactly this code has prepared exactly this database."""
    return _read_record(places).get("fingerprint") == fingerprint


def find_sign_in(places: Places) -> SignIn | None:
    """Return the demo firm's sign-in, if one was made here."""
    record = _read_record(places).get("demo")
    return SignIn(email=record["email"], password=record["password"]) if isinstance(record, dict) else None


def migrate() -> None:
    """Bring the tables up to this version; of several machines that try at once, one does it."""
    from django.core.management import call_command  # noqa: PLC0415 -- only after the environment is complete
    from django.db import connection  # noqa: PLC0415 -- only after the environment is complete

    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [_LOCK_NUMBER])
        try:
            call_command("migrate", verbosity=0, interactive=False)
        finally:
            cursor.execute("select pg_advisory_unlock(%s)", [_LOCK_NUMBER])


def collect_static_files() -> None:
    """Put style sheets, scripts and pictures where the web server finds them under their hashed names."""
    from django.core.management import call_command  # noqa: PLC0415 -- only after the environment is complete

    call_command("collectstatic", verbosity=0, interactive=False)


def prepare(places: Places, fingerprint: str, *, with_demo: bool) -> None:
    """Do all of it, and write down that it's done."""
    print("Bringing the database up to date …", flush=True)
    migrate()
    collect_static_files()
    sign_in: SignIn | None = None
    if with_demo:
        if find_sign_in(places) is None:
            print("Making the demo firm …", flush=True)
        sign_in = make_demo_firm()
    write_private(places.prepared, json.dumps({"fingerprint": fingerprint, "demo": sign_in}))


def make_demo_firm() -> SignIn:
    """Make the demo firm if it isn't there, and return how to sign in to it."""
    from cone.demo.create_demo_firm import create_demo_firm  # noqa: PLC0415 -- only after the environment is complete

    demo = create_demo_firm()
    return SignIn(email=demo.email, password=demo.password)


def _read_record(places: Places) -> dict[str, object]:
    try:
        record: dict[str, object] = json.loads(places.prepared.read_text())
    except (OSError, ValueError):
        return {}
    return record
