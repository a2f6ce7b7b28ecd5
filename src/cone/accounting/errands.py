"""What a lane works with, and one record's way there and back."""

from dataclasses import dataclass

from cone.accounting.budget import Budget, PacedAccess, Share, TokenSource
from cone.accounting.database import Pool
from cone.accounting.port.provider import Provider, ProviderClient
from cone.accounting.records import Patience, Row, Situation, Subject


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
