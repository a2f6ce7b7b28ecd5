"""What a lane works with, one record's way there and back, and who does errands of one sort."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

from cone.accounting.attempts import Fence
from cone.accounting.budget import Budget, PacedAccess, Share, TokenSource
from cone.accounting.database import Database, Pool
from cone.accounting.port.provider import Provider, ProviderClient
from cone.accounting.records import Patience, Row, Situation, Subject
from cone.accounting.settle import Settler

SettlerT = TypeVar("SettlerT", bound=Settler)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a lane works with."""

    pool: Pool
    provider: Provider
    client: ProviderClient
    tokens: TokenSource
    budget: Budget

    @property
    def patience(self) -> Patience:
        """How long the provider's answers, and what it does unanswered, may take."""
        return Patience(self.provider.request_timeout, self.provider.looks_count_after)

    def access(self, share: Share, *, paid: int = 0) -> PacedAccess:
        """The company's access for one piece of work, of which `paid` requests have had their turn."""
        return PacedAccess(self.tokens, self.budget, share=share, paid=paid)


@dataclass(frozen=True, slots=True)
class Errand:
    """One record's way there and back: the row, by which situation it was planned, and the access it goes with."""

    subject: Subject
    situation: Situation
    access: PacedAccess

    @property
    def row(self) -> Row:
        """The outbox row."""
        return self.subject.row


class Clerk(Generic[SettlerT]):
    """Does errands of one sort for one lane. `books` gives a connection, and the turn to settle."""

    settler_class: type[SettlerT]

    def __init__(
        self, *, fence: Fence, tools: Tools, books: Callable[[], AbstractAsyncContextManager[Database]]
    ) -> None:
        self._fence = fence
        self._tools = tools
        self._books = books
        self._settler = self.settler_class(fence=fence, request_timeout=tools.provider.request_timeout)
