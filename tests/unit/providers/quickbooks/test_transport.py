"""What becomes of a request at every point where the line can break."""

import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NoReturn

import pytest

from cone.accounting.port.provider import WireRequest
from cone.accounting.port.verdicts import (
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    TryLaterError,
    VerdictError,
)
from cone.providers.quickbooks import QuickBooks, QuickBooksConfig
from cone.providers.quickbooks.adapter import QuickBooksClient
from cone.providers.quickbooks.config import emulator_endpoints

from .builders import StoredAccess
from .wire_server import Act, WireServer, answer, serving

CUSTOMER = {"Customer": {"Id": "60", "SyncToken": "0", "DisplayName": "Zoë", "Active": True}, "time": "2026-05-05"}
WRITE = WireRequest(line="POST /customer?minorversion=75", body=b'{"DisplayName":"Zo\xc3\xab"}')
EXPIRED = {
    "warnings": None,
    "fault": {
        "error": [
            {
                "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
                "detail": "Token expired: token-1",
                "code": "3200",
                "element": None,
            }
        ],
        "type": "AUTHENTICATION",
    },
}


@asynccontextmanager
async def quickbooks_at(url: str, *, timeout_milliseconds: int = 5000) -> AsyncIterator[QuickBooksClient]:
    config = QuickBooksConfig(
        emulator_endpoints(url), "id", "secret", request_timeout=timedelta(milliseconds=timeout_milliseconds)
    )
    async with QuickBooks(config).open() as client:
        yield client


async def write_to(url: str, access: StoredAccess | None = None, **options: int) -> object:
    async with quickbooks_at(url, **options) as client:
        return await client.send(access or StoredAccess(), WRITE, request_id="request-1", kind="customer")


async def verdict_of_write(*acts: Act, timeout_milliseconds: int = 5000) -> tuple[VerdictError, WireServer]:
    async with serving(*acts) as server:
        with pytest.raises(VerdictError) as caught:
            await write_to(server.url, timeout_milliseconds=timeout_milliseconds)
    return caught.value, server


async def verdict_of_read(*acts: Act) -> tuple[VerdictError, WireServer]:
    async with serving(*acts) as server, quickbooks_at(server.url) as client:
        with pytest.raises(VerdictError) as caught:
            await client.read(StoredAccess(), "customer", "60")
    return caught.value, server


async def test_write_answered_gives_record_and_tid() -> None:
    async with serving(answer(CUSTOMER)) as server, quickbooks_at(server.url) as client:
        sent = await client.send(StoredAccess(), WRITE, request_id="a b&c", kind="customer")
    assert (sent.record.kind, sent.record.remote_id, sent.record.version) == ("customer", "60", "0")
    assert sent.answered.http_status == 200
    assert sent.answered.tid == "1-5f7349e0-0fd2bee86a8a83c67a77fbb2"
    [request] = server.seen
    assert (request.method, request.path) == ("POST", "/v3/company/9130350000000001/customer")
    assert request.query == {"minorversion": "75", "requestid": "a b&c"}
    assert request.body == WRITE.body
    assert request.headers["authorization"] == "Bearer token-1"
    assert request.headers["accept"] == "application/json"
    assert request.headers["content-type"] == "application/json"
    assert "gzip" in request.headers["accept-encoding"]
    assert "cookie" not in request.headers


async def test_cookies_of_an_answer_are_never_sent_back() -> None:
    with_cookie = answer(CUSTOMER, headers={"Set-Cookie": "who=me; Path=/"})
    async with serving(with_cookie, answer(CUSTOMER)) as server, quickbooks_at(server.url) as client:
        await client.read(StoredAccess(), "customer", "60")
        await client.read(StoredAccess(), "customer", "60")
    assert "cookie" not in server.seen[1].headers


async def test_zipped_answer_is_read() -> None:
    packed = answer(gzip.compress(answer(CUSTOMER).split(b"\r\n\r\n", 1)[1]), headers={"Content-Encoding": "gzip"})
    async with serving(packed) as server, quickbooks_at(server.url) as client:
        record = await client.read(StoredAccess(), "customer", "60")
    assert record.name == "Zoë"


async def test_write_to_a_closed_port_never_left() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(TryLaterError):
            await write_to(f"http://127.0.0.1:{port}")


async def test_write_to_an_unknown_host_never_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object, **_options: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(TryLaterError):
        await write_to("http://no-such-host.invalid")


@pytest.mark.parametrize("act", ["close", "reset"])
async def test_write_whose_line_breaks_has_an_unknown_outcome(act: Act) -> None:
    verdict, server = await verdict_of_write(act)
    assert type(verdict) is OutcomeUnknownError
    assert len(server.seen) == 1


async def test_write_without_an_answer_in_time_has_an_unknown_outcome() -> None:
    verdict, server = await verdict_of_write("stall", timeout_milliseconds=200)
    assert type(verdict) is OutcomeUnknownError
    assert len(server.seen) == 1


WHOLE = answer(CUSTOMER, headers={"Connection": "close"})


@pytest.mark.parametrize(
    "broken",
    [
        WHOLE[:20],
        WHOLE[:-10],
        answer(b"<html>Bad luck</html>", headers={"Content-Type": "text/html"}),
        answer(b""),
        answer(b"[]"),
        answer(b"null"),
        answer(b'{"Customer": {"Id": 5}}'),
        answer({"Invoice": {}}),
        answer(b"\xff\xfe"),
        answer(b"not zipped", headers={"Content-Encoding": "gzip"}),
        answer(b"", status=302, headers={"Location": "https://elsewhere.invalid/"}),
        answer(b"", status=500),
        answer(b"<html>", status=502),
        answer({"message": "none"}, status=503),
        answer(b"upstream request timeout", status=504),
        answer(b"", status=408),
    ],
)
async def test_unreadable_answer_leaves_a_write_unknown_and_a_read_for_later(broken: bytes) -> None:
    closing = broken if b"Connection: close" in broken else broken.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    verdict, server = await verdict_of_write(closing)
    assert type(verdict) is OutcomeUnknownError
    assert len(server.seen) == 1
    verdict, _ = await verdict_of_read(closing)
    assert type(verdict) is TryLaterError


async def test_answer_beyond_the_bound_isnt_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cone.providers.quickbooks.transport.ANSWER_BYTES", 1000)
    verdict, _ = await verdict_of_write(answer(b" " * 2000 + b"{}"))
    assert type(verdict) is OutcomeUnknownError
    assert "1000 bytes" in str(verdict)


async def test_refused_token_is_renewed_once_and_the_same_bytes_go_again() -> None:
    access = StoredAccess("token-1", "token-2")
    async with serving(answer(EXPIRED, status=401), answer(CUSTOMER)) as server:
        await write_to(server.url, access)
    assert access.renewals == ["token-1"]
    first, second = server.seen
    assert (first.target, first.body) == (second.target, second.body)
    assert second.headers["authorization"] == "Bearer token-2"


async def test_token_refused_twice_asks_to_reconnect_and_stops() -> None:
    access = StoredAccess("token-1", "token-2", "token-3")
    async with serving(answer(EXPIRED, status=401), answer(EXPIRED, status=401)) as server:
        with pytest.raises(ReconnectError) as caught:
            await write_to(server.url, access)
    assert len(server.seen) == 2
    assert access.renewals == ["token-1"]
    assert caught.value.answered.code == "3200"
    assert "token-1" not in str(caught.value)


async def test_dead_connection_found_by_renewing_isnt_sent_again() -> None:
    async with serving(answer(EXPIRED, status=401)) as server:
        with pytest.raises(ReconnectError):
            await write_to(server.url, StoredAccess("token-1"))
    assert len(server.seen) == 1


async def test_lost_answer_after_renewing_has_an_unknown_outcome() -> None:
    async with serving(answer(EXPIRED, status=401), "close") as server:
        with pytest.raises(OutcomeUnknownError):
            await write_to(server.url, StoredAccess("token-1", "token-2"))


async def test_write_on_a_kept_line_that_was_closed_meanwhile_isnt_repeated_by_the_client() -> None:
    async with serving(answer(CUSTOMER), "close", answer(CUSTOMER)) as server, quickbooks_at(server.url) as client:
        await client.send(StoredAccess(), WRITE, request_id="1", kind="customer")
        with pytest.raises(OutcomeUnknownError):
            await client.send(StoredAccess(), WRITE, request_id="2", kind="customer")
    assert [request.query["requestid"] for request in server.seen] == ["1", "2"]


@pytest.mark.parametrize(
    ("header", "delay"),
    [
        ({}, None),
        ({"Retry-After": "7"}, timedelta(seconds=7)),
        ({"Retry-After": "999999999"}, timedelta(days=1)),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}, timedelta(0)),
    ],
)
async def test_throttled_write_says_how_long_to_wait(header: dict[str, str], delay: timedelta | None) -> None:
    body = {"Fault": {"Error": [{"Message": "ThrottleExceeded", "Detail": "", "code": "003001"}], "type": "SERVICE"}}
    verdict, _ = await verdict_of_write(answer(body, status=429, headers=header))
    assert isinstance(verdict, TryLaterError)
    assert (verdict.delay, verdict.scope) == (delay, "connection")


async def test_fault_inside_success_is_a_fault() -> None:
    body = {"Fault": {"Error": [{"Message": "A", "Detail": "B", "code": "6000"}], "type": "ValidationFault"}}
    verdict, _ = await verdict_of_write(answer(body))
    assert type(verdict) is RejectedError
    assert verdict.answered.http_status == 200


async def test_company_id_and_remote_id_cant_leave_their_place_in_the_address() -> None:
    async with serving(answer(CUSTOMER)) as server, quickbooks_at(server.url) as client:
        await client.read(StoredAccess(company_id="1/../2"), "customer", "60?x=/../1")
    assert server.seen[0].path == "/v3/company/1%2F..%2F2/customer/60%3Fx%3D%2F..%2F1"
