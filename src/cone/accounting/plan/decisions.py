"""What a plan may decide for one due row: a closed set, as data."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal, TypeAlias
from uuid import UUID

from cone.accounting.port.documents import Kind, Removal, Write
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.records import OpenAttempt, Reference
from cone.kit.values import Value, field


class Nothing(Value):
    """It's true already, or nobody wants it there (a draft, out of scope): the row can go."""


class Send(Value):
    """Send this step under a new attempt.

    `find_first` looks whether the record is there by its business key: services that aren't known to be missing, and
    everything that an earlier try may have created after all.
    """

    step: Write
    find_first: bool = False


class Repeat(Value):
    """Send an earlier attempt again, byte for byte: its outcome isn't known."""

    attempt: OpenAttempt


class LookUp(Value):
    """Look, by what was sent, whether the record is there instead of sending it again.

    It was voided or deleted here while the outcome of sending it isn't known, or the platform may have forgotten the id
    by which it would know a repeat.
    """

    attempt: OpenAttempt


class Postpone(Value):
    """It begins with a look at what stands there, or repeats a batch: this month's allowance of those is used up."""


class WaitFor(Value):
    """Another record must be linked first; or, `until` it's settled, stand there as it is here.

    `also` are further records it will need: asked for at once, so that they needn't be waited for one after another.
    """

    kind: Kind
    uuid: UUID
    until: Literal["linked", "settled"] = "linked"
    also: tuple[Reference, ...] = ()

    @property
    def references(self) -> tuple[Reference, ...]:
        """All that it needs."""
        return ((self.kind, self.uuid), *self.also)


class Remove(Value):
    """Void or delete it there, after a look at how it stands."""

    step: Removal


class LookBack(Value):
    """Read how it stands there, then plan again: a void or delete was lost, or a person asked."""

    attempt: OpenAttempt | None = None


class TakeBack(Value):
    """Undo what a run sent, after a look at how it stands. `attempt`: an earlier try of which no answer came.

    `total`: what an invoice must still come to whose version moved when the same run's payments came and went;
    `besides`: what it must still say besides, where that's known.
    """

    step: Removal
    attempt: OpenAttempt | None = None
    total: Decimal | None = None
    besides: str | None = None


class Keep(Value):
    """It's not taken back after all, for this reason."""

    reason: str


class Blocked(Value):
    """A person must act. `key` is shared by all records that the same act mends.

    `also` are further causes of the same record, known at once: a person needn't find them one after the other.
    `candidates` are what an uncertain record could be there, for a person to choose from.
    """

    code: CauseCode
    key: str
    params: dict[str, str] = field(default_factory=dict)
    also: tuple["Blocked", ...] = ()
    candidates: Sequence[Mapping[str, str]] = ()

    def to_json(self) -> dict[str, object]:
        """As it's kept on the row."""
        stored: dict[str, object] = {"code": self.code.value, "params": self.params}
        if self.candidates:
            stored["candidates"] = [dict(each) for each in self.candidates]
        if self.also:
            stored["also"] = [{"key": more.key[:200], **more.to_json()} for more in self.also]
        return stored


Decision: TypeAlias = (
    Nothing | Send | Repeat | LookUp | Postpone | WaitFor | Remove | LookBack | TakeBack | Keep | Blocked
)
