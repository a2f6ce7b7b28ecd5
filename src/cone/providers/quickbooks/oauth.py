"""Intuit's OAuth 2.0: sending the browser there, and trading codes and refresh tokens (api-facts §1).

Decides by `error`, never by `error_description`: the texts vary.
"""

import base64
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

import msgspec

from cone.accounting.port.company import TokenGrant
from cone.accounting.port.provider import AuthorizationRefusedError, AuthorizationReturn
from cone.accounting.port.verdicts import Answered, ReconnectError, TryLaterError, VerdictError
from cone.providers.quickbooks.config import Endpoints, QuickBooksConfig, configured_endpoints
from cone.providers.quickbooks.faults import Received, redact
from cone.providers.quickbooks.transport import Request, Transport

SCOPE = "com.intuit.quickbooks.accounting"
_LONGEST_CODE = 512
_LONGEST_REALM = 32
_LONGEST_LIFE_SECONDS = 10 * 365 * 24 * 3600


class _Tokens(msgspec.Struct):
    access_token: str
    refresh_token: str
    expires_in: int
    refresh_expires_in: int = msgspec.field(name="x_refresh_token_expires_in")
    hard_expires_in: int | None = msgspec.field(name="x_refresh_token_hard_expires_in", default=None)


class _Refusal(msgspec.Struct):
    error: str = ""


def authorize_url(endpoints: Endpoints, *, client_id: str, state: str, redirect_uri: str) -> str:
    """Where the browser goes to sign in and choose a company."""
    query = {
        "client_id": client_id,
        "response_type": "code",
        "scope": SCOPE,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    return f"{endpoints.authorize}?{urlencode(query)}"


def read_return(query: Mapping[str, str]) -> AuthorizationReturn:
    """The code and the company of a return. A realm id goes into addresses: digits only."""
    if error := query.get("error", ""):
        raise AuthorizationRefusedError("denied" if error == "access_denied" else "invalid")
    code, realm = query.get("code", ""), query.get("realmId", "")
    if not code or len(code) > _LONGEST_CODE:
        raise AuthorizationRefusedError("invalid")
    if not (realm.isascii() and realm.isdigit() and len(realm) <= _LONGEST_REALM):
        raise AuthorizationRefusedError("invalid")
    return AuthorizationReturn(code=code, company_id=realm)


# The grant is over: revoked, or unused for 100 days, or five years old (api-facts §1.4).
_DEAD = "invalid_grant"


class Tokens:
    """The token endpoint, spoken to with our credentials."""

    def __init__(self, transport: Transport, config: QuickBooksConfig) -> None:
        self._transport = transport
        self._config = config

    async def exchange(self, *, code: str, redirect_uri: str) -> TokenGrant:
        """Trade a one-time code. Raises AuthorizationRefusedError."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        try:
            received = await self._post_form(form, secret=code)
        except VerdictError as error:
            raise AuthorizationRefusedError("unreachable") from error
        if received.status >= 500 or received.status == 429:
            raise AuthorizationRefusedError("unreachable")
        if received.status != 200:
            raise AuthorizationRefusedError("expired" if _error_of(received) == _DEAD else "invalid")
        grant = _grant_of(received)
        if grant is None:
            raise AuthorizationRefusedError("unreachable")
        return grant

    async def refresh(self, refresh_token: str) -> TokenGrant:
        """Trade a refresh token. Only `invalid_grant` means that it's dead; everything else may pass."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        received = await self._post_form(form, secret=refresh_token)
        if received.status == 200 and (grant := _grant_of(received)) is not None:
            return grant
        error = _error_of(received)
        answered = _answered(received, error)
        if error == _DEAD:
            raise ReconnectError(answered)
        raise TryLaterError(answered, delay=received.retry_after)

    async def revoke(self, token: str) -> None:
        """End the grant; HTTP 400 says that it had ended already. Raises TryLaterError."""
        received = await self._transport.send(
            Request(
                method="POST",
                url=configured_endpoints(self._config).revoke,
                headers={**self._headers(), "Content-Type": "application/json"},
                body=msgspec.json.encode({"token": token}),
                secrets=(token, self._config.client_secret),
            )
        )
        if received.status not in (200, 204, 400):
            raise TryLaterError(_answered(received, _error_of(received)), delay=received.retry_after)

    async def _post_form(self, form: Mapping[str, str], *, secret: str) -> Received:
        return await self._transport.send(
            Request(
                method="POST",
                url=configured_endpoints(self._config).token,
                headers={
                    **self._headers(),
                    "Content-Type": "application/x-www-form-urlencoded",
                    # Intuit then also tells the end of the token chain's five years (api-facts §1.4).
                    "x-include-refresh-token-hard-expires-in": "true",
                },
                body=urlencode(form).encode(),
                secrets=(secret, self._config.client_secret),
            )
        )

    def _headers(self) -> dict[str, str]:
        pair = f"{self._config.client_id}:{self._config.client_secret}".encode()
        return {"Accept": "application/json", "Authorization": "Basic " + base64.b64encode(pair).decode()}


def _grant_of(received: Received) -> TokenGrant | None:
    try:
        tokens = msgspec.json.decode(received.body, type=_Tokens, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not tokens.access_token or not tokens.refresh_token or tokens.expires_in <= 0:
        return None
    lives = tokens.refresh_expires_in
    if tokens.hard_expires_in is not None:
        lives = min(lives, tokens.hard_expires_in)
    return TokenGrant(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        access_lifetime=timedelta(seconds=min(tokens.expires_in, _LONGEST_LIFE_SECONDS)),
        refresh_lifetime=timedelta(seconds=min(lives, _LONGEST_LIFE_SECONDS)),
    )


def _error_of(received: Received) -> str:
    try:
        return msgspec.json.decode(received.body, type=_Refusal).error[:100]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _answered(received: Received, error: str) -> Answered:
    # The code and the status say the rest, where they're shown.
    message = redact(
        "QuickBooks has ended this sign-in: it was revoked there, or wasn't used for long. Connect again to go on."
        if error == _DEAD
        else f"QuickBooks' sign-in answered {error or 'without a reason'} (HTTP {received.status})."
    )
    return Answered(
        http_status=received.status, tid=received.tid, code=redact(error, received.secrets), message=message
    )
