"""The door of the accounting API: tokens and rights, faults on order, the record of requests, headers on every answer.

A plain ASGI application rather than a framework's route, because it must be fast and able to drop a connection.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import secrets
import socket
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from .accounting import Accounting, Answer, Call
from .books import Books
from .control.injections import Injection
from .control.recorder import Entry
from .evidence import Mark, rule
from .faults import Fault, GatewayFault, authentication_failed, authorization_failed, unsupported
from .jsonio import encode

if TYPE_CHECKING:
    from .emulator import Emulator

rule("gateway.tid", "intuit_tid on every answer, as 1-<8 hex>-<24 hex>", Mark.RECORDING, "recorded answers")
rule("gateway.content-type", "charset on success, plain application/json on faults", Mark.RECORDING, "recorded answers")
rule(
    "gateway.times",
    "Offset of US Pacific time; milliseconds in the envelope, seconds in MetaData",
    Mark.RECORDING,
    "recorded answers",
)
rule("gateway.xml", "XML, which is what QuickBooks answers unless JSON is asked for", Mark.MISSING)
rule("gateway.limits", "Rate limits and metering", Mark.MISSING)

_log = logging.getLogger(__name__)
_SUCCESS = b"application/json;charset=utf-8"
_FAULT = b"application/json"
TRANSPORT = "qbo_emulator.transport"
_ROOT = "/v3/company/"
_WORTH_GZIP = 8_000


def new_tid(epoch: int) -> str:
    return f"1-{epoch & 0xFFFFFFFF:08x}-{secrets.token_hex(12)}"


class Gateway:
    """ASGI application for everything below /v3/."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._accounting = Accounting(strict=emulator.settings.strict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        emulator = self._emulator
        body = await _read(receive, emulator.settings.body_limit)
        tid = new_tid(emulator.clock.epoch())
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="replace"))
        headers = {key: value.decode("latin-1") for key, value in scope["headers"]}
        entry = emulator.recorder.open(
            at=emulator.clock.envelope(),
            method=scope["method"],
            path=scope["path"],
            query=query,
            body=body or b"",
            tid=tid,
        )
        started = asyncio.get_running_loop().time()
        injection = emulator.injections.take(path=scope["path"], method=scope["method"], query=query)
        entry.injected = injection.action if injection is not None else None
        if injection is not None and await self._before(injection, scope):
            return
        reply = self._reply(entry, headers, body, injection)
        entry.milliseconds = int((asyncio.get_running_loop().time() - started) * 1000)
        if injection is not None and injection.action in {"drop_after", "half_body"}:
            await _drop(scope, send if injection.action == "half_body" else None, reply)
            entry.status = 0
            return
        entry.status, entry.replayed = reply.status, reply.replayed
        await _send(send, reply, tid, gzipped="gzip" in headers.get(b"accept-encoding", ""))

    async def _before(self, injection: Injection, scope: Scope) -> bool:
        """What an order does before the work; True when the request ends here."""
        if injection.action == "latency_ms":
            await asyncio.sleep(injection.value / 1000)
        if injection.action == "drop_before":
            await _drop(scope)
            return True
        if injection.action == "reset":
            _reset(scope)
            return True
        return False

    def _reply(
        self, entry: Entry, headers: Mapping[bytes, str], body: bytes | None, injection: Injection | None
    ) -> Answer:
        emulator = self._emulator
        try:
            if injection is not None and injection.action in {"status", "expired_token"}:
                return self._ordered(injection, headers)
            if body is None:
                return Answer(413, encode({"Fault": unsupported("request of this size").as_json()}))
            books = self._admit(entry.path, headers)
            _check_representation(headers, entry.query)
            parts = tuple(part for part in entry.path.removeprefix(_ROOT).split("/")[1:] if part)
            return self._accounting.answer(books, Call(entry.method, entry.path, parts, entry.query, body))
        except GatewayFault as fault:
            return Answer(fault.status, encode(fault.as_json(emulator.clock.epoch() * 1000)))
        except Fault as fault:
            return self._fault(fault)
        except Exception:  # noqa: BLE001 - the edge of the process
            # The edge: a bug of ours must reach the client as QuickBooks' own system fault, and the log.
            _log.exception("bug in the emulator while answering %s %s", entry.method, entry.path)
            return self._fault(Fault(10000, "System Failure Error: a bug in the emulator, see its log"))

    def _fault(self, fault: Fault) -> Answer:
        return Answer(fault.status, encode({"Fault": fault.as_json(), "time": self._emulator.clock.envelope()}))

    def _ordered(self, injection: Injection, headers: Mapping[bytes, str]) -> Answer:
        """The answer of an ordered fault; no work is done."""
        status = 401 if injection.action == "expired_token" else injection.value
        if status == 401:
            raise authentication_failed(f"Token expired: {_token(headers)}")
        if status == 403:
            raise authorization_failed("ordered fault")
        if status == 429:
            raise Fault(3001, "The request limit was reached.  Try again later")
        answer = self._fault(Fault(10000, f"System Failure Error: ordered fault {status}"))
        return Answer(status, answer.body)

    def _admit(self, path: str, headers: Mapping[bytes, str]) -> Books:
        """The books a request may use; raises GatewayFault."""
        token = _token(headers)
        connection = self._emulator.grants.holder(token)
        if connection is None:
            raise authentication_failed(f"Token expired: {token}" if token else "Token missing")
        realm = path.removeprefix(_ROOT).partition("/")[0] if path.startswith(_ROOT) else ""
        books = self._emulator.companies.get(realm)
        if books is None or connection.realm != realm:
            raise authorization_failed("The token was not issued for this company")
        return books


def _token(headers: Mapping[bytes, str]) -> str:
    scheme, _, token = headers.get(b"authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _check_representation(headers: Mapping[bytes, str], query: Mapping[str, str]) -> None:
    if query.get("format", "").lower() == "json" or "application/json" in headers.get(b"accept", "").lower():
        return
    raise unsupported("XML answer (the emulator covers JSON: send Accept: application/json)")


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The body, or None when it is over the limit."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        if not message.get("more_body", False):
            break
    return b"".join(chunks) if size <= limit else None


async def _send(send: Send, reply: Answer, tid: str, *, gzipped: bool) -> None:
    body = reply.body
    gzipped = gzipped and len(body) > _WORTH_GZIP
    if gzipped:
        body = gzip.compress(body, 1)
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", _SUCCESS if reply.status == 200 else _FAULT),
        (b"content-length", str(len(body)).encode()),
        (b"intuit_tid", tid.encode()),
        (b"cache-control", b"max-age=0, no-cache, no-store, must-revalidate, private"),
    ]
    if reply.status == 200:
        headers += [(b"qbo-version", b"1990.000"), (b"service-time", b"total=1, db=0")]
    if reply.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="Intuit", error="invalid_token"'))
    if gzipped:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _transport(scope: Scope) -> Any:
    return scope.get("extensions", {}).get(TRANSPORT)


async def _drop(scope: Scope, send: Send | None = None, reply: Answer | None = None) -> None:
    """End the connection without an answer, or after half of one."""
    transport = _transport(scope)
    if send is not None and reply is not None:
        length = str(len(reply.body)).encode()
        await send(
            {
                "type": "http.response.start",
                "status": reply.status,
                "headers": [(b"content-type", _SUCCESS), (b"content-length", length)],
            }
        )
        await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
        transport.close()
    else:
        transport.abort()
    await asyncio.sleep(0)


def _reset(scope: Scope) -> None:
    """Answer with a TCP reset."""
    transport = _transport(scope)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
