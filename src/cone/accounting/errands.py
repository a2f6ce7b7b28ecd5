"""What a lane works with, one piece of its work, and one record's way there and back."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TypeAlias

from cone.accounting.budget import Budget, PacedAccess, Share, TokenSource
from cone.accounting.database import Database, Pool
from cone.accounting.port.provider import Provider, ProviderClient
from cone.accounting.records import Patience, Row, Situation, Subject

# Gives a connection, and the turn to settle.
Books: TypeAlias = Callable[[], AbstractAsyncContextManager[Database]]


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
class Work:
    """One piece of work, a record or a batch: by which situation it was planned, and the access it goes with.

    `active_customers` are ids there of those that were read after an answer and were active: that holds for all that
    was answered with it.
    """

    situation: Situation
    access: PacedAccess
    active_customers: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Errand:
    """One record's way there and back: the row, and the work that it's a part of."""

    subject: Subject
    work: Work

    @property
    def row(self) -> Row:
        """The outbox row."""
        return self.subject.row

    @property
    def situation(self) -> Situation:
        """By which it was planned."""
        return self.work.situation

    @property
    def access(self) -> PacedAccess:
        """The company's access that it goes with."""
        return self.work.access
