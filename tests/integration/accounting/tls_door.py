"""A door before the test database that speaks TLS as Postgres does: our own server's programs are built without it.

Whoever asks for TLS gets it and is let through; who doesn't is turned away. The server behind is the real one.
"""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.db import connection

_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
_CHUNK = 65_536


@dataclass(frozen=True)
class Authority:
    """Who signs certificates; `root` is the file that names it."""

    root: Path
    _key: ec.EllipticCurvePrivateKey
    _name: x509.Name

    def issue(self, name: str) -> tuple[Path, Path]:
        """A certificate for a host or user of that name, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _sign(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, self._name, self._key)
        return _write(self.root.with_name(f"{self.root.stem}-{name}"), certificate, key)


def make_authority(folder: Path, name: str) -> Authority:
    """A new one, trusted by nobody."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    root, _ = _write(folder / name, _sign(subject, key, subject, key), key)
    return Authority(root, key, subject)


def _sign(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, by: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now = datetime.now(UTC)
    name = str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=subject == issuer, path_length=None), critical=True)
        .sign(by, hashes.SHA256())
    )


def _write(path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> tuple[Path, Path]:
    certificate_path, key_path = path.with_name(path.name + ".crt"), path.with_name(path.name + ".key")
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    # libpq refuses a key that others may read.
    key_path.chmod(0o600)
    return certificate_path, key_path


@dataclass
class Door:
    """Where it listens, and who came through: the TLS version of each."""

    port: int = 0
    came: list[str] = field(default_factory=list)
    close: Callable[[], object] = lambda: None


@contextmanager
def tls_door(context: ssl.SSLContext | None) -> Iterator[Door]:
    """Open it before the test database; without a context it says that it has no TLS, and lets nobody through."""
    door, is_open = Door(), threading.Event()
    settings = connection.get_connection_params()

    async def let_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(_SSL_REQUEST)) != _SSL_REQUEST:
                return
            writer.write(b"S" if context else b"N")
            if context is None:
                return
            await writer.start_tls(context)
            door.came.append(writer.get_extra_info("ssl_object").version())
            behind, to_behind = await _reach_database(settings)
            with closing(to_behind):
                ways = [asyncio.create_task(_carry(*way)) for way in ((reader, to_behind), (behind, writer))]
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)

    async def welcome() -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        door.close = partial(loop.call_soon_threadsafe, stopped.set)
        async with await asyncio.start_server(let_in, "127.0.0.1", 0) as server:
            door.port = server.sockets[0].getsockname()[1]
            is_open.set()
            await stopped.wait()

    # Whoever is still inside is cancelled with the loop.
    thread = threading.Thread(target=asyncio.run, args=(welcome(),))
    thread.start()
    assert is_open.wait(5)
    try:
        yield door
    finally:
        door.close()
        thread.join(5)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while said := await reader.read(_CHUNK):
            writer.write(said)
            await writer.drain()


async def _reach_database(settings: Mapping[str, Any]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = str(settings.get("host") or "/var/run/postgresql"), int(settings.get("port") or 5432)
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)
