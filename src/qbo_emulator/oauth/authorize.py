"""The authorize endpoint as a person meets it: sign in, choose a company, consent."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.pages.web import has_own_host, is_same_origin, page, problem
from qbo_emulator.settings import DEMO_EMAIL, DEMO_PASSWORD

from .grants import App

if TYPE_CHECKING:
    from qbo_emulator.emulator import Emulator

rule("oauth.redirect-answer", "code, state and realmId on the redirect", Mark.DOCUMENT, "Intuit OAuth 2.0")
rule("oauth.denied", "A refusal comes back as error=access_denied with the state", Mark.ASSUMPTION, "standard OAuth")
rule(
    "oauth.wrong-client",
    "An unknown client or redirect_uri is shown as a page and never redirected",
    Mark.DOCUMENT,
    "Intuit OAuth 2.0",
)

COOKIE = "qbo_emulator_session"
_ASKED = ("client_id", "response_type", "scope", "redirect_uri", "state")
SCOPES = {
    "com.intuit.quickbooks.accounting": "Read and write your accounting data: customers, invoices, payments",
    "com.intuit.quickbooks.payment": "Process payments",
    "openid": "Know who you are",
    "email": "See your e-mail address",
    "profile": "See your name",
    "address": "See your address",
    "phone": "See your phone number",
}


class AuthorizePages:
    """Server-rendered, without scripts; the session lives in memory only."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._sessions: set[str] = set()

    def routes(self) -> list[Route]:
        return [
            Route("/connect/oauth2", self.ask, methods=["GET"]),
            Route("/connect/oauth2", self.decide, methods=["POST"]),
            Route("/connect/signin", self.sign_in, methods=["POST"]),
        ]

    def _is_signed_in(self, request: Request) -> bool:
        return request.cookies.get(COOKIE, "") in self._sessions

    def _refuse(self, request: Request, asked: Mapping[str, str]) -> Response | None:
        """What ends the request before a person is asked anything."""
        if not has_own_host(request, self._emulator.settings.host):
            return problem("Wrong address", "Open the emulator by its own address.", 403)
        app = self._emulator.grants.apps.get(asked.get("client_id", ""))
        if app is None:
            return problem("Unknown app", "The client_id parameter names no app that is registered here.", 400)
        redirect_uri = asked.get("redirect_uri", "")
        if not app.accepts(redirect_uri):
            return problem(
                "The redirect address is not registered",
                "The redirect_uri parameter must be exactly one of the app's registered addresses.",
                400,
            )
        scopes = asked.get("scope", "").split()
        if asked.get("response_type") != "code":
            return _back(asked, error="unsupported_response_type")
        if not scopes or any(scope not in SCOPES for scope in scopes):
            return _back(asked, error="invalid_scope")
        return None

    async def ask(self, request: Request) -> Response:
        asked = request.query_params
        refusal = self._refuse(request, asked)
        if refusal is not None:
            return refusal
        kept = {name: asked[name] for name in _ASKED if name in asked}
        if not self._is_signed_in(request):
            return page("signin.html", query=urlencode(kept), email=DEMO_EMAIL, password=DEMO_PASSWORD, error="")
        app = self._emulator.grants.apps[asked["client_id"]]
        books = self._emulator.companies.get(asked.get("realm", ""))
        if books is None:
            return page("choose.html", asked=kept, app=app, companies=self._companies())
        scopes = [SCOPES[scope] for scope in asked["scope"].split()]
        return page(
            "consent.html",
            may_leave=True,
            asked=kept,
            app=app,
            realm=books.realm,
            scopes=scopes,
            name=books.info["CompanyName"],
            back=f"/connect/oauth2?{urlencode(kept)}",
        )

    def _companies(self) -> list[dict[str, str]]:
        return [
            {"realm": realm, "name": books.info["CompanyName"], "country": books.country}
            for realm, books in self._emulator.companies.items()
        ]

    async def sign_in(self, request: Request) -> Response:
        if not is_same_origin(request) or not has_own_host(request, self._emulator.settings.host):
            return problem("Refused", "This form was sent from another site.", 403)
        form = await request.form()
        email, password = str(form.get("email", "")), str(form.get("password", ""))
        query = str(form.get("query", ""))
        matches = hmac.compare_digest(password.encode(), DEMO_PASSWORD.encode())
        if email.strip().lower() != DEMO_EMAIL or not matches:
            return page(
                "signin.html",
                status=400,
                query=query,
                email=email,
                password="",
                error="This is not the demo sign-in shown below.",
            )
        session = secrets.token_urlsafe(32)
        self._sessions.add(session)
        answer = RedirectResponse(f"/connect/oauth2?{query}", 303)
        answer.set_cookie(COOKIE, session, httponly=True, samesite="lax", path="/")
        return answer

    async def decide(self, request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}
        refusal = self._refuse(request, form)
        if refusal is not None:
            return refusal
        if not is_same_origin(request) or not self._is_signed_in(request):
            return problem("Refused", "Sign in first, and send this form from its own page.", 403)
        if form.get("decision") != "authorize":
            return _back(form, error="access_denied")
        if form.get("realm", "") not in self._emulator.companies:
            return problem("Unknown company", "Choose a company first.", 400)
        app: App = self._emulator.grants.apps[form["client_id"]]
        code = self._emulator.grants.issue_code(
            client_id=app.client_id,
            redirect_uri=form["redirect_uri"],
            realm=form["realm"],
            scope=form["scope"],
        )
        return _back(form, code=code, realmId=form["realm"])


def _back(asked: Mapping[str, str], **values: str) -> Response:
    """To the app's redirect URI, with the state it gave."""
    answer = dict(values)
    if "state" in asked:
        answer["state"] = asked["state"]
    joint = "&" if "?" in asked["redirect_uri"] else "?"
    return RedirectResponse(f"{asked['redirect_uri']}{joint}{urlencode(answer)}", 303)
