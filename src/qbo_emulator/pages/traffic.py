"""The pages about what goes over the wire: API requests, webhook deliveries, and the pulse that keeps pages fresh."""
# ruff: noqa: ARG001 - all views have one signature

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from qbo_emulator.books import Books
from qbo_emulator.jsonio import Json, MalformedJsonError, decode, encode

from .frame import frame, latest_invoice
from .web import page, problem

if TYPE_CHECKING:
    from qbo_emulator.emulator import Emulator

_PAGE_SIZE = 100


def traffic_views(emulator: Emulator) -> list[tuple[str, Callable[[Request, Books], Response]]]:
    """Views by the last part of their path."""

    def activity(request: Request, books: Books) -> Response:
        prefix = f"/v3/company/{books.realm}/"
        entries = (each for each in reversed(emulator.recorder.entries) if _concerns(each.path, prefix))
        rows = [{"entry": each, "what": each.path.removeprefix(prefix)} for each in islice(entries, _PAGE_SIZE)]
        return page("activity.html", **frame(emulator, books, "activity"), rows=rows)

    def one_request(request: Request, books: Books) -> Response:
        number = request.query_params.get("number", "")
        entry = emulator.recorder.find(int(number)) if _is_number(number) else None
        prefix = f"/v3/company/{books.realm}/"
        if entry is None or not _concerns(entry.path, prefix):
            return problem("No such request", "The record of requests keeps the last ones only.", 404)
        return page(
            "request.html",
            **frame(emulator, books, "activity"),
            entry=entry,
            what=entry.path.removeprefix(prefix),
            sent=_readable(entry.body),
            answered=_readable(entry.answer),
        )

    def webhooks(request: Request, books: Books) -> Response:
        outbox = emulator.outbox
        found = [each.as_json() for each in reversed(outbox.deliveries)]
        rows = [each for each in found if books.realm in each["realm_ids"]]
        return page(
            "webhooks.html",
            **frame(emulator, books, "webhooks"),
            rows=rows[:_PAGE_SIZE],
            subscriptions=list(outbox.subscriptions.values()),
        )

    def pulse(request: Request, books: Books) -> Response:
        latest = latest_invoice(books)
        body: Json = {"pulse": emulator.pulse, "latest": None}
        if latest is not None:
            customer = books.get("Customer", latest["CustomerRef"]["value"]) or {}
            body["latest"] = {
                "id": latest["Id"],
                "number": latest.get("DocNumber", ""),
                "customer": customer.get("DisplayName", ""),
            }
        return Response(encode(body), headers={"cache-control": "no-store"}, media_type="application/json")

    return [("activity", activity), ("request", one_request), ("webhooks", webhooks), ("pulse", pulse)]


def _concerns(path: str, prefix: str) -> bool:
    """Requests of the company, and those to the OAuth endpoints."""
    return path.startswith(prefix) or not path.startswith("/v3/")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _readable(body: bytes) -> str:
    """JSON with a line for each member, anything else as it is."""
    try:
        return msgspec.json.format(encode(decode(body)), indent=2).decode()
    except MalformedJsonError:
        return body.decode("utf-8", "replace")
