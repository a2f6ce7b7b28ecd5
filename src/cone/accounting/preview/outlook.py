"""Foresees what the lane would do with one record. Pure: the same `plan`, then the provider's own `prepare`.

What a record refers to and isn't there yet is taken as made: otherwise "waits for its customer" would hide every cause
behind it. Whether it really can be made is known by then, since what others refer to is foreseen first.
"""

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TypeAlias
from uuid import UUID

from cone.accounting.plan.decisions import (
    Blocked,
    Decision,
    Keep,
    LookBack,
    LookUp,
    Nothing,
    Postpone,
    Remove,
    Repeat,
    Send,
    TakeBack,
    WaitFor,
)
from cone.accounting.plan.invoices import is_in_scope
from cone.accounting.plan.next_step import plan
from cone.accounting.port.documents import (
    Create,
    CustomerDocument,
    Document,
    InvoiceDocument,
    Kind,
    Namesake,
    PaymentDocument,
    ServiceDocument,
    Write,
)
from cone.accounting.port.provider import Provider
from cone.accounting.port.verdicts import VERDICTS, CauseCode, RejectedError
from cone.accounting.preview.values import Action, Figures, Outlook
from cone.accounting.records import AllocationRecord, InvoiceRecord, PaymentRecord, Record, Situation, Subject
from cone.accounting.refusals import cause_of_refusal
from cone.kit.money import Money
from cone.kit.values import replace

Key: TypeAlias = tuple[Kind, UUID]

# The id of what isn't there yet; it never leaves.
_NOT_YET = "0"


class _AsIfThere(Mapping[Key, str]):
    """Everything is linked: to what it's linked to, or to what will be made."""

    def __init__(self, linked: Mapping[Key, str]) -> None:
        self._linked = linked

    def __getitem__(self, key: Key) -> str:
        return self._linked.get(key, _NOT_YET)

    def __contains__(self, key: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Key]:
        return iter(self._linked)

    def __len__(self) -> int:
        return len(self._linked)


_GIVING_NAMES = frozenset({Action.CREATE, Action.LINK, Action.UPDATE, Action.FIND_OUT})


class NamesToBe:
    """The names that customers foreseen so far will have there: the next one of a name finds it taken.

    Whether one whose create is out arrived isn't known; the next one of its name can't be promised to be made.
    """

    def __init__(self) -> None:
        self._given: dict[str, tuple[Namesake, UUID]] = {}

    def note(self, outlook: Outlook, record: Record | None) -> None:
        """Keep the name of a customer who'll be made or renamed, or is being."""
        if isinstance(record, CustomerDocument) and outlook.action in _GIVING_NAMES:
            namesake = Namesake("customer", _NOT_YET, "", record.name, obstacle="foreseen")
            self._given.setdefault(record.name.lower(), (namesake, record.uuid))

    def beside(self, taken: Mapping[str, tuple[Namesake, UUID]]) -> Mapping[str, tuple[Namesake, UUID]]:
        """With those that stand there; what is noted later counts in it."""
        return ChainMap(dict(taken), self._given)


def assume(situation: Situation, names: NamesToBe) -> Situation:
    """The situation as if everything that records refer to were there.

    A month's used-up reads delay a record and change nothing else: a preview says what, not when.
    """
    there = _AsIfThere(situation.linked)
    taken = names.beside(situation.taken_names)
    return replace(situation, linked=there, taken_names=taken, moving_items={}, reads_held_for=None)


def references_of(record: Record | None) -> tuple[Key, ...]:
    """What must stand there before the record can."""
    if isinstance(record, PaymentRecord):
        invoices: tuple[Key, ...] = tuple(("invoice", part.invoice_uuid) for part in record.allocations)
        return ("customer", record.customer_uuid), *invoices
    if not isinstance(record, InvoiceRecord):
        return ()
    services: tuple[Key, ...] = tuple(dict.fromkeys(("service", line.service_uuid) for line in record.lines))
    return ("customer", record.customer_uuid), *services


def as_if_sent(subject: Subject, situation: Situation, *, since: date | None) -> Subject:
    """A payment as if what it pays and is on its way, or would be, were there. `since`: existing invoices of then."""
    record = subject.record
    if not isinstance(record, PaymentRecord):
        return subject

    def will_go(part: AllocationRecord) -> bool:
        is_existing = since is not None and part.issue_date >= since
        return part.status == "issued" and (part.is_asked_for or is_existing or is_in_scope(part, situation))

    parts = [
        replace(part, remote_id=_NOT_YET, total_there=None) if part.remote_id is None and will_go(part) else part
        for part in record.allocations
    ]
    return replace(subject, record=replace(record, allocations=tuple(parts)))


def foresee(
    subject: Subject,
    situation: Situation,
    provider: Provider,
    *,
    references: Sequence[Outlook],
    stored_cause: Blocked | None = None,
) -> Outlook:
    """Say what would become of a record, in a situation by `assume`.

    `references`: the outlooks of what it refers to and isn't linked. `stored_cause`: what the record was refused for
    when it was sent, unless settings have changed since; only a person sends it again.
    """
    action, document, causes = _judge(subject, plan(subject, situation), situation, provider)
    if stored_cause is not None and (
        action not in (Action.BLOCKED, Action.NOTHING) or _is_name_taken(causes, stored_cause)
    ):
        action, causes = Action.BLOCKED, (stored_cause,)
    label, detail = _name(subject)
    outlook = Outlook(
        kind=subject.row.kind,
        uuid=subject.row.uuid,
        revision=subject.record.revision if subject.record is not None else subject.row.wanted_revision,
        label=label,
        detail=detail,
        action=action,
        figures=_figures(document),
        causes=causes,
        may_exist=action is Action.CREATE and isinstance(document, CustomerDocument),
        paid=_paid(subject.record),
    )
    if action in (Action.BLOCKED, Action.NOTHING, Action.FIND_OUT, Action.REMOVE):
        return outlook
    return _after(outlook, references)


def _is_name_taken(causes: Sequence[Blocked], stored_cause: Blocked) -> bool:
    """Whether both say so: who was found there with the name is more than who will have it, or is known to."""
    return [cause.code for cause in causes] == [CauseCode.NAME_TAKEN] == [stored_cause.code]


def _judge(
    subject: Subject, decision: Decision, situation: Situation, provider: Provider
) -> tuple[Action, Document | None, tuple[Blocked, ...]]:
    match decision:
        case Blocked():
            return Action.BLOCKED, None, (replace(decision, also=()), *decision.also)
        case Send(step, find_first):
            if refused := _refusal(subject, step, situation, provider):
                return Action.BLOCKED, None, (refused,)
            # An item is found or made, which only sending it tells.
            made = Action.LINK if find_first or isinstance(step.document, ServiceDocument) else Action.CREATE
            return made if isinstance(step, Create) else Action.UPDATE, step.document, ()
        case _:
            return _SIMPLE[type(decision)], None, ()


_SIMPLE: Mapping[type[Decision], Action] = {
    Nothing: Action.NOTHING,
    Repeat: Action.FIND_OUT,
    LookUp: Action.FIND_OUT,
    LookBack: Action.FIND_OUT,
    Remove: Action.REMOVE,
    TakeBack: Action.REMOVE,
    Keep: Action.NOTHING,
    WaitFor: Action.WAIT,
    Postpone: Action.WAIT,
}


def _refusal(subject: Subject, step: Write, situation: Situation, provider: Provider) -> Blocked | None:
    """What the provider's own limits refuse before anything is sent."""
    try:
        provider.prepare(step, situation.facts)
    except RejectedError as verdict:
        return cause_of_refusal(subject, verdict, situation)
    except VERDICTS as verdict:
        params = {"explanation": verdict.answered.message}
        return Blocked(CauseCode.REFUSED, key=f"refused:{subject.row.uuid}", params=params)
    return None


def _name(subject: Subject) -> tuple[str, str]:
    record = subject.record
    match record:
        case InvoiceRecord():
            return record.number or "Number pending", record.customer_name
        case PaymentRecord():
            return record.reference or "Payment", record.customer_name
        case None:
            return "Deleted in Cone", ""
        case _:
            return record.name, ""


def _paid(record: Record | None) -> Money | None:
    return Money(record.amount, record.currency) if isinstance(record, PaymentRecord) else None


def _figures(document: Document | None) -> Figures | None:
    match document:
        case InvoiceDocument():
            return Figures(Money(document.tax, document.currency), Money(document.total, document.currency))
        case PaymentDocument():
            return Figures(Money(document.amount * 0, document.currency), Money(document.amount, document.currency))
        case _:
            return None


def _after(outlook: Outlook, references: Sequence[Outlook]) -> Outlook:
    """The same, in the light of what it refers to and isn't there yet."""
    for reference in references:
        if reference.action in (Action.BLOCKED, Action.WAIT):
            return replace(
                outlook,
                action=Action.WAIT,
                causes=reference.causes,
                waits_for=reference.label,
                stuck=reference.stuck or (reference.kind, reference.uuid, reference.label),
            )
    follows = ", ".join(reference.label for reference in references if reference.action is not Action.NOTHING)
    return replace(outlook, follows=follows) if follows else outlook
