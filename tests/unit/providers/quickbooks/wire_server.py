"""A server that does to a connection exactly what a test says, byte by byte: the crash points of HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import parse_qs, urlsplit

import msgspec

Act: TypeAlias = Literal["close", "reset", "stall"] | bytes


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass
class WireServer:
    """Answers each request with the next act: whole bytes, or what a broken line does."""

    acts: list[Act]
    port: int = 0
    seen: list[Seen] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read(reader)) is not None:
                self.seen.append(request)
                act = self.acts.pop(0)
                if isinstance(act, bytes):
                    writer.write(act)
                    await writer.drain()
                    if b"Connection: close" in act or b"\r\n\r\n" not in act:
                        break
                elif act == "stall":
                    await reader.read()
                    break
                else:
                    if act == "reset":
                        writer.transport.abort()
                    break
        finally:
            writer.close()


@asynccontextmanager
async def serving(*acts: Act) -> AsyncIterator[WireServer]:
    """A running server on a free port of loopback."""
    server = WireServer(list(acts))
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


def answer(body: object, *, status: int = 200, headers: dict[str, str] | None = None) -> bytes:
    """A whole answer; `body` is JSON unless it's bytes."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}"]
    given = {"Content-Type": "application/json", "Intuit-Tid": "1-5f7349e0-0fd2bee86a8a83c67a77fbb2"}
    lines += [f"{name}: {value}" for name, value in (given | (headers or {})).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


async def _read(reader: asyncio.StreamReader) -> Seen | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *rest = head.strip().split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    method, target, _ = first.split(" ")
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method=method, target=target, headers=headers, body=body)
