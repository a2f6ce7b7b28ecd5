"""Signing in at Intuit: what goes out, what comes back, and what each refusal means."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from cone.accounting.port.provider import AuthorizationRefusedError, AuthorizationReturn
from cone.accounting.port.verdicts import MisconfiguredError, ReconnectError, TryLaterError
from cone.providers.quickbooks import QuickBooks, QuickBooksConfig
from cone.providers.quickbooks.adapter import QuickBooksClient
from cone.providers.quickbooks.config import emulator_endpoints, intuit_endpoints

from .builders import StoredAccess
from .wire_server import Act, WireServer, answer, serving

TOKENS = {
    "access_token": "sample_access_token",
    "refresh_token": "sample_refresh_token",
    "token_type": "bearer",
    "expires_in": 3600,
    "x_refresh_token_expires_in": 8726400,
    "id_token": "sample_id_token",
}
CALLBACK = "https://cone.example.com/settings/integrations/quickbooks/callback"


@asynccontextmanager
async def signing_in(*acts: Act) -> AsyncIterator[tuple[QuickBooksClient, WireServer]]:
    async with serving(*acts) as server:
        config = QuickBooksConfig(
            emulator_endpoints(server.url), "my id", "my secret", request_timeout=timedelta(seconds=2)
        )
        async with QuickBooks(config).open() as client:
            yield client, server


def refusal(error: str, *, status: int = 400) -> bytes:
    return answer({"error": error, "error_description": "Token invalid sample_refresh_token"}, status=status)


def test_authorize_address_asks_for_the_accounting_scope() -> None:
    provider = QuickBooks(QuickBooksConfig(intuit_endpoints("production"), "my id", "my secret"))
    url = urlsplit(provider.authorize_url(state="a&b", redirect_uri=CALLBACK))
    assert url._replace(query="").geturl() == "https://appcenter.intuit.com/connect/oauth2"
    assert parse_qs(url.query) == {
        "client_id": ["my id"],
        "response_type": ["code"],
        "scope": ["com.intuit.quickbooks.accounting"],
        "redirect_uri": [CALLBACK],
        "state": ["a&b"],
    }


def test_return_gives_code_and_company() -> None:
    provider = QuickBooks(QuickBooksConfig(None))
    back = provider.read_return({"code": "c", "state": "s", "realmId": "9130350000000001"})
    assert back == AuthorizationReturn(code="c", company_id="9130350000000001")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"error": "access_denied", "state": "s"}, "denied"),
        ({"error": "server_error"}, "invalid"),
        ({}, "invalid"),
        ({"code": "c"}, "invalid"),
        ({"realmId": "1"}, "invalid"),
        ({"code": "c" * 513, "realmId": "1"}, "invalid"),
        ({"code": "c", "realmId": "1/../2"}, "invalid"),
        ({"code": "c", "realmId": "²"}, "invalid"),
        ({"code": "c", "realmId": "1" * 33}, "invalid"),
    ],
)
def test_return_that_is_no_grant_is_refused(query: dict[str, str], reason: str) -> None:
    with pytest.raises(AuthorizationRefusedError) as caught:
        QuickBooks(QuickBooksConfig(None)).read_return(query)
    assert caught.value.reason == reason


async def test_code_is_traded_with_our_credentials() -> None:
    async with signing_in(answer(TOKENS)) as (client, server):
        grant = await client.exchange_code(code="c+d", redirect_uri=CALLBACK)
    assert (grant.access_token, grant.refresh_token) == ("sample_access_token", "sample_refresh_token")
    assert (grant.access_lifetime, grant.refresh_lifetime) == (timedelta(hours=1), timedelta(days=101))
    assert "sample" not in repr(grant)
    [request] = server.seen
    assert (request.method, request.path) == ("POST", "/oauth2/v1/tokens/bearer")
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"my id:my secret").decode()
    assert request.headers["accept"] == "application/json"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["c+d"],
        "redirect_uri": [CALLBACK],
    }


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (refusal("invalid_grant"), "expired"),
        (refusal("invalid_client", status=401), "invalid"),
        (refusal("invalid_request"), "invalid"),
        (answer(b"<html>", status=400), "invalid"),
        (answer(b"", status=503), "unreachable"),
        (answer(b"", status=429), "unreachable"),
        (answer(b"<html>"), "unreachable"),
        (answer({"access_token": "x"}), "unreachable"),
        (answer({**TOKENS, "expires_in": 0}), "unreachable"),
        ("close", "unreachable"),
    ],
)
async def test_refused_code_says_why(act: Act, reason: str) -> None:
    async with signing_in(act) as (client, _):
        with pytest.raises(AuthorizationRefusedError) as caught:
            await client.exchange_code(code="c", redirect_uri=CALLBACK)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("changes", "lifetime"),
    [
        ({"x_refresh_token_hard_expires_in": 157_680_000}, timedelta(days=101)),
        ({"x_refresh_token_hard_expires_in": 60}, timedelta(minutes=1)),
        ({"x_refresh_token_expires_in": "8726400"}, timedelta(days=101)),
        ({"x_refresh_token_expires_in": 10**15}, timedelta(days=3650)),
    ],
)
async def test_refresh_tells_the_earlier_end(changes: dict[str, Any], lifetime: timedelta) -> None:
    async with signing_in(answer(TOKENS | changes)) as (client, server):
        grant = await client.refresh("old")
    assert grant.refresh_lifetime == lifetime
    assert parse_qs(server.seen[0].body.decode()) == {"grant_type": ["refresh_token"], "refresh_token": ["old"]}
    assert server.seen[0].headers["x-include-refresh-token-hard-expires-in"] == "true"


async def test_refresh_of_a_dead_token_asks_to_reconnect_without_repeating_it() -> None:
    async with signing_in(refusal("invalid_grant")) as (client, _):
        with pytest.raises(ReconnectError) as caught:
            await client.refresh("sample_refresh_token")
    assert caught.value.answered.code == "invalid_grant"
    assert caught.value.answered.http_status == 400
    assert "sample_refresh_token" not in str(caught.value)
    assert str(caught.value).startswith("QuickBooks has ended this sign-in")
    assert "invalid_grant" not in str(caught.value)
    assert "HTTP" not in str(caught.value)


@pytest.mark.parametrize(
    "act",
    [
        refusal("invalid_client", status=401),
        refusal("server_error"),
        answer(b"<html>", status=400),
        answer(b"", status=500),
        answer(b"{}"),
        answer(TOKENS)[:-20].replace(b"\r\n", b"\r\nConnection: close\r\n", 1),
        "close",
        "reset",
        "stall",
    ],
)
async def test_refresh_that_fails_otherwise_may_be_tried_again(act: Act) -> None:
    async with signing_in(act) as (client, _):
        with pytest.raises(TryLaterError):
            await client.refresh("old")


@pytest.mark.parametrize("act", [answer(b""), answer(b"", status=204), refusal("invalid_request")])
async def test_revoking_is_done_also_when_it_was_done(act: Act) -> None:
    async with signing_in(act) as (client, server):
        await client.revoke("old")
    assert server.seen[0].path == "/v2/oauth2/tokens/revoke"
    assert msgspec.json.decode(server.seen[0].body) == {"token": "old"}
    assert server.seen[0].headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize("act", [answer(b"", status=503), answer(b"", status=401), "close"])
async def test_revoking_that_fails_may_be_tried_again(act: Act) -> None:
    async with signing_in(act) as (client, _):
        with pytest.raises(TryLaterError):
            await client.revoke("old")


async def test_connection_without_keys_says_what_to_configure() -> None:
    async with QuickBooks(QuickBooksConfig(None, explanation="Set the keys.")).open() as client:
        with pytest.raises(MisconfiguredError, match="Set the keys"):
            await client.read(StoredAccess(), "invoice", "1")
        with pytest.raises(MisconfiguredError, match="Set the keys"):
            await client.refresh("old")
