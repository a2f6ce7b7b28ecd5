"""What an app asked to be told, and how badly the road to it behaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from qbo_emulator.jsonio import Json

from .events import ENTITIES, OPERATIONS, Event, as_cloud_events, as_legacy

FORMATS = ("cloudevents", "legacy")


class InvalidSubscriptionError(ValueError):
    """The order for webhooks is not understood."""


class Subscription(msgspec.Struct, frozen=True):
    """One app's endpoint; without entities it is told of all, and seconds are the emulator's."""

    client_id: str
    url: str
    verifier_token: str = "emulator-verifier"  # noqa: S105 - published, protects nothing
    format: str = "cloudevents"
    entities: dict[str, list[str]] = {}
    delay_seconds: int = 0
    reorder_seconds: int = 0
    duplicates_percent: int = 0
    timeout_ms: int = 3000
    hold_back: bool = False
    seed: int = 0

    def wants(self, event: Event) -> bool:
        if not self.entities:
            return True
        operations = self.entities.get(event.entity)
        return operations is not None and (not operations or event.operation in operations)

    def body(self, events: Iterable[Event]) -> bytes:
        return as_legacy(events) if self.format == "legacy" else as_cloud_events(events, self.client_id)


def read_subscription(body: Json, before: Subscription | None, client_id: str) -> Subscription:
    """A subscription from what is ordered and what was there; raises InvalidSubscriptionError."""
    known = msgspec.to_builtins(before) if before is not None else {}
    ordered = {**known, **body, "client_id": client_id}
    unknown = set(ordered) - set(Subscription.__struct_fields__)
    if unknown:
        raise InvalidSubscriptionError(f"known: {', '.join(Subscription.__struct_fields__)}")
    ordered["entities"] = _entities(ordered.get("entities") or {})
    try:
        subscription = msgspec.convert(ordered, Subscription)
    except msgspec.ValidationError as error:
        raise InvalidSubscriptionError(str(error)) from error
    _check(subscription)
    return subscription


def _entities(given: Any) -> dict[str, list[str]]:
    """A list of names means all operations of each; an object names the operations."""
    if isinstance(given, list):
        given = {str(name): [] for name in given}
    if not isinstance(given, dict) or set(given) - ENTITIES:
        raise InvalidSubscriptionError(f"entities with webhooks: {', '.join(sorted(ENTITIES))}")
    for operations in given.values():
        if not isinstance(operations, list) or set(map(str, operations)) - set(OPERATIONS):
            raise InvalidSubscriptionError(f"operations: {', '.join(OPERATIONS)}")
    return given


def _check(subscription: Subscription) -> None:
    try:
        parts = urlsplit(subscription.url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_address = False
    if not is_address or not subscription.url.isascii() or not subscription.url.isprintable():
        raise InvalidSubscriptionError("url is an http or https address")
    if subscription.format not in FORMATS:
        raise InvalidSubscriptionError(f"format is one of: {', '.join(FORMATS)}")
    numbers = (subscription.delay_seconds, subscription.reorder_seconds, subscription.seed)
    if min(numbers) < 0 or not 0 <= subscription.duplicates_percent <= 100 or subscription.timeout_ms < 1:
        raise InvalidSubscriptionError("seconds are not negative, duplicates_percent is 0 to 100, timeout_ms 1 or more")
