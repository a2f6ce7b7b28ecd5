"""What the contract suite needs of a platform under test: the provider, and a person's part of the sign-in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from cone.accounting.port.company import CompanyFacts, Reference, TokenGrant
from cone.accounting.port.provider import Provider, ProviderClient
from tests.fakes.ledger import FakeLedger

REDIRECT_URI = "http://127.0.0.1:9/settings/integrations/quickbooks/callback"


class Platform(Protocol):
    """A provider and the platform behind it, with books of its own for the suite."""

    provider: Provider

    async def consent(self, url: str) -> Mapping[str, str]:
        """Sign in where `url` leads, choose the company, agree: the query that the browser brings back."""
        ...

    async def decline(self, url: str) -> Mapping[str, str]:
        """The same, but disagree."""
        ...


class FakePlatform:
    """The in-memory ledger: consent is a method call."""

    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.provider: Provider = self.ledger

    async def consent(self, url: str) -> Mapping[str, str]:
        return {**self.ledger.sign_in(), "state": query_of(url)["state"]}

    async def decline(self, url: str) -> Mapping[str, str]:
        return {"error": "access_denied", "state": query_of(url)["state"]}


class GrantedAccess:
    """Access by a grant in hand: renewing trades the refresh token, as the engine does."""

    def __init__(self, client: ProviderClient, grant: TokenGrant, company_id: str) -> None:
        self.company_id = company_id
        self.grant = grant
        self.renewals = 0
        self.turns = 0
        self._client = client

    async def turn(self) -> None:
        self.turns += 1

    async def token(self) -> str:
        return self.grant.access_token

    async def renew(self, *, rejected: str) -> str:
        self.renewals += 1
        assert rejected == self.grant.access_token or self.renewals == 1
        self.grant = await self._client.refresh(self.grant.refresh_token)
        return self.grant.access_token


@dataclass
class Connected:
    """One opened connection of the suite: everything a test talks to."""

    provider: Provider
    client: ProviderClient
    access: GrantedAccess
    facts: CompanyFacts
    reference: Reference


async def connect(platform: Platform, client: ProviderClient) -> tuple[TokenGrant, str]:
    """The whole way: address, consent, code, grant. Returns the grant and the company's id."""
    url = platform.provider.authorize_url(state="state-1", redirect_uri=REDIRECT_URI)
    query = await platform.consent(url)
    assert query["state"] == "state-1"
    back = platform.provider.read_return(query)
    grant = await client.exchange_code(code=back.code, redirect_uri=REDIRECT_URI)
    return grant, back.company_id


def query_of(url: str) -> dict[str, str]:
    """The query string of an address."""
    return dict(parse_qsl(urlsplit(url).query))
