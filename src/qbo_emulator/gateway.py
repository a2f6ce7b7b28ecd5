"""The door of the accounting API: tokens and rights, faults on order, the record of requests, headers on every answer.

A plain ASGI application rather than a framework's route, because it must be fast and able to drop a connection.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from .accounting import Accounting, Answer, Call
from .books import Books
from .control.injections import Injection
from .control.recorder import Entry
from .evidence import Mark, rule
from .faults import Fault, GatewayFault, authentication_failed, authorization_failed, ordered_fault, unsupported
from .jsonio import encode
from .limits import Ticket, exceeded, is_core_plus
from .ordered import Line, delay, ends_after_work, ends_before_work, let_go

if TYPE_CHECKING:
    from .emulator import Emulator

rule(
    "gateway.order",
    "401, then 403, then 429, then faults of the request itself; faults on order come after 429",
    Mark.DOCUMENT,
    "layers of Intuit's gateway; their order is assumed",
)
rule("gateway.size", "A body over the limit is refused with 413", Mark.DOCUMENT, "status table; the body is assumed")
rule("gateway.gzip", "Answers are compressed on request; compressed bodies are read", Mark.DOCUMENT, "Intuit REST API")
rule("gateway.tid", "intuit_tid on every answer, as 1-<8 hex>-<24 hex>", Mark.RECORDING, "recorded answers")
rule("gateway.content-type", "charset on success, plain application/json on faults", Mark.RECORDING, "recorded answers")
rule(
    "gateway.times",
    "Offset of US Pacific time; milliseconds in the envelope, seconds in MetaData",
    Mark.RECORDING,
    "recorded answers",
)
rule("gateway.xml", "XML, which is what QuickBooks answers unless JSON is asked for", Mark.MISSING)

_log = logging.getLogger(__name__)
_SUCCESS = b"application/json;charset=utf-8"
_FAULT = b"application/json"
_ROOT = "/v3/company/"
_WORTH_GZIP = 8_000


class ClientLeftError(Exception):
    """The connection ended before the request was whole."""


def new_tid(epoch: int) -> str:
    return f"1-{epoch & 0xFFFFFFFF:08x}-{secrets.token_hex(12)}"


@dataclass(slots=True)
class _Exchange:
    """One request on its way through the gateway; body is None when it is over the limit."""

    line: Line
    headers: Mapping[bytes, str]
    body: bytes | None
    entry: Entry

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(part for part in self.entry.path.removeprefix(_ROOT).split("/")[1:] if part)


class Gateway:
    """ASGI application for everything below /v3/."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._accounting = Accounting(emulator.request_ids, strict=emulator.settings.strict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            exchange = await self._open(scope, receive, send)
        except ClientLeftError:
            return
        started = asyncio.get_running_loop().time()
        try:
            books, ticket = self._enter(exchange)
        except (Fault, GatewayFault) as refusal:
            await self._answer(exchange, self._refusal(refusal))
            return
        try:
            await self._serve(exchange, books)
        finally:
            exchange.entry.milliseconds = int((asyncio.get_running_loop().time() - started) * 1000)
            self._emulator.throttle.leave(ticket)

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> _Exchange:
        emulator = self._emulator
        headers = {key: value.decode("latin-1") for key, value in scope["headers"]}
        limit = emulator.settings.body_limit
        body = await read_body(receive, limit)
        if body and headers.get(b"content-encoding", "").lower() == "gzip":
            body = _decompress(body, limit)
        entry = emulator.recorder.open(
            at=emulator.clock.envelope(),
            method=scope["method"],
            path=scope["path"],
            query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, errors="replace")),
            body=body or b"",
            tid=new_tid(emulator.clock.epoch()),
        )
        return _Exchange(Line(scope, receive, send), headers, body, entry)

    def _enter(self, exchange: _Exchange) -> tuple[Books, Ticket]:
        """Token, rights and limits, in this order; raises GatewayFault and Fault 3001."""
        books, client_id = self._admit(exchange.entry.path, exchange.headers)
        parts = exchange.parts
        resource = parts[0].lower() if parts else ""
        ticket = self._emulator.throttle.enter(books.realm, client_id, method=exchange.entry.method, resource=resource)
        return books, ticket

    async def _serve(self, exchange: _Exchange, books: Books) -> None:
        entry = exchange.entry
        order = self._emulator.injections.take(path=entry.path, method=entry.method, query=entry.query)
        if order is None:
            await self._answer(exchange, await self._reply(exchange, books))
            return
        entry.injected = order.action
        if await ends_before_work(order, exchange.line):
            return
        if order.action == "execute_late" and order.connection != "answered":
            left = asyncio.Event()
            self._emulator.late.start(entry, order, self._reply_late(exchange, books, order, left))
            await let_go(order, exchange.line)
            left.set()
            return
        reply = await self._reply(exchange, books, order)
        if order.action == "status_after":
            reply = self._spoiled(order, exchange.headers)
        if not await ends_after_work(order, exchange.line, status=reply.status, body=reply.body):
            await self._answer(exchange, reply)

    async def _reply_late(self, exchange: _Exchange, books: Books, order: Injection, left: asyncio.Event) -> None:
        await self._reply(exchange, books, order, left)
        exchange.entry.executed_at = self._emulator.clock.envelope()

    async def _reply(
        self, exchange: _Exchange, books: Books, order: Injection | None = None, left: asyncio.Event | None = None
    ) -> Answer:
        """The answer that the work ends with, whether or not it will be given."""
        reply = await self._result(exchange, books, order, left)
        entry = exchange.entry
        entry.result, entry.replayed = reply.status, reply.replayed
        if 200 <= reply.status < 300:
            resource = exchange.parts[0].lower() if exchange.parts else ""
            self._emulator.throttle.meter.count(books.realm, is_core_plus=is_core_plus(entry.method, resource))
        return reply

    async def _result(
        self, exchange: _Exchange, books: Books, order: Injection | None, left: asyncio.Event | None
    ) -> Answer:
        entry = exchange.entry
        try:
            if order is not None and order.fault is not None:
                body = {"Fault": ordered_fault(order.fault), "time": self._emulator.clock.envelope()}
                return Answer(order.fault["status"], encode(body))
            if order is not None and order.action in {"status", "expired_token"}:
                return self._ordered(order, exchange.headers)
            if exchange.body is None:
                body = {"Fault": unsupported("request of this size").as_json()}
                return Answer(413, encode({**body, "time": self._emulator.clock.envelope()}))
            if exchange.parts[-1:] != ("pdf",):
                _check_representation(exchange.headers, entry.query)
            cut_at = order.value if order is not None and order.action == "cut_batch" else None
            call = Call(entry.method, entry.path, exchange.parts, entry.query, exchange.body, cut_at)
            return await self._work(books, call, order, left)
        except (Fault, GatewayFault) as fault:
            return self._refusal(fault)
        except Exception:  # noqa: BLE001 - the edge of the process
            # The edge: a bug of ours must reach the client as QuickBooks' own system fault, and the log.
            _log.exception("bug in the emulator while answering %s %s", entry.method, entry.path)
            return self._fault(Fault(10000, "System Failure Error: a bug in the emulator, see its log"))

    async def _work(self, books: Books, call: Call, order: Injection | None, left: asyncio.Event | None) -> Answer:
        """Execute a call or give its remembered answer; an ordered delay counts as executing."""
        async with self._emulator.request_ids.turn(books.realm, call.request_id):
            remembered = self._accounting.recall(books, call)
            if order is not None:
                await delay(order, self._emulator.clock, left)
            if self._emulator.companies.get(books.realm) is not books:
                # A reset in the meantime: what is written now would belong to no company.
                raise authorization_failed("The company is gone")
            return remembered or self._accounting.answer(books, call)

    async def _answer(self, exchange: _Exchange, reply: Answer) -> None:
        exchange.entry.status = reply.status
        exchange.entry.keep_answer(reply.body)
        limits = self._emulator.throttle.limits
        after = limits.retry_after_seconds if reply.status == 429 else None
        gzipped = _takes_gzip(exchange.headers.get(b"accept-encoding", ""))
        await _send(exchange.line.send, reply, exchange.entry.tid, gzipped=gzipped, retry_after=after)

    def _refusal(self, fault: Fault | GatewayFault) -> Answer:
        if isinstance(fault, GatewayFault):
            return Answer(fault.status, encode(fault.as_json(self._emulator.clock.epoch() * 1000)))
        return self._fault(fault)

    def _fault(self, fault: Fault) -> Answer:
        return Answer(fault.status, encode({"Fault": fault.as_json(), "time": self._emulator.clock.envelope()}))

    def _spoiled(self, order: Injection, headers: Mapping[bytes, str]) -> Answer:
        try:
            return self._ordered(order, headers)
        except (Fault, GatewayFault) as refusal:
            return self._refusal(refusal)

    def _ordered(self, injection: Injection, headers: Mapping[bytes, str]) -> Answer:
        """The answer of an ordered fault; raises GatewayFault and Fault 3001."""
        status = 401 if injection.action == "expired_token" else injection.value
        if status == 401:
            raise authentication_failed(f"Token expired: {_token(headers)}")
        if status == 403:
            raise authorization_failed("ordered fault")
        if status == 429:
            raise exceeded()
        answer = self._fault(Fault(10000, f"System Failure Error: ordered fault {status}"))
        return Answer(status, answer.body)

    def _admit(self, path: str, headers: Mapping[bytes, str]) -> tuple[Books, str]:
        """The books a request may use and the app that asks; raises GatewayFault."""
        token = _token(headers)
        connection = self._emulator.grants.holder(token)
        if connection is None:
            raise authentication_failed(f"Token expired: {token}" if token else "Token missing")
        realm = path.removeprefix(_ROOT).partition("/")[0] if path.startswith(_ROOT) else ""
        books = self._emulator.companies.get(realm)
        if books is None or connection.realm != realm:
            raise authorization_failed("The token was not issued for this company")
        return books, connection.client_id


def _token(headers: Mapping[bytes, str]) -> str:
    scheme, _, token = headers.get(b"authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _check_representation(headers: Mapping[bytes, str], query: Mapping[str, str]) -> None:
    if query.get("format", "").lower() == "json" or "application/json" in headers.get(b"accept", "").lower():
        return
    raise unsupported("XML answer (the emulator covers JSON: send Accept: application/json)")


def _takes_gzip(accepted: str) -> bool:
    """Whether gzip is among the accepted encodings, and not there to be ruled out."""
    for each in accepted.lower().split(","):
        name, _, weight = each.replace(" ", "").partition(";q=")
        if name in {"gzip", "*"}:
            return weight.strip("0.") != "" or not weight
    return False


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """The body, or None when it is over the limit; raises ClientLeftError, as half a request is none."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        if not message.get("more_body", False):
            break
    return b"".join(chunks) if size <= limit else None


def _decompress(body: bytes, limit: int) -> bytes | None:
    """The text of a compressed body, None when it is over the limit; broken ones are passed on as they are."""
    reader = zlib.decompressobj(wbits=31)
    try:
        text = reader.decompress(body, limit + 1)
    except zlib.error:
        return body
    return text if len(text) <= limit else None


async def _send(send: Send, reply: Answer, tid: str, *, gzipped: bool, retry_after: int | None) -> None:
    body = reply.body
    gzipped = gzipped and len(body) > _WORTH_GZIP
    if gzipped:
        body = gzip.compress(body, 1)
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", reply.content_type or (_SUCCESS if reply.status == 200 else _FAULT)),
        (b"content-length", str(len(body)).encode()),
        (b"intuit_tid", tid.encode()),
        (b"cache-control", b"max-age=0, no-cache, no-store, must-revalidate, private"),
    ]
    if reply.status == 200:
        headers += [(b"qbo-version", b"1990.000"), (b"service-time", b"total=1, db=0")]
    if reply.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="Intuit", error="invalid_token"'))
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    if gzipped:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
