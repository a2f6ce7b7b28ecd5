"""Apps, codes and tokens: who may talk to which company, and until when.

A connection is one app with one company; its tokens die together.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from qbo_emulator.clock import Clock
from qbo_emulator.evidence import Mark, rule
from qbo_emulator.jsonio import Json
from qbo_emulator.settings import Settings
from qbo_emulator.store import Journal

rule(
    "oauth.redirect",
    "redirect_uri matches a registered one exactly; without any, loopback addresses are accepted",
    Mark.DOCUMENT,
    "Intuit OAuth 2.0; the loopback default is this emulator's own",
)
rule(
    "oauth.code",
    "A code works once and for five minutes, at its own redirect_uri only",
    Mark.DOCUMENT,
    "Intuit OAuth 2.0; the lifetime is assumed",
)
rule("oauth.access", "Access tokens live 3600 seconds", Mark.RECORDING, "token answers in SDK tests")
rule(
    "oauth.refresh-window",
    "A refresh token unused for 100 days dies; each use starts a new window",
    Mark.DOCUMENT,
    "Intuit authorization FAQ",
)
rule(
    "oauth.rotation",
    "The refresh value changes about daily; the old one lives on for 24 hours (a setting)",
    Mark.DOCUMENT,
    "Intuit authorization FAQ; other sources deny the grace",
)
rule(
    "oauth.reuse",
    "With reuse_revokes, a refresh value used again after its successor was issued ends the whole connection",
    Mark.REPORT,
    "third-party record; off by default",
)
rule("oauth.revoke", "Revoking either token ends the whole connection", Mark.DOCUMENT, "Intuit OAuth 2.0")

rule(
    "oauth.disconnect",
    "Disconnecting inside QuickBooks ends all tokens and sends the browser to the app's disconnect URL with realmId",
    Mark.REPORT,
    "Intuit OAuth 2.0; the parameter by third-party report",
)

HARD_LIFE_SECONDS = 157_680_000
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class App(msgspec.Struct):
    """A registered app; without redirect URIs any loopback one is accepted."""

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...] = ()
    name: str = "Your app"
    disconnect_url: str = ""

    def accepts(self, redirect_uri: str) -> bool:
        if self.redirect_uris:
            return redirect_uri in self.redirect_uris
        try:
            parts = urlsplit(redirect_uri)
            host = parts.hostname
        except ValueError:
            return False
        return parts.scheme in {"http", "https"} and host in _LOOPBACK and not parts.fragment


class Code(msgspec.Struct):
    code: str
    client_id: str
    redirect_uri: str
    realm: str
    scope: str
    expires_at: int
    is_used: bool = False


class Connection(msgspec.Struct):
    """One app's access to one company."""

    key: str
    client_id: str
    realm: str
    scope: str
    created_at: int


class AccessToken(msgspec.Struct):
    token: str
    connection: str
    expires_at: int


class RefreshToken(msgspec.Struct):
    token: str
    connection: str
    issued_at: int
    used_at: int
    superseded_at: int | None = None
    # When a person consented; 0 in what was stored before this was kept.
    consented_at: int = 0


class InvalidGrantError(Exception):
    """The code or refresh token is unknown, used, expired or revoked."""


_KINDS: dict[str, Any] = {
    "app": App,
    "code": Code,
    "connection": Connection,
    "access": AccessToken,
    "refresh": RefreshToken,
}


class Grants:
    """All OAuth state, written through to the journal."""

    def __init__(self, settings: Settings, clock: Clock, journal: Journal) -> None:
        self.settings = settings
        self._clock = clock
        self._journal = journal
        default = App(
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            redirect_uris=settings.redirect_uris,
            name=settings.app_name,
            disconnect_url=settings.disconnect_url,
        )
        self.apps: dict[str, App] = {default.client_id: default}
        self.codes: dict[str, Code] = {}
        self.connections: dict[str, Connection] = {}
        self.access: dict[str, AccessToken] = {}
        self.refresh: dict[str, RefreshToken] = {}

    def load(self, facts: Iterable[tuple[str, str, Json]]) -> None:
        places: dict[str, dict[str, Any]] = {
            "code": self.codes,
            "connection": self.connections,
            "access": self.access,
            "refresh": self.refresh,
        }
        for kind, key, body in facts:
            if kind == "app":
                # The command line wins over a stored app of the same id.
                self.apps.setdefault(key, msgspec.convert(body, App))
            elif kind in places:
                places[kind][key] = msgspec.convert(body, _KINDS[kind])

    def _keep(self, *facts: tuple[str, str, Any]) -> None:
        self._journal.keep_facts(
            [(kind, key, None if body is None else msgspec.to_builtins(body)) for kind, key, body in facts]
        )

    def clear(self) -> None:
        """Forget all grants; registered apps stay."""
        self._keep(
            *(("code", key, None) for key in self.codes),
            *(("access", key, None) for key in self.access),
            *(("refresh", key, None) for key in self.refresh),
            *(("connection", key, None) for key in self.connections),
        )
        for place in (self.codes, self.access, self.refresh, self.connections):
            place.clear()

    def register(self, app: App) -> None:
        self.apps[app.client_id] = app
        self._keep(("app", app.client_id, app))

    def authenticate(self, client_id: str, client_secret: str) -> App | None:
        app = self.apps.get(client_id)
        if app is None or not hmac.compare_digest(app.client_secret.encode(), client_secret.encode()):
            return None
        return app

    def issue_code(self, *, client_id: str, redirect_uri: str, realm: str, scope: str) -> str:
        code = Code(
            code="AB11" + secrets.token_urlsafe(33),
            client_id=client_id,
            redirect_uri=redirect_uri,
            realm=realm,
            scope=scope,
            expires_at=self._clock.epoch() + self.settings.code_seconds,
        )
        self.codes[code.code] = code
        self._keep(("code", code.code, code))
        return code.code

    def redeem(self, app: App, code: str, redirect_uri: str) -> tuple[Connection, AccessToken, RefreshToken]:
        """Exchange a code for tokens; raises InvalidGrantError."""
        found = self.codes.get(code)
        if (
            found is None
            or found.is_used
            or found.client_id != app.client_id
            or found.redirect_uri != redirect_uri
            or found.expires_at <= self._clock.epoch()
        ):
            raise InvalidGrantError
        found.is_used = True
        key = f"{app.client_id} {found.realm}"
        now = self._clock.epoch()
        connection = self.connections.get(key) or Connection(key, app.client_id, found.realm, found.scope, now)
        connection.scope = found.scope
        self.connections[key] = connection
        access, refresh = self._new_access(key), self._new_refresh(key, now)
        self._keep(
            ("code", code, found),
            ("connection", key, connection),
            ("access", access.token, access),
            ("refresh", refresh.token, refresh),
        )
        return connection, access, refresh

    def _new_access(self, key: str) -> AccessToken:
        token = AccessToken(
            "eyJlbmMi" + secrets.token_urlsafe(480), key, self._clock.epoch() + self.settings.access_token_seconds
        )
        self.access[token.token] = token
        return token

    def _new_refresh(self, key: str, consented_at: int) -> RefreshToken:
        now = self._clock.epoch()
        token = RefreshToken("AB11" + secrets.token_hex(23), key, now, now, consented_at=consented_at)
        self.refresh[token.token] = token
        return token

    def renew(self, app: App, token: str) -> tuple[Connection, AccessToken, RefreshToken]:
        """A new access token, and a new refresh token when the day is over; raises InvalidGrantError."""
        found = self.refresh.get(token)
        connection = self.connections.get(found.connection) if found else None
        now = self._clock.epoch()
        if (
            found is None
            or connection is None
            or connection.client_id != app.client_id
            or found.used_at + self.settings.refresh_window_seconds <= now
            or self.hard_end(found) <= now
        ):
            raise InvalidGrantError
        if found.superseded_at is not None and self.settings.reuse_revokes:
            self.disconnect(connection.key)
            raise InvalidGrantError
        if found.superseded_at is not None and found.superseded_at + self.settings.rotation_grace_seconds <= now:
            raise InvalidGrantError
        current = found if found.superseded_at is None else self._current(connection.key, found)
        if current.issued_at + self.settings.rotate_after_seconds <= now:
            current.superseded_at = now
            older, current = current, self._new_refresh(connection.key, current.consented_at)
            self._keep(("refresh", older.token, older))
        current.used_at = now
        access = self._new_access(connection.key)
        stale = [each for each in self.access.values() if each.connection == connection.key and each.expires_at <= now]
        for each in stale:
            del self.access[each.token]
        self._keep(
            ("access", access.token, access),
            ("refresh", current.token, current),
            *(("access", each.token, None) for each in stale),
        )
        return connection, access, current

    def hard_end(self, refresh: RefreshToken) -> int:
        """When the chain of this token ends whatever is done, short of asking a person again."""
        return (refresh.consented_at or self.connections[refresh.connection].created_at) + HARD_LIFE_SECONDS

    def _current(self, key: str, superseded: RefreshToken) -> RefreshToken:
        """The living successor of a rotated token."""
        living = [
            each
            for each in self.refresh.values()
            if each.connection == key
            and each.superseded_at is None
            and each.issued_at >= superseded.issued_at
            and each.consented_at == superseded.consented_at
        ]
        if not living:
            raise InvalidGrantError
        return max(living, key=lambda each: each.issued_at)

    def holder(self, token: str) -> Connection | None:
        """The connection of a valid access token."""
        found = self.access.get(token)
        if found is None or found.expires_at <= self._clock.epoch():
            return None
        return self.connections.get(found.connection)

    def revoke(self, app: App, token: str) -> bool:
        found = self.refresh.get(token) or self.access.get(token)
        connection = self.connections.get(found.connection) if found else None
        if connection is None or connection.client_id != app.client_id:
            return False
        self.disconnect(connection.key)
        return True

    def issue_tokens(self, app: App, realm: str, scope: str) -> tuple[Connection, AccessToken, RefreshToken]:
        """Tokens without a person at a browser, for tests."""
        code = self.issue_code(client_id=app.client_id, redirect_uri="", realm=realm, scope=scope)
        return self.redeem(app, code, "")

    def disconnect(self, key: str) -> None:
        """End a connection with all of its tokens."""
        access = [each.token for each in self.access.values() if each.connection == key]
        refresh = [each.token for each in self.refresh.values() if each.connection == key]
        for token in access:
            del self.access[token]
        for token in refresh:
            del self.refresh[token]
        self.connections.pop(key, None)
        self._keep(
            ("connection", key, None),
            *(("access", each, None) for each in access),
            *(("refresh", each, None) for each in refresh),
        )

    def expire_access(self) -> int:
        """Let all access tokens expire now; answers how many."""
        now = self._clock.epoch()
        changed = [each for each in self.access.values() if each.expires_at > now]
        for each in changed:
            each.expires_at = now
        self._keep(*(("access", each.token, each) for each in changed))
        return len(changed)
