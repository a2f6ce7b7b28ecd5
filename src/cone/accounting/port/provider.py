"""What an accounting provider must do. One object per provider and process; network work happens on its client."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Literal, Protocol

from cone.accounting.port.company import CompanyFacts, EnvironmentName, Reference, TokenGrant
from cone.accounting.port.documents import Document, Kind, Namesake, RemoteRecord, Step
from cone.accounting.port.sent import SentRecord
from cone.accounting.port.verdicts import Answered, Verdict
from cone.kit.values import Value


class AuthorizationRefusedError(Exception):
    """The sign-in there didn't end in a grant; `reason` is one of "denied", "expired", "invalid", "unreachable"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AuthorizationReturn(Value):
    """What the browser brought back: a one-time code and the company the person chose."""

    code: str
    company_id: str


class Availability(Value):
    """Where Connect goes, or (environment None) what to configure first, in words for the operator."""

    environment: EnvironmentName | None
    explanation: str = ""


class WireRequest(Value):
    """A write, ready to send, opaque to the engine: stored before it's sent and repeated byte for byte."""

    line: str
    body: bytes


class BatchItem(Value):
    """One write in a batch, and the key by which its answer is found: unique within the batch, short."""

    key: str
    request: WireRequest


class Sent(Value):
    """A write that succeeded: the record as it now stands, and what is known of the answer."""

    record: RemoteRecord
    answered: Answered


class RequestLimits(Value):
    """How many requests the platform takes for one company. `minute` is a minute, but for a platform in fast motion."""

    per_minute: int
    per_second: int
    batches_per_minute: int
    minute: timedelta = timedelta(minutes=1)


class Access(Protocol):
    """The right to talk to one company. Refreshing is the engine's business: single flight across processes."""

    @property
    def company_id(self) -> str: ...

    async def turn(self) -> None:
        """Wait for the next request's turn in the company's budget; call it before each one. Raises TryLaterError."""
        ...

    async def token(self) -> str:
        """The current access token; refreshed first when it's about to end. Raises ReconnectError, TryLaterError."""
        ...

    async def renew(self, *, rejected: str) -> str:
        """A token other than `rejected`, which the provider just refused. Raises ReconnectError, TryLaterError."""
        ...


class ProviderClient(Protocol):
    """The provider's network side; every method may raise a verdict (`port.verdicts`)."""

    async def exchange_code(self, *, code: str, redirect_uri: str) -> TokenGrant:
        """Trade the one-time code. Raises AuthorizationRefusedError."""
        ...

    async def refresh(self, refresh_token: str) -> TokenGrant:
        """Trade a refresh token. Raises ReconnectError when it's dead, TryLaterError for everything else."""
        ...

    async def revoke(self, token: str) -> None:
        """End the grant; done also when it's already ended. Raises TryLaterError."""
        ...

    async def read_company(self, access: Access) -> CompanyFacts: ...

    async def read_reference(self, access: Access, facts: CompanyFacts) -> Reference: ...

    async def read_books(self, access: Access, *, item_names: Sequence[str]) -> tuple[CompanyFacts, Reference]:
        """Both at once, in as few metered requests as there can be; and which of these names no item has there.

        A provider may look for some of the names only: those are no missing ones then.
        """
        ...

    async def send(self, access: Access, request: WireRequest, *, request_id: str, kind: Kind) -> Sent:
        """Send a write under its id. A lost or unclear answer raises OutcomeUnknownError, never anything milder."""
        ...

    async def send_batch(
        self, access: Access, request: WireRequest, *, request_id: str, kinds: Mapping[str, Kind]
    ) -> Mapping[str, Sent | Verdict]:
        """Send a prepared batch under its id: by key, what became of each item. Raises a verdict on the whole of it.

        Items succeed and fail alone; one that the answer doesn't mention is of unknown outcome.
        """
        ...

    async def read(self, access: Access, kind: Kind, remote_id: str) -> RemoteRecord:
        """The record as it stands there; a void one is still read. Raises GoneError once it's deleted."""
        ...

    async def find(self, access: Access, document: Document) -> RemoteRecord | None:
        """The active record there that is this one by its business key (a service: its name), or None.

        A payment: its customer and date, then the marker.
        """
        ...

    async def list_candidates(self, access: Access, sent: SentRecord, *, sent_at: datetime) -> tuple[RemoteRecord, ...]:
        """Every record there that a create of this business key may have made, for the engine to judge.

        An invoice: of the number sent, else of customer and date; and those made since five minutes before `sent_at`
        for customer and date. A customer: of the name sent. An item: likewise. A payment: of customer and date.
        """
        ...

    async def list_candidates_together(
        self, access: Access, sent: Sequence[SentRecord], *, sent_at: datetime
    ) -> tuple[tuple[RemoteRecord, ...], ...]:
        """The same for many at once, in their order: at most two requests, both of them batches."""
        ...

    async def find_namesakes(
        self, access: Access, entity: Literal["customer", "vendor", "employee"], names: Sequence[str]
    ) -> tuple[Namesake, ...]:
        """Everybody of one sort there who has one of these names, inactive ones included."""
        ...

    async def list_customers(self, access: Access, typed: str, *, most: int) -> tuple[Namesake, ...]:
        """Active customers whose e-mail address was typed, or whose name begins so, in any case; at most `most`."""
        ...


class Provider(Protocol):
    """The provider's pure side."""

    key: str
    name: str
    request_timeout: timedelta
    # How long after a send it may still be executed there, and so when a look that finds nothing says something.
    looks_count_after: timedelta
    limits: RequestLimits
    largest_batch: int

    def availability(self) -> Availability: ...

    def authorize_url(self, *, state: str, redirect_uri: str) -> str: ...

    def read_return(self, query: Mapping[str, str]) -> AuthorizationReturn:
        """Read the query string of the return. Raises AuthorizationRefusedError("denied" or "invalid")."""
        ...

    def open(self) -> AbstractAsyncContextManager[ProviderClient]:
        """Open the network side: one per process or per page request."""
        ...

    def prepare(self, step: Step, facts: CompanyFacts) -> WireRequest:
        """Write the step in the provider's own words. Pure: the same step gives the same bytes."""
        ...

    def prepare_batch(self, items: Sequence[BatchItem]) -> WireRequest:
        """Join prepared writes into one request. Pure: the same items in the same order give the same bytes."""
        ...

    def read_sent(self, kind: Kind, request: WireRequest) -> SentRecord:
        """The business key of a create, read back from its stored bytes. Pure."""
        ...

    def read_fields(self, request: WireRequest) -> Mapping[str, str]:
        """Every field of a stored write by words a person knows, in order, for comparing one with another. Pure."""
        ...

    def record_url(self, *, environment: str, company_id: str, kind: Kind, remote_id: str) -> str:
        """Where a person sees the record."""
        ...

    def accounts_url(self, *, environment: str, company_id: str) -> str:
        """Where a person changes the chart of accounts."""
        ...
