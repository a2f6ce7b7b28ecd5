"""HTTP to Intuit: one session, bounded answers, and an exact account of whether a request left us.

Knows nothing of entities. Every failure of the wire ends here in a verdict; what an answer *says* is `faults`' trade.
"""

import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import aiohttp
from yarl import URL

from cone.accounting.port.verdicts import Answered, TryLaterError, VerdictError
from cone.providers.quickbooks.faults import Received, redact, unclear

CONNECT_SECONDS = 10
ANSWER_BYTES = 32 * 1024 * 1024
_LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, complete. `is_write`: a lost answer is an unknown outcome. `secrets` never show in a message.

    `is_metered`: it counts against the month's allowance although it writes.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = None
    is_write: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)
    is_metered: bool = False


class Transport:
    """The one HTTP session of an opened provider."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, request: Request) -> Received:
        """The whole answer, whatever its status. Raises TryLaterError, OutcomeUnknownError."""
        seen = SimpleNamespace(left=False)
        try:
            async with self._session.request(
                request.method,
                URL(request.url, encoded=True),
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
                trace_request_ctx=seen,
            ) as response:
                return Received(
                    status=response.status,
                    body=await _read(response, request),
                    tid=_tid(response),
                    retry_after=_retry_after(response),
                    secrets=request.secrets,
                    is_metered=request.is_metered,
                )
        except (aiohttp.ClientError, OSError, TimeoutError, zlib.error) as error:
            raise _lost(request, error, left=seen.left) from error


@asynccontextmanager
async def open_transport(request_timeout: timedelta) -> AsyncIterator[Transport]:
    """A session without cookies and without a limit of its own: the budget of requests is the engine's."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=request_timeout.total_seconds(), sock_connect=CONNECT_SECONDS),
        headers={"User-Agent": "Cone"},
        trace_configs=[_left_trace()],
    ) as session:
        yield Transport(session)


def _left_trace() -> aiohttp.TraceConfig:
    """Mark a request as left from the moment it has a connection: before that, nobody can have seen it."""

    async def mark(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
        context.trace_request_ctx.left = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(mark)
    trace.on_connection_reuseconn.append(mark)
    return trace


async def _read(response: aiohttp.ClientResponse, request: Request) -> bytes:
    """The body, unpacked, up to a bound: memory must not depend on the other side."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(64 * 1024):
        size += len(chunk)
        if size > ANSWER_BYTES:
            message = f"QuickBooks' answer was larger than {ANSWER_BYTES} bytes."
            raise unclear(
                Answered(http_status=response.status, tid=_tid(response), message=message), is_write=request.is_write
            )
        chunks.append(chunk)
    return b"".join(chunks)


def _lost(request: Request, error: Exception, *, left: bool) -> VerdictError:
    reason = redact(f"{type(error).__name__}: {error}".rstrip(": "), request.secrets)
    if not left:
        return TryLaterError(Answered(message=f"QuickBooks can't be reached. {reason}"))
    return unclear(Answered(message=f"QuickBooks' answer was lost. {reason}"), is_write=request.is_write)


def _tid(response: aiohttp.ClientResponse) -> str:
    """Intuit's id of the exchange, for their support; header names compare without case."""
    return redact(response.headers.get("intuit_tid") or response.headers.get("intuit-tid") or "")[:100]


def _retry_after(response: aiohttp.ClientResponse) -> timedelta | None:
    """Seconds or a date. Intuit documents none; honored if one ever comes (api-facts §3)."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return min(timedelta(seconds=int(text)), _LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    wait = at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)
    return min(max(wait, timedelta(0)), _LONGEST_WAIT)
