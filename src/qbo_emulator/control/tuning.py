"""The switches of the control plane: limits, metering and the memory of request ids."""
# ruff: noqa: ARG002 - all handlers have one signature

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request

from qbo_emulator.jsonio import Json
from qbo_emulator.limits import InvalidLimitError, Throttle
from qbo_emulator.request_ids import InvalidPolicyError, RequestIds

from .refusal import RefusedError

Handler = Callable[[Request, Json], Json]


class Tuning:
    """What stays until the next reset or restart."""

    def __init__(self, throttle: Throttle, request_ids: RequestIds) -> None:
        self._throttle = throttle
        self._request_ids = request_ids

    def table(self) -> list[tuple[str, str, Handler]]:
        return [
            ("GET", "limits", self.limits),
            ("POST", "limits", self.change_limits),
            ("GET", "metering", self.metering),
            ("GET", "request-ids", self.policy),
            ("POST", "request-ids", self.change_policy),
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
