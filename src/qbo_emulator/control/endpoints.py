"""/_emulator/: health, reset, dump, the record of requests, faults on order, tokens, clock, the bookkeeper's acts."""
# ruff: noqa: ARG002 - all handlers have one signature

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from qbo_emulator import __version__
from qbo_emulator.books import Books
from qbo_emulator.emulator import UnknownScenarioError
from qbo_emulator.entities.registry import BY_NAME, ENTITIES
from qbo_emulator.evidence import RULES
from qbo_emulator.faults import Fault
from qbo_emulator.jsonio import Json, MalformedJsonError, decode, encode
from qbo_emulator.oauth.grants import App
from qbo_emulator.pages.web import has_own_host, is_same_origin
from qbo_emulator.scenarios import SCENARIOS

from .act import UnknownActionError, act
from .dump import FORMS, dump
from .injections import InvalidInjectionError
from .refusal import RefusedError
from .tuning import Tuning

if TYPE_CHECKING:
    from qbo_emulator.emulator import Emulator


_LIFETIMES = frozenset(
    {
        "access_token_seconds",
        "refresh_window_seconds",
        "rotate_after_seconds",
        "rotation_grace_seconds",
        "code_seconds",
        "reuse_revokes",
    }
)


def _answer(body: Json, status: int = 200) -> Response:
    return Response(encode(body), status, {"cache-control": "no-store"}, "application/json")


def _object(raw: bytes) -> Json:
    body = decode(raw) if raw else {}
    if not isinstance(body, dict):
        raise RefusedError("The body must be a JSON object.")
    return body


class ControlEndpoints:
    """Open to programs on this machine; a browser may come from our own pages only."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def routes(self) -> list[Route]:
        emulator = self._emulator
        tuning = Tuning(emulator.throttle, emulator.request_ids, emulator.outbox, client_id=emulator.settings.client_id)
        table: list[tuple[str, str, Callable[[Request, Json], Json]]] = [
            ("GET", "health", self.health),
            ("POST", "reset", self.reset),
            ("GET", "dump", self.dump),
            ("GET", "companies", self.companies),
            ("GET", "requests", self.requests),
            ("DELETE", "requests", self.forget_requests),
            ("GET", "faults", self.faults),
            ("POST", "faults", self.order_fault),
            ("DELETE", "faults", self.clear_faults),
            ("POST", "tokens", self.issue_tokens),
            ("POST", "tokens/expire", self.expire_tokens),
            ("POST", "tokens/revoke", self.revoke_tokens),
            ("GET", "clock", self.clock),
            ("POST", "clock", self.move_clock),
            ("POST", "act", self.act),
            ("POST", "apps", self.register_app),
            ("GET", "coverage", self.coverage),
            *tuning.table(),
            ("POST", "companies", self.open_company),
            ("POST", "lifetimes", self.change_lifetimes),
        ]
        return [
            Route(f"/_emulator/{path}", self._guarded(handler), methods=[method]) for method, path, handler in table
        ]

    def _guarded(self, handler: Callable[[Request, Json], Json]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if not has_own_host(request, self._emulator.settings.host) or not is_same_origin(request):
                return _answer({"error": "The control plane is open to this machine only."}, 403)
            try:
                return _answer(handler(request, _object(await request.body())))
            except RefusedError as error:
                return _answer({"error": str(error)}, error.status)
            except (MalformedJsonError, InvalidInjectionError, UnknownActionError) as error:
                return _answer({"error": str(error)}, 400)
            except UnknownScenarioError as error:
                return _answer({"error": f"no scenario {error}", "scenarios": sorted(SCENARIOS)}, 400)
            except Fault as fault:
                return _answer({"Fault": fault.as_json()}, fault.status)

        return endpoint

    def health(self, request: Request, body: Json) -> Json:
        emulator = self._emulator
        return {
            "status": "ok",
            "version": __version__,
            "scenario": emulator.scenario,
            "requests": emulator.recorder.count,
            "companies": self._listed(),
            "data_dir": str(emulator.settings.data_dir or ""),
        }

    def _listed(self) -> list[Json]:
        return [
            {"realm_id": realm, "name": books.info["CompanyName"], "country": books.country}
            for realm, books in self._emulator.companies.items()
        ]

    def companies(self, request: Request, body: Json) -> Json:
        return {"companies": self._listed()}

    def reset(self, request: Request, body: Json) -> Json:
        realm = body.get("realm_id")
        if realm is not None and not (isinstance(realm, str) and realm.isascii() and realm.isdigit()):
            raise RefusedError("realm_id is a text of digits")
        self._emulator.reset(str(body.get("scenario") or self._emulator.scenario), realm_id=realm)
        self._emulator.recorder.clear()
        return {"scenario": self._emulator.scenario, "companies": self._listed()}

    def open_company(self, request: Request, body: Json) -> Json:
        """Open one more company: the first of a scenario."""
        scenario = str(body.get("scenario") or self._emulator.scenario)
        if scenario not in SCENARIOS:
            raise UnknownScenarioError(scenario)
        books = self._emulator.open_company(SCENARIOS[scenario]()[0])
        return {"realm_id": books.realm, "name": books.info["CompanyName"], "country": books.country}

    def change_lifetimes(self, request: Request, body: Json) -> Json:
        if not body or set(body) - _LIFETIMES:
            raise RefusedError(f"known: {', '.join(sorted(_LIFETIMES))}")
        if not isinstance(body.get("reuse_revokes", False), bool):
            raise RefusedError("reuse_revokes is true or false")
        seconds = [value for name, value in body.items() if name != "reuse_revokes"]
        if any(isinstance(each, bool) or not isinstance(each, int) or not 0 <= each <= 10**9 for each in seconds):
            raise RefusedError("a lifetime is a whole number of seconds, at most a billion")
        self._emulator.change_lifetimes(**body)
        return {name: getattr(self._emulator.settings, name) for name in sorted(_LIFETIMES)}

    def _books(self, realm: object) -> Books:
        companies = self._emulator.companies
        if realm is None:
            return next(iter(companies.values()))
        if str(realm) not in companies:
            raise RefusedError(f"no company {realm}", 404)
        return companies[str(realm)]

    def dump(self, request: Request, body: Json) -> Json:
        wanted, asked = request.query_params.get("realm_id"), request.query_params.get("entities")
        form = request.query_params.get("form", "shown")
        entities = ENTITIES if asked is None else [BY_NAME[name] for name in asked.split(",") if name in BY_NAME]
        if not entities or (asked is not None and len(entities) != len(asked.split(","))):
            raise RefusedError(f"entities are: {', '.join(BY_NAME)}")
        if form not in FORMS:
            raise RefusedError(f"form is one of: {', '.join(FORMS)}")
        chosen = self._emulator.companies.values() if wanted is None else [self._books(wanted)]
        return {"companies": [dump(books, entities, form) for books in chosen]}

    def requests(self, request: Request, body: Json) -> Json:
        since = request.query_params.get("since", "0")
        if not (since.isascii() and since.isdigit() and len(since) <= 18):
            raise RefusedError("since is a number")
        method, path = request.query_params.get("method"), request.query_params.get("path", "")
        found = [
            entry.as_json()
            for entry in self._emulator.recorder.entries
            if entry.number > int(since) and path in entry.path and method in (None, entry.method)
        ]
        return {"count": self._emulator.recorder.count, "requests": found}

    def forget_requests(self, request: Request, body: Json) -> Json:
        self._emulator.recorder.clear()
        return {"requests": []}

    def faults(self, request: Request, body: Json) -> Json:
        emulator = self._emulator
        return {"faults": [each.as_json() for each in emulator.injections.open], "late": emulator.late.as_json()}

    def order_fault(self, request: Request, body: Json) -> Json:
        return self._emulator.injections.order(body).as_json()

    def clear_faults(self, request: Request, body: Json) -> Json:
        self._emulator.injections.clear()
        return {"faults": []}

    def expire_tokens(self, request: Request, body: Json) -> Json:
        return {"expired": self._emulator.grants.expire_access()}

    def revoke_tokens(self, request: Request, body: Json) -> Json:
        """Disconnect inside QuickBooks: of one company, or of all."""
        grants = self._emulator.grants
        realm = body.get("realm_id")
        keys = [each.key for each in grants.connections.values() if realm in (None, each.realm)]
        for key in keys:
            grants.disconnect(key)
        return {"disconnected": len(keys)}

    def clock(self, request: Request, body: Json) -> Json:
        clock = self._emulator.clock
        return {"now": clock.envelope(), "offset_seconds": clock.offset_seconds, "speed": clock.speed}

    def move_clock(self, request: Request, body: Json) -> Json:
        if not body or set(body) - {"jump_seconds", "speed"}:
            raise RefusedError("known: jump_seconds, speed")
        jump, speed = body.get("jump_seconds", 0), body.get("speed")
        if isinstance(jump, bool) or not isinstance(jump, int) or not 0 <= jump <= 10**9:
            raise RefusedError("jump_seconds is a whole number of seconds, forward only")
        if speed is not None and (isinstance(speed, bool) or not isinstance(speed, int) or not 1 <= speed <= 10**6):
            raise RefusedError("speed is a whole number of seconds for each real one, 1 or more")
        self._emulator.move_clock(jump_seconds=jump, speed=speed)
        return self.clock(request, body)

    def act(self, request: Request, body: Json) -> Json:
        return {"record": act(self._books(body.get("realm_id")), body)}

    def register_app(self, request: Request, body: Json) -> Json:
        client_id, secret = body.get("client_id"), body.get("client_secret")
        uris = body.get("redirect_uris") or []
        if not (isinstance(client_id, str) and client_id and isinstance(secret, str) and secret):
            raise RefusedError("client_id and client_secret are texts")
        if not isinstance(uris, list) or not all(isinstance(each, str) for each in uris):
            raise RefusedError("redirect_uris is a list of texts")
        name, leave_to = str(body.get("name") or "Your app"), str(body.get("disconnect_url") or "")
        if leave_to and not leave_to.startswith(("http://", "https://")):
            raise RefusedError("disconnect_url is an address")
        app = App(client_id, secret, tuple(uris), name, leave_to)
        self._emulator.grants.register(app)
        return {
            "client_id": app.client_id,
            "redirect_uris": list(app.redirect_uris),
            "name": app.name,
            "disconnect_url": app.disconnect_url,
        }

    def issue_tokens(self, request: Request, body: Json) -> Json:
        """Connect an app to a company without a browser."""
        grants = self._emulator.grants
        app = grants.apps.get(str(body.get("client_id") or self._emulator.settings.client_id))
        if app is None:
            raise RefusedError("no app has this client_id", 404)
        realm = self._books(body.get("realm_id")).realm
        scope = str(body.get("scope") or "com.intuit.quickbooks.accounting")
        connection, access, refresh = grants.issue_tokens(app, realm, scope)
        return {
            "realm_id": connection.realm,
            "client_id": connection.client_id,
            "access_token": access.token,
            "refresh_token": refresh.token,
            "expires_in": self._emulator.settings.access_token_seconds,
        }

    def coverage(self, request: Request, body: Json) -> Json:
        return {
            "rules": [
                {"key": each.key, "says": each.says, "mark": str(each.mark), "source": each.source}
                for each in RULES.values()
            ]
        }
