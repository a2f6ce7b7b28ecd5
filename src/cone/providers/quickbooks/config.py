"""Where QuickBooks is and who we are to it: Intuit's production, Intuit's sandbox, or the emulator.

Reads no environment itself: the caller passes the mapping. Addresses: api-facts §1.1 and §2.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from cone.accounting.port.company import EnvironmentName
from cone.accounting.port.verdicts import Answered, MisconfiguredError

_KEYS_PAGE = "https://developer.intuit.com"
_HOW_TO_CONFIGURE = (
    "QuickBooks isn't configured. Create an app at "
    f"{_KEYS_PAGE}, then set QUICKBOOKS_CLIENT_ID, QUICKBOOKS_CLIENT_SECRET and "
    "QUICKBOOKS_ENVIRONMENT (sandbox or production) and restart Cone."
)
_TIMEOUT_EXPLANATION = (
    "QUICKBOOKS_REQUEST_TIMEOUT_SECONDS should be a whole number from 1 to 120; correct it and restart."
)
# Requests over 120 s are cut (api-facts §3), and clocks and networks have their margin. Against an emulator that runs
# faster than the clock it may be less.
_LEAST_LOOK_SECONDS, _MOST_LOOK_SECONDS = 130, 3600
_LOOK_EXPLANATION = (
    "QUICKBOOKS_LOOK_COUNTS_AFTER_SECONDS should be a whole number from 130 to 3600, and longer than the request "
    "timeout; correct it and restart. Only with the emulator it may be shorter."
)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of one environment, without trailing slashes."""

    environment: EnvironmentName
    api: str
    authorize: str
    token: str
    revoke: str


_AUTHORIZE = "https://appcenter.intuit.com/connect/oauth2"
_TOKEN = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105 - an address, not a secret
_REVOKE = "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"
_INTUIT_API: Mapping[Literal["sandbox", "production"], str] = {
    "sandbox": "https://sandbox-quickbooks.api.intuit.com",
    "production": "https://quickbooks.api.intuit.com",
}


def intuit_endpoints(environment: Literal["sandbox", "production"]) -> Endpoints:
    """Intuit's own addresses."""
    return Endpoints(environment, _INTUIT_API[environment], _AUTHORIZE, _TOKEN, _REVOKE)


def emulator_endpoints(base_url: str) -> Endpoints:
    """The emulator's: every Intuit host's paths under one base address."""
    base = base_url.rstrip("/")
    return Endpoints(
        environment="emulator",
        api=base,
        authorize=f"{base}/connect/oauth2",
        token=f"{base}/oauth2/v1/tokens/bearer",
        revoke=f"{base}/v2/oauth2/tokens/revoke",
    )


@dataclass(frozen=True, slots=True)
class QuickBooksConfig:
    """What the provider is built from; without `endpoints` nothing connects and `explanation` says why.

    `emulator_url` makes links of records that were sent to the emulator.
    """

    endpoints: Endpoints | None
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    explanation: str = ""
    emulator_url: str = ""
    request_timeout: timedelta = timedelta(seconds=30)
    looks_count_after: timedelta = timedelta(seconds=_LEAST_LOOK_SECONDS)

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> "QuickBooksConfig":
        """Choose by what is set: Intuit's keys win; the emulator only when there is no word of Intuit at all."""
        client_id = variables.get("QUICKBOOKS_CLIENT_ID", "").strip()
        client_secret = variables.get("QUICKBOOKS_CLIENT_SECRET", "").strip()
        environment = variables.get("QUICKBOOKS_ENVIRONMENT", "").strip().lower()
        emulator_url = variables.get("CONE_EMULATOR_URL", "").strip().rstrip("/")
        is_emulated = bool(emulator_url) and not (client_id or client_secret or environment)
        timeout = _read_seconds(variables, "QUICKBOOKS_REQUEST_TIMEOUT_SECONDS", usual=30, least=1, most=120)
        if timeout is None:
            return cls(None, explanation=_TIMEOUT_EXPLANATION, emulator_url=emulator_url)
        looks = _read_seconds(
            variables,
            "QUICKBOOKS_LOOK_COUNTS_AFTER_SECONDS",
            usual=_LEAST_LOOK_SECONDS,
            least=1 if is_emulated else _LEAST_LOOK_SECONDS,
            most=_MOST_LOOK_SECONDS,
        )
        if looks is None or looks <= timeout:
            return cls(None, explanation=_LOOK_EXPLANATION, emulator_url=emulator_url)
        if is_emulated:
            found = cls._of_emulator(emulator_url, variables)
        elif not client_id and not client_secret:
            found = cls(None, explanation=_HOW_TO_CONFIGURE, emulator_url=emulator_url)
        elif explanation := _what_is_wrong(client_id, client_secret, environment):
            found = cls(None, explanation=explanation, emulator_url=emulator_url)
        else:
            endpoints = intuit_endpoints("production" if environment == "production" else "sandbox")
            found = cls(endpoints, client_id, client_secret, emulator_url=emulator_url)
        return replace(found, request_timeout=timeout, looks_count_after=looks)

    @classmethod
    def _of_emulator(cls, url: str, variables: Mapping[str, str]) -> "QuickBooksConfig":
        client_id = variables.get("CONE_EMULATOR_CLIENT_ID", "").strip()
        client_secret = variables.get("CONE_EMULATOR_CLIENT_SECRET", "").strip()
        if not _is_web_address(url):
            return cls(None, explanation=f"CONE_EMULATOR_URL should be an http address; it's “{url[:100]}”.")
        if not client_id or not client_secret:
            return cls(
                None,
                explanation="CONE_EMULATOR_URL needs CONE_EMULATOR_CLIENT_ID and CONE_EMULATOR_CLIENT_SECRET too.",
                emulator_url=url,
            )
        return cls(emulator_endpoints(url), client_id, client_secret, emulator_url=url)


def configured_endpoints(config: QuickBooksConfig) -> Endpoints:
    """The addresses. Raises MisconfiguredError: a connection may outlive the keys it was made with."""
    if config.endpoints is None:
        raise MisconfiguredError(Answered(message=config.explanation))
    return config.endpoints


def _read_seconds(variables: Mapping[str, str], name: str, *, usual: int, least: int, most: int) -> timedelta | None:
    """A whole number of seconds within its bounds; None for anything else."""
    given = variables.get(name, "").strip() or str(usual)
    if not (given.isascii() and given.isdigit() and least <= int(given) <= most):
        return None
    return timedelta(seconds=int(given))


def _what_is_wrong(client_id: str, client_secret: str, environment: str) -> str:
    if not client_secret:
        return "QUICKBOOKS_CLIENT_ID is set but QUICKBOOKS_CLIENT_SECRET is empty: set both and restart Cone."
    if not client_id:
        return "QUICKBOOKS_CLIENT_SECRET is set but QUICKBOOKS_CLIENT_ID is empty: set both and restart Cone."
    if environment not in ("sandbox", "production"):
        found = f"it's “{environment[:40]}”" if environment else "it's empty"
        return (
            f"QUICKBOOKS_ENVIRONMENT should be sandbox (Intuit's test companies) or production (real books); {found}."
        )
    return ""


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
