"""One POST over HTTP/1.1, as small as a webhook needs it: no redirects, no reuse, nothing read but the status."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit


class NotDeliveredError(Exception):
    """The endpoint could not be reached or did not answer."""


async def post(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """Send a body and answer the status; raises NotDeliveredError. The caller sets the time limit."""
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    context = ssl.create_default_context() if is_secure else None
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=context)
    except ConnectionRefusedError as error:
        raise NotDeliveredError("connection refused") from error
    except OSError as error:
        raise NotDeliveredError(str(error)) from error
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        await writer.drain()
        return _status(await reader.readline())
    except (OSError, ValueError) as error:
        raise NotDeliveredError(str(error) or type(error).__name__) from error
    finally:
        writer.transport.abort()


def _status(line: bytes) -> int:
    protocol, _, rest = line.partition(b" ")
    if not protocol.startswith(b"HTTP/1."):
        raise NotDeliveredError("no HTTP answer")
    return int(rest[:3])
