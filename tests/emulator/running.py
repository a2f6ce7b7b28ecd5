"""Starting an emulator as its users do, and talking to it over plain HTTP."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec

Json = dict[str, Any]
CLIENT = ("emulator-client", "emulator-secret")
REDIRECT = "http://localhost:8000/callback"
ACCOUNTING = "com.intuit.quickbooks.accounting"
# Made once: building a TLS context costs more than a request to the emulator.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def exact(response: httpx.Response) -> Any:
    """A response's JSON with decimals where numbers have a fraction."""
    return _decoder.decode(response.content)


def open_client(base: str) -> httpx.Client:
    return httpx.Client(base_url=base, timeout=10, verify=_NO_TLS)


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Start an emulator on a free port; answers the process and its base URL."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    process = subprocess.Popen(
        [sys.executable, "-m", "qbo_emulator", "--port", "0", "--no-limits", "--exit-with-parent", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://\S+", line)
    if found is None:
        _, errors = process.communicate(timeout=10)
        raise AssertionError(f"the emulator did not start: {line}{errors}")
    base = found.group(0).rstrip("/")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{base}/_emulator/health", timeout=5, verify=_NO_TLS).status_code == 200:
                return process, base
        except httpx.TransportError:
            time.sleep(0.01)
    raise AssertionError("the emulator does not answer")


def stop(process: subprocess.Popen[str]) -> int:
    """End it with SIGTERM and answer its exit code."""
    process.terminate()
    process.communicate(timeout=10)
    return process.returncode


@dataclass
class Tokens:
    realm: str
    access: str
    refresh: str
    body: Json


@dataclass
class Running:
    """A running emulator."""

    base: str
    http: httpx.Client

    def control(self, method: str, path: str, body: Json | None = None) -> Json:
        response = self.http.request(method, f"/_emulator/{path}", content=_encoder.encode(body or {}))
        assert response.status_code == 200, response.text
        answer: Json = exact(response)
        return answer

    def reset(self, scenario: str) -> list[Json]:
        companies: list[Json] = self.control("POST", "reset", {"scenario": scenario})["companies"]
        return companies

    def redirect(self, realm: str, *, scope: str = ACCOUNTING, decision: str = "authorize") -> Mapping[str, list[str]]:
        """Walk sign-in, company choice and consent; answers the parameters of the redirect."""
        asked = {
            "client_id": CLIENT[0],
            "response_type": "code",
            "scope": scope,
            "redirect_uri": REDIRECT,
            "state": "s-1",
        }
        query = str(httpx.QueryParams(asked))
        with open_client(self.base) as browser:
            signed_in = browser.post(
                "/connect/signin",
                data={
                    "query": query,
                    "email": "bookkeeper@example.com",
                    "password": "emulator",
                },
            )
            assert signed_in.status_code == 303
            assert "Choose a company" in browser.get(signed_in.headers["location"]).text
            consent = browser.get("/connect/oauth2", params={**asked, "realm": realm})
            assert "Authorize" in consent.text
            answer = browser.post("/connect/oauth2", data={**asked, "realm": realm, "decision": decision})
        assert answer.status_code == 303
        location = urlsplit(answer.headers["location"])
        assert f"{location.scheme}://{location.netloc}{location.path}" == REDIRECT
        return parse_qs(location.query)

    def token(
        self,
        form: Mapping[str, str],
        *,
        auth: tuple[str, str] | None = CLIENT,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        return self.http.post(
            "/oauth2/v1/tokens/bearer",
            data=dict(form),
            auth=auth or httpx.USE_CLIENT_DEFAULT,
            headers=dict(headers or {}),
        )

    def connect(self, realm: str, *, scope: str = ACCOUNTING) -> Tokens:
        code = self.redirect(realm, scope=scope)["code"][0]
        response = self.token({"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT})
        assert response.status_code == 200, response.text
        body = exact(response)
        return Tokens(realm, body["access_token"], body["refresh_token"], body)

    def company(self, realm: str) -> Company:
        return Company(self, self.connect(realm))


@dataclass
class Company:
    """One connected company and the calls a client makes."""

    running: Running
    tokens: Tokens

    @property
    def realm(self) -> str:
        return self.tokens.realm

    def call(self, method: str, path: str, body: Any = None, **params: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else None if body is None else _encoder.encode(body)
        headers = {
            "Authorization": f"Bearer {self.tokens.access}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        return self.running.http.request(
            method,
            f"/v3/company/{self.realm}/{path}",
            content=content,
            params=params,
            headers=headers,
        )

    def create(self, entity: str, body: Json, **params: str) -> Json:
        """POST an entity that must be accepted."""
        response = self.call("POST", entity.lower(), body, **params)
        assert response.status_code == 200, response.text
        record: Json = exact(response)[entity]
        return record

    def read(self, entity: str, number: str) -> Json:
        response = self.call("GET", f"{entity.lower()}/{number}")
        assert response.status_code == 200, response.text
        record: Json = exact(response)[entity]
        return record

    def query(self, statement: str) -> Json:
        response = self.call("GET", "query", query=statement)
        assert response.status_code == 200, response.text
        answer: Json = exact(response)["QueryResponse"]
        return answer

    def fault(self, method: str, path: str, body: Any = None, **params: str) -> Json:
        """The one error of a request that must be refused with an application fault."""
        response = self.call(method, path, body, **params)
        answer = exact(response)
        assert response.status_code == 400, response.text
        assert set(answer) == {"Fault", "time"}
        assert answer["Fault"]["type"] == "ValidationFault"
        [error] = answer["Fault"]["Error"]
        found: Json = error
        return found

    def all(self, entity: str) -> list[Json]:
        """All active records of a list, or the latest thousand transactions."""
        rows: list[Json] = self.query(f"select * from {entity} maxresults 1000").get(entity, [])  # noqa: S608 - not SQL
        return rows

    def named(self, entity: str, name: str) -> Json:
        """The one active record of a list that has this name."""
        [record] = [each for each in self.all(entity) if each["Name"] == name]
        return record

    def account(self, name: str) -> str:
        number: str = self.named("Account", name)["Id"]
        return number

    def code(self, name: str) -> str:
        number: str = self.named("TaxCode", name)["Id"]
        return number
