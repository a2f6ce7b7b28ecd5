"""A person who signs in at the emulator and chooses one company: its pages' forms, sent as a browser would."""

from collections.abc import Mapping
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, OpenerDirector, Request, build_opener

REDIRECT_URI = "http://127.0.0.1:9/settings/integrations/quickbooks/callback"
_MOST_PAGES = 10


class SignInError(Exception):
    """The sign-in's pages never led back."""


class _Stay(HTTPRedirectHandler):
    """Leaves redirects to us: the last of them leads to a server that isn't there."""

    def redirect_request(self, *_: object) -> None:
        return None


class _Form(HTMLParser):
    """The first form of a page as a person fills it who wants this company and agrees."""

    def __init__(self, page: str, realm_id: str) -> None:
        super().__init__()
        self.action = ""
        self.method = "get"
        self.fields: dict[str, str] = {}
        self._realm_id = realm_id
        self._has_button = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "form" and not self.action:
            self.action, self.method = given.get("action", ""), given.get("method", "get").lower()
        elif tag == "input" and given.get("type") == "radio":
            if value == self._realm_id:
                self.fields[name] = value
        elif tag == "input" and name:
            self.fields[name] = value
        elif tag == "button" and not self._has_button:
            self._has_button = True
            if name:
                self.fields[name] = value


def sign_in(url: str, *, realm_id: str) -> Mapping[str, str]:
    """What the browser brings back. Raises SignInError, and OSError where the emulator doesn't answer."""
    browser = build_opener(_Stay, HTTPCookieProcessor(CookieJar()))
    request = Request(url)  # noqa: S310  # our own emulator
    for _ in range(_MOST_PAGES):
        address, page, onward = _open(browser, request)
        if onward:
            target = urljoin(address, onward)
            if target.startswith(REDIRECT_URI):
                return dict(parse_qsl(urlsplit(target).query))
            request = Request(target)  # noqa: S310  # as above
            continue
        form = _Form(page, realm_id)
        if not form.action:
            raise SignInError(f"{address}: {page[:300]}")
        target, fields = urljoin(address, form.action), urlencode(form.fields)
        origin = {"Origin": "{0.scheme}://{0.netloc}".format(urlsplit(address))}
        if form.method == "get":
            request = Request(f"{target}?{fields}", headers=origin)  # noqa: S310  # as above
        else:
            request = Request(target, fields.encode(), headers=origin)  # noqa: S310  # as above
    raise SignInError(f"{url}: too many pages")


def _open(browser: OpenerDirector, request: Request) -> tuple[str, str, str]:
    """The address, its page, and where it redirects to."""
    try:
        with browser.open(request, timeout=30) as answer:
            return request.full_url, answer.read().decode(), ""
    except HTTPError as refusal:
        with refusal:
            return request.full_url, refusal.read().decode(), refusal.headers.get("Location") or ""
