"""Ending a connection in the ways an order asks for: without an answer, with a reset, after half of one."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from starlette.types import Scope, Send

KEY = "qbo_emulator.transport"


def _of(scope: Scope) -> Any:
    return scope.get("extensions", {}).get(KEY)


async def drop(scope: Scope) -> None:
    """End the connection without an answer."""
    _of(scope).abort()
    await asyncio.sleep(0)


async def reset(scope: Scope) -> None:
    """Answer with a TCP reset."""
    transport = _of(scope)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await asyncio.sleep(0)


async def send_half(scope: Scope, send: Send, *, status: int, body: bytes) -> None:
    """Promise the whole body, send half of it and end the connection."""
    headers = [(b"content-type", b"application/json;charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    _of(scope).close()
    await asyncio.sleep(0)
