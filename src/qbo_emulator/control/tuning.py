"""The switches of the control plane: limits, metering, the memory of request ids, webhooks."""
# ruff: noqa: ARG002 - all handlers have one signature

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.requests import Request

from qbo_emulator.jsonio import Json
from qbo_emulator.limits import InvalidLimitError, Throttle
from qbo_emulator.request_ids import InvalidPolicyError, RequestIds
from qbo_emulator.webhooks.outbox import Outbox
from qbo_emulator.webhooks.subscription import InvalidSubscriptionError, Subscription, read_subscription

from .refusal import RefusedError

Handler = Callable[[Request, Json], Json]


class Tuning:
    """What stays until the next reset or restart."""

    def __init__(self, throttle: Throttle, request_ids: RequestIds, outbox: Outbox, *, client_id: str) -> None:
        """`client_id` is the app that is meant when an order names none."""
        self._outbox = outbox
        self._client_id = client_id
        self._throttle = throttle
        self._request_ids = request_ids

    def table(self) -> list[tuple[str, str, Handler]]:
        return [
            ("GET", "limits", self.limits),
            ("POST", "limits", self.change_limits),
            ("GET", "metering", self.metering),
            ("GET", "request-ids", self.policy),
            ("POST", "request-ids", self.change_policy),
            ("GET", "webhooks", self.webhooks),
            ("POST", "webhooks", self.subscribe),
            ("DELETE", "webhooks", self.unsubscribe),
        ]

    def limits(self, request: Request, body: Json) -> Json:
        return self._throttle.limits.as_json()

    def change_limits(self, request: Request, body: Json) -> Json:
        try:
            self._throttle.limits = self._throttle.limits.changed(body)
        except InvalidLimitError as error:
            raise RefusedError(str(error)) from error
        return self._throttle.limits.as_json()

    def metering(self, request: Request, body: Json) -> Json:
        return {"companies": self._throttle.meter.as_json()}

    def policy(self, request: Request, body: Json) -> Json:
        return self._request_ids.policy.as_json()

    def change_policy(self, request: Request, body: Json) -> Json:
        try:
            self._request_ids.policy = self._request_ids.policy.changed(body)
        except InvalidPolicyError as error:
            raise RefusedError(str(error)) from error
        return self._request_ids.policy.as_json()

    def webhooks(self, request: Request, body: Json) -> Json:
        return {
            "subscriptions": [_shown(each) for each in self._outbox.subscriptions.values()],
            "deliveries": [each.as_json() for each in self._outbox.deliveries],
        }

    def subscribe(self, request: Request, body: Json) -> Json:
        client_id = str(body.get("client_id") or self._client_id)
        try:
            subscription = read_subscription(body, self._outbox.subscriptions.get(client_id), client_id)
        except InvalidSubscriptionError as error:
            raise RefusedError(str(error)) from error
        self._outbox.subscribe(subscription)
        return _shown(subscription)

    def unsubscribe(self, request: Request, body: Json) -> Json:
        self._outbox.unsubscribe(str(body.get("client_id") or self._client_id))
        return self.webhooks(request, body)


def _shown(subscription: Subscription) -> Json:
    shown: Json = msgspec.to_builtins(subscription)
    return shown
