"""How a connection comes about: where the database is, in the driver's words, and what holds as long as it lives."""

import asyncio
import json
import socket
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg
from django.db import connection

from cone.accounting.database.connection import Database
from cone.accounting.database.errors import DRIVER_ERRORS, away

# Enough for every statement of the engine, for as long as the connection lives.
_STATEMENTS = 500
# A dead peer must be noticed in seconds, by both sides: a lane's lock lives as long as its connection.
_IDLE_SECONDS, _INTERVAL_SECONDS, _PROBES, _UNANSWERED_MS = 5, 2, 3, 10_000
# Set by a statement, since poolers refuse parameters they don't know when a connection begins. Each statement is
# planned once for all its values: planning a look takes longer than looking.
_SETTINGS = {
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "tcp_keepalives_idle": str(_IDLE_SECONDS),
    "tcp_keepalives_interval": str(_INTERVAL_SECONDS),
    "tcp_keepalives_count": str(_PROBES),
    "tcp_user_timeout": str(_UNANSWERED_MS),
}
# What libpq is told by these names, our driver understands by the same.
_NAMED = (
    *("options", "target_session_attrs", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl"),
    *("sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version"),
)
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_SET = "select set_config(name, value, false) from unnest($1::text[], $2::text[]) as given(name, value)"


class _WatchfulConnection(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """The driver's connection, which notices in seconds that its peer is gone."""

    __slots__ = ()

    def __init__(self, protocol: Any, transport: asyncio.Transport, *rest: Any) -> None:
        super().__init__(protocol, transport, *rest)
        line = transport.get_extra_info("socket")
        if line.family == socket.AF_UNIX:
            return
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", _IDLE_SECONDS),
            ("TCP_KEEPINTVL", _INTERVAL_SECONDS),
            ("TCP_KEEPCNT", _PROBES),
            ("TCP_USER_TIMEOUT", _UNANSWERED_MS),
        ):
            # Not every system has them all.
            if (option := getattr(socket, name, None)) is not None:
                line.setsockopt(socket.IPPROTO_TCP, option, value)


def address_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The driver's arguments for Django's parameters of a connection (libpq's names)."""
    address: dict[str, Any] = {
        "database": settings.get("dbname"),
        "user": settings.get("user"),
        "password": settings.get("password"),
        # Apart, since an IPv6 address in a URL is cut at its first colon.
        "host": str(settings["host"]).split(",") if settings.get("host") else None,
        "port": int(settings["port"]) if settings.get("port") else None,
    }
    named = {name: settings[name] for name in _NAMED if settings.get(name)}
    if named.get("sslrootcert") == "system":
        # As libpq 16: the system's authorities, and the server's name is checked.
        del named["sslrootcert"]
        named.pop("sslmode", None)
        address["ssl"] = ssl.create_default_context()
        if named.get("sslcert"):
            address["ssl"].load_cert_chain(named["sslcert"], named.get("sslkey"), named.get("sslpassword"))
    if named:
        address["dsn"] = "postgresql://?" + urlencode(named, quote_via=quote)
    return {name: value for name, value in address.items() if value is not None}


async def connect() -> Database:
    """Open one connection of our own to Django's default database, outside any pool. Raises DATABASE_ERRORS."""
    settings = connection.get_connection_params()
    try:
        line = await asyncpg.connect(
            **address_of(settings),
            connection_class=_WatchfulConnection,
            statement_cache_size=_STATEMENTS,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
        )
    except DRIVER_ERRORS as error:
        raise away(error, _files(error, settings)) from error
    try:
        for name in ("json", "jsonb"):
            await line.set_type_codec(name, schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
        await line.fetch(_SET, list(_SETTINGS), list(_SETTINGS.values()))
    except DRIVER_ERRORS as error:
        line.terminate()
        raise away(error) from error
    except BaseException:
        line.terminate()
        raise
    return Database(line)


def _files(error: Exception, settings: Mapping[str, Any]) -> str:
    """Which files may be meant by an error that doesn't say it."""
    if not isinstance(error, ssl.SSLError | FileNotFoundError | PermissionError):
        return ""
    return ", ".join(f"{name}={settings[name]}" for name in _FILES if settings.get(name))
