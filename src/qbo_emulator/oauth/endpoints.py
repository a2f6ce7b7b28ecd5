"""Discovery, token, revoke, userinfo and JWKS; the pages of the authorize endpoint are in `authorize`."""
# ruff: noqa: ARG002 - all endpoints have one signature

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.jsonio import Json, MalformedJsonError, decode, encode
from qbo_emulator.settings import DEMO_EMAIL

from .grants import AccessToken, App, Connection, InvalidGrantError, RefreshToken

if TYPE_CHECKING:
    from qbo_emulator.emulator import Emulator

rule(
    "oauth.discovery",
    "The discovery document under both paths, with and without trailing slash",
    Mark.RECORDING,
    "discovery document in SDK tests; paths as the clients ask for them",
)
rule(
    "oauth.errors",
    "400 with error and error_description; 401 invalid_client for wrong credentials",
    Mark.RECORDING,
    "recorded invalid_grant; invalid_client assumed",
)
rule("oauth.credentials", "Client credentials in the Basic header or in the body", Mark.DOCUMENT, "discovery document")
rule(
    "oauth.hard-expiry",
    "x_refresh_token_hard_expires_in on request by header",
    Mark.DOCUMENT,
    "Intuit refresh token policy of 2025-11",
)
rule(
    "oauth.id-token",
    "RS256, aud a list, realmid, kid from the JWKS; only with scope openid",
    Mark.RECORDING,
    "id token in SDK tests",
)

ISSUER = "https://oauth.platform.intuit.com/op/v1"
SUBJECT = "3b1f0a52-6f64-4c7e-9a63-0d2f4be1c901"
_HEADERS = {"cache-control": "no-cache, no-store", "pragma": "no-cache"}
_JSON = "application/json;charset=UTF-8"


def _json(body: Json, status: int = 200) -> Response:
    return Response(encode(body), status, _HEADERS, _JSON)


def _error(error: str, description: str, status: int = 400) -> Response:
    return _json({"error_description": description, "error": error}, status)


class OAuthEndpoints:
    """The machine-readable half of Intuit's OAuth hosts."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def routes(self) -> list[Route]:
        discovery = [
            Route(f"/.well-known/{name}{slash}", self.discovery)
            for name in ("openid_configuration", "openid_sandbox_configuration")
            for slash in ("", "/")
        ]
        return [
            *discovery,
            Route("/oauth2/v1/tokens/bearer", self.token, methods=["POST"]),
            Route("/v2/oauth2/tokens/revoke", self.revoke, methods=["POST"]),
            Route("/v1/openid_connect/userinfo", self.userinfo),
            Route("/op/v1/jwks", self.jwks),
        ]

    async def discovery(self, request: Request) -> Response:
        base = f"{request.url.scheme}://{request.url.netloc}"
        return _json(
            {
                "issuer": ISSUER,
                "authorization_endpoint": f"{base}/connect/oauth2",
                "token_endpoint": f"{base}/oauth2/v1/tokens/bearer",
                "userinfo_endpoint": f"{base}/v1/openid_connect/userinfo",
                "revocation_endpoint": f"{base}/v2/oauth2/tokens/revoke",
                "jwks_uri": f"{base}/op/v1/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "email", "profile", "address", "phone"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
            }
        )

    async def jwks(self, request: Request) -> Response:
        return _json(self._emulator.signing.jwks())

    async def token(self, request: Request) -> Response:
        form = await _form(request)
        app = self._app(request, form)
        if app is None:
            return _error("invalid_client", "Client authentication failed", 401)
        grants = self._emulator.grants
        kind = form.get("grant_type", "")
        try:
            if kind == "authorization_code":
                granted = grants.redeem(app, form.get("code", ""), form.get("redirect_uri", ""))
            elif kind == "refresh_token":
                granted = grants.renew(app, form.get("refresh_token", ""))
            else:
                return _error("unsupported_grant_type", "The grant type is not supported")
        except InvalidGrantError:
            text = "Token invalid" if kind == "authorization_code" else "Incorrect or invalid refresh token"
            return _error("invalid_grant", text)
        wants_hard = request.headers.get("x-include-refresh-token-hard-expires-in", "").lower() == "true"
        return _json(self._answer(*granted, with_hard_expiry=wants_hard, with_id_token=kind == "authorization_code"))

    def _answer(
        self,
        connection: Connection,
        access: AccessToken,
        refresh: RefreshToken,
        *,
        with_hard_expiry: bool,
        with_id_token: bool,
    ) -> Json:
        settings, now = self._emulator.settings, self._emulator.clock.epoch()
        body: Json = {
            "token_type": "bearer",
            "expires_in": access.expires_at - now,
            "refresh_token": refresh.token,
            "x_refresh_token_expires_in": settings.refresh_window_seconds,
            "access_token": access.token,
        }
        if with_hard_expiry:
            body["x_refresh_token_hard_expires_in"] = self._emulator.grants.hard_end(refresh) - now
        if with_id_token and "openid" in connection.scope.split():
            body["id_token"] = self._emulator.signing.sign(
                {
                    "sub": SUBJECT,
                    "aud": [connection.client_id],
                    "realmid": connection.realm,
                    "auth_time": now,
                    "iss": ISSUER,
                    "exp": now + settings.access_token_seconds,
                    "iat": now,
                }
            )
        return body

    async def revoke(self, request: Request) -> Response:
        form = await _form(request)
        app = self._app(request, form)
        if app is None:
            return _error("invalid_client", "Client authentication failed", 401)
        if not self._emulator.grants.revoke(app, form.get("token", "")):
            return _error("invalid_request", "Token invalid")
        return Response(b"", 200, _HEADERS)

    async def userinfo(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        connection = self._emulator.grants.holder(token) if scheme.lower() == "bearer" else None
        if connection is None or "openid" not in connection.scope.split():
            answer = _error("invalid_token", "The token is not valid for this request", 401)
            answer.headers["www-authenticate"] = 'Bearer realm="Intuit", error="invalid_token"'
            return answer
        return _json(
            {
                "sub": SUBJECT,
                "email": DEMO_EMAIL,
                "emailVerified": True,
                "givenName": "Robin",
                "familyName": "Ashdown",
                "phoneNumber": "+1 5555550100",
                "phoneNumberVerified": True,
                "address": {
                    "streetAddress": "1 Ledger Row",
                    "locality": "Harbour",
                    "region": "HB",
                    "postalCode": "10000",
                    "country": "US",
                },
            }
        )

    def _app(self, request: Request, form: Mapping[str, str]) -> App | None:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                decoded = base64.b64decode(value, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return None
            client_id, _, secret = decoded.partition(":")
            grants = self._emulator.grants
            return grants.authenticate(client_id, secret) or grants.authenticate(unquote(client_id), unquote(secret))
        return self._emulator.grants.authenticate(form.get("client_id", ""), form.get("client_secret", ""))


async def _form(request: Request) -> dict[str, str]:
    """A body's members as text, whether it came as a form or as JSON."""
    raw = await request.body()
    if "json" in request.headers.get("content-type", ""):
        try:
            body = decode(raw)
        except MalformedJsonError:
            return {}
        return {str(key): str(value) for key, value in body.items()} if isinstance(body, dict) else {}
    return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
