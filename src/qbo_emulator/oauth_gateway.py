"""The door of the OAuth endpoints: their requests are recorded, secrets left out, and can be hit by faults on order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .control.injections import Injection
from .control.recorder import Entry
from .evidence import Mark, rule
from .gateway import ClientLeftError, read_body
from .jsonio import MalformedJsonError, decode, encode
from .ordered import Line, delay, ends_after_work, ends_before_work, let_go

if TYPE_CHECKING:
    from .emulator import Emulator

rule(
    "oauth.faults",
    "Faults on order hit the token and revoke endpoints if their path is named; the bodies are assumed",
    Mark.ASSUMPTION,
)

PATHS = frozenset({"/oauth2/v1/tokens/bearer", "/v2/oauth2/tokens/revoke", "/v1/openid_connect/userinfo"})
_SECRETS = frozenset({"client_secret", "refresh_token", "code", "token", "access_token"})
_BODY_LIMIT = 100_000
_Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


class RecordedOAuth:
    """Wraps the site for the paths above."""

    def __init__(self, emulator: Emulator, site: ASGIApp) -> None:
        self._emulator = emulator
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send, *, tid: str) -> None:
        emulator = self._emulator
        try:
            body = await read_body(receive, _BODY_LIMIT) or b""
        except ClientLeftError:
            return
        entry = emulator.recorder.open(
            at=emulator.clock.envelope(),
            method=scope["method"],
            path=scope["path"],
            query={},
            body=mask(body),
            tid=tid,
        )
        order = emulator.injections.take_named(path=scope["path"], method=scope["method"])
        line = Line(scope, receive, send)
        if order is None:
            await self._answer(entry, line, await self._pass_on(entry, scope, body))
            return
        entry.injected = order.action
        if await ends_before_work(order, line):
            return
        if order.action == "execute_late" and order.connection != "answered":
            left = asyncio.Event()
            emulator.late.start(entry, order, self._pass_late(entry, line, body, order, left))
            await let_go(order, line)
            left.set()
            return
        if order.action in {"status", "expired_token"}:
            answer = _ordered(order)
        else:
            await delay(order, emulator.clock, None)
            answer = await self._pass_on(entry, scope, body)
            if order.action == "status_after":
                answer = _ordered(order)
        if not await ends_after_work(order, line, status=answer[0], body=answer[2]):
            await self._answer(entry, line, answer)

    async def _pass_late(self, entry: Entry, line: Line, body: bytes, order: Injection, left: asyncio.Event) -> None:
        await delay(order, self._emulator.clock, left)
        await self._pass_on(entry, line.scope, body)
        entry.executed_at = self._emulator.clock.envelope()

    async def _answer(self, entry: Entry, line: Line, answer: _Answer) -> None:
        entry.status, headers, body = answer
        await line.send({"type": "http.response.start", "status": entry.status, "headers": headers})
        await line.send({"type": "http.response.body", "body": body})

    async def _pass_on(self, entry: Entry, scope: Scope, body: bytes) -> _Answer:
        """Let the site do the work; answers its status, headers and body."""
        messages: list[Message] = []

        async def give() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._site(scope, give, keep)
        answer = b"".join(message.get("body", b"") for message in messages[1:])
        entry.result = messages[0]["status"]
        return entry.result, list(messages[0].get("headers", [])), answer


def _ordered(injection: Injection) -> _Answer:
    if injection.action == "expired_token":
        status, error = 400, "invalid_grant"
    else:
        status = injection.value
        error = {400: "invalid_grant", 401: "invalid_client"}.get(status, "server_error")
    body = encode({"error_description": "ordered fault", "error": error})
    headers = [(b"content-type", b"application/json;charset=UTF-8"), (b"content-length", str(len(body)).encode())]
    return status, headers, body


def mask(body: bytes) -> bytes:
    """The members of a body, secrets reduced to their last six characters: enough to tell one from another."""
    try:
        content = decode(body)
        members = content if isinstance(content, dict) else {}
    except MalformedJsonError:
        members = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    shown = {
        str(name): f"…{str(value)[-6:]}" if name in _SECRETS and len(str(value)) > 12 else _plain(str(name), value)
        for name, value in members.items()
    }
    return urlencode(shown, safe="…").encode()


def _plain(name: str, value: object) -> str:
    return "…" if name in _SECRETS else str(value)
