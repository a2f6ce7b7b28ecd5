"""QuickBooks played by the emulator in a process of its own, spoken to by HTTP alone."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

from cone.accounting.port.provider import Provider
from cone.providers.quickbooks import QuickBooks, QuickBooksConfig

from .platform import REDIRECT_URI, query_of

CLIENT_ID, CLIENT_SECRET = "contract-suite", "contract-secret"


class EmulatedQuickBooks:
    """A running emulator, and a person who signs in to it and chooses the company of one country."""

    def __init__(self, url: str, *, country: str) -> None:
        self.url = url
        self.provider: Provider = QuickBooks(
            QuickBooksConfig.from_environment(
                {
                    "CONE_EMULATOR_URL": url,
                    "CONE_EMULATOR_CLIENT_ID": CLIENT_ID,
                    "CONE_EMULATOR_CLIENT_SECRET": CLIENT_SECRET,
                }
            )
        )
        self._country = country

    async def consent(self, url: str) -> Mapping[str, str]:
        return await self._walk(url, agree=True)

    async def decline(self, url: str) -> Mapping[str, str]:
        return await self._walk(url, agree=False)

    async def _walk(self, url: str, *, agree: bool) -> Mapping[str, str]:
        """Send the page's form, filled in as it comes, until a redirect leads back to us."""
        async with httpx.AsyncClient(headers={"Origin": self.url}) as browser:
            answer = await browser.get(url)
            for _ in range(8):
                if answer.is_redirect:
                    address = urljoin(str(answer.url), answer.headers["location"])
                    if address.startswith(REDIRECT_URI):
                        return query_of(address)
                    answer = await browser.get(address)
                    continue
                form = _Form(answer.text, country=self._country)
                assert form.action is not None, f"no form on {answer.url}: {answer.text}"
                target = urljoin(str(answer.url), form.action)
                fields = form.fields | form.choose(agree=agree)
                if form.method == "get":
                    answer = await browser.get(target, params=fields)
                else:
                    answer = await browser.post(target, data=fields)
        raise AssertionError(f"the sign-in never led back: {answer.url} {answer.text}")


class _Form(HTMLParser):
    """The first form of a page: its hidden and filled fields, its choices and its buttons."""

    def __init__(self, page: str, *, country: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.method = "get"
        self.fields: dict[str, str] = {}
        self._buttons: list[dict[str, str]] = []
        self._choice: dict[str, str] | None = None
        self._is_chosen = False
        self._country = country
        self.feed(page)

    def choose(self, *, agree: bool) -> dict[str, str]:
        """The button pressed: the first of a page agrees, the last of a page with several doesn't."""
        named = [button for button in self._buttons if button.get("name")]
        if not named:
            return {}
        button = named[0] if agree else named[-1]
        return {button["name"]: button.get("value", "")}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None:
            self.action, self.method = given.get("action", ""), given.get("method", "get").lower()
        elif tag == "input" and given.get("type") == "radio":
            self._choice = given
            if "checked" in given:
                self.fields.setdefault(given["name"], given.get("value", ""))
        elif tag == "input" and given.get("name"):
            self.fields[given["name"]] = given.get("value", "")
        elif tag == "button":
            self._buttons.append(given)

    def handle_data(self, data: str) -> None:
        # The first of the country: other tests of the session add companies.
        if self._choice is not None and data.strip() == self._country and not self._is_chosen:
            self.fields[self._choice["name"]] = self._choice.get("value", "")
            self._is_chosen = True


@contextmanager
def running_emulator() -> Iterator[str]:
    """The emulator on a free port of loopback, until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "qbo_emulator", "--port", str(port), "--country", "GB", "--exit-with-parent"]
    command += ["--no-limits", "--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process)
            yield url
        finally:
            process.terminate()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    latest = time.monotonic() + 30
    while time.monotonic() < latest:
        if process.poll() is not None:
            break
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            time.sleep(1 / 20)
    raise AssertionError(f"the emulator didn't start (exit status {process.poll()})")
