"""Rendering a page, and refusing requests that other web sites make a browser send."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from qbo_emulator.jsonio import dec

if TYPE_CHECKING:
    from jinja2 import Environment

_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_SYMBOLS = {"GBP": "£", "USD": "$", "EUR": "€", "AUD": "A$", "CAD": "C$"}


def _amount(value: Any) -> str:
    number = dec(value).quantize(Decimal("0.01"))
    return f"−{-number:,.2f}" if number < 0 else f"{number:,.2f}"


def _number(value: Any) -> str:
    return "" if value is None else format(dec(value).normalize(), "f")


def _day(value: str | None) -> str:
    if not value:
        return ""
    moment = datetime.fromisoformat(value)
    return f"{moment.day} {moment:%b %Y}"


@cache
def _environment() -> Environment:
    # Loading it takes a fifth of the time in which the emulator starts, and programs want no pages.
    from jinja2 import ChainableUndefined, Environment, PackageLoader  # noqa: PLC0415 - as said above

    environment = Environment(
        loader=PackageLoader("qbo_emulator", "pages/templates"),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        {
            "amount": _amount,
            "number": _number,
            "day": _day,
            "symbol": lambda code: _SYMBOLS.get(code, code),
        }
    )
    return environment


def page(template: str, *, status: int = 200, may_leave: bool = False, **values: Any) -> Response:
    """A rendered page with its headers; `may_leave` for the one form whose answer leads to another site."""
    values.setdefault("company", None)
    values.setdefault("here", "")
    html = _environment().get_template(template).render(**values)
    policy = _CSP if may_leave else f"{_CSP}; form-action 'self'"
    headers = {
        "content-security-policy": policy,
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    return Response(html, status, headers, "text/html; charset=utf-8")


def problem(title: str, text: str, status: int) -> Response:
    return page("message.html", status=status, title=title, text=text)


def _is_own_name(name: str, bound: str) -> bool:
    if name in {"localhost", bound}:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or bound in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound


def has_own_host(request: Request, bound: str) -> bool:
    """Whether the Host header names this machine; a page that rebinds its DNS name to us has its own name there."""
    try:
        name = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return False
    return _is_own_name(name, bound)


def is_same_origin(request: Request) -> bool:
    """Whether a browser says that the request comes from our own pages; other clients say nothing and pass."""
    if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")
