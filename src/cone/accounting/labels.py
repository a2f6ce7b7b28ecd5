"""What people call records: on cards, in history, and where one waits for another."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from babel.dates import format_date

from cone.accounting.port.documents import Kind
from cone.accounting.records import GENERAL_SERVICE_NAME, Reference, general_service_uuid
from cone.accounting.values import Awaited
from cone.books.amounts import current_locale, show_money
from cone.books.models import Customer, Invoice, Payment, Service, Workspace
from cone.domain.numbering import shown_number
from cone.kit.money import Money

_GENERAL = "for lines without a service"
GENERAL_LABEL = f"the item {GENERAL_SERVICE_NAME} ({_GENERAL})"
_ARCHIVED = "archived"
_TIMES = ("archived_at", "created_at")


def is_general(kind: Kind, uuid: UUID, workspace: Workspace) -> bool:
    """Whether it's the item that lines without a service post to: it has no record here, and no page."""
    return kind == "service" and uuid == general_service_uuid(workspace.uuid)


def label_payment(amount: Money) -> str:
    """A payment has no number."""
    return f"the payment of {show_money(amount)}"


@dataclass(frozen=True, slots=True)
class Called:
    """What a record is called, and what tells it from others of its name, best first; some marks may be empty."""

    name: str
    marks: tuple[str, ...] = ()
    is_archived: bool = False


def label_records(records: Iterable[Reference]) -> dict[Reference, str]:
    """What people call these records: an invoice's number, a customer's or service's name, a payment by its amount.

    Customers or services of one name are told apart: “Advice” and “Advice (archived)”.
    """
    return tell_apart(read_names(records))


def tell_apart(called: Mapping[Reference, Called]) -> dict[Reference, str]:
    """What stands in a list of these records; a text that states the name itself takes the name alone."""
    labels = {reference: each.name for reference, each in called.items()}
    namesakes: defaultdict[tuple[Kind, str], list[Reference]] = defaultdict(list)
    for reference, name in labels.items():
        if called[reference].marks:
            namesakes[reference[0], name.casefold()].append(reference)
    for alike in namesakes.values():
        labels |= _tell_alike({reference: called[reference] for reference in alike})
    return labels


def name_way(own: Reference, way: Sequence[Reference], workspace: Workspace) -> tuple[Awaited, ...]:
    """What a record waits for, one after another, each so that it can't be taken for one before it."""
    read = read_names([own, *way])
    called = {(own[0], *_name_of(read, own))}
    names = []
    for each in way:
        kind, uuid = each
        name, is_archived = _name_of(read, each)
        names.append(
            Awaited(
                kind,
                name,
                is_archived=is_archived,
                is_general=is_general(kind, uuid, workspace),
                is_namesake=(kind, name, is_archived) in called,
            )
        )
        called.add((kind, name, is_archived))
    return tuple(names)


def _name_of(read: Mapping[Reference, Called], reference: Reference) -> tuple[str, bool]:
    called = read.get(reference, Called(""))
    return called.name, called.is_archived


def _tell_alike(alike: Mapping[Reference, Called]) -> dict[Reference, str]:
    """Say of records of one name as much as tells them apart, or all that's known."""
    labels = {reference: each.name for reference, each in alike.items()}
    for known in range(1, len(next(iter(alike.values())).marks) + 1):
        if len({label.casefold() for label in labels.values()}) == len(labels):
            break
        for reference, each in alike.items():
            marks = ", ".join(mark for mark in each.marks[:known] if mark)
            labels[reference] = f"{each.name} ({marks})" if marks else each.name
    return labels


def read_names(records: Iterable[Reference]) -> dict[Reference, Called]:
    """Names, and what tells those that are alike apart; one statement for each kind."""
    wanted: dict[Kind, list[UUID]] = {}
    for kind, uuid in records:
        wanted.setdefault(kind, []).append(uuid)
    called: dict[Reference, Called] = {}
    if invoices := wanted.get("invoice"):
        named = Invoice.objects.filter(uuid__in=invoices)
        for uuid, number, status, customer in named.values_list("uuid", "number", "status", "customer__name"):
            called["invoice", uuid] = Called(number or f"{shown_number(None, status=status)} · {customer}")
    if customers := wanted.get("customer"):
        people = Customer.objects.filter(uuid__in=customers)
        for uuid, name, email, archived_at, made_at in people.values_list("uuid", "name", "email", *_TIMES):
            told = (_ARCHIVED if archived_at else "", email, _made(made_at))
            called["customer", uuid] = Called(name, told, is_archived=archived_at is not None)
    if services := wanted.get("service"):
        # Services are archived, never deleted: the one item without a row is that of lines without a service.
        called |= {("service", uuid): Called(GENERAL_SERVICE_NAME, (_GENERAL, "")) for uuid in services}
        sold = Service.objects.filter(uuid__in=services)
        for uuid, name, archived_at, made_at in sold.values_list("uuid", "name", *_TIMES):
            marks = (_ARCHIVED if archived_at else "", _made(made_at))
            called["service", uuid] = Called(name, marks, is_archived=archived_at is not None)
    if payments := wanted.get("payment"):
        for payment in Payment.objects.filter(uuid__in=payments):
            called["payment", payment.uuid] = Called(label_payment(Money(payment.amount, payment.currency)))
    return called


def _made(made_at: datetime) -> str:
    return f"made {format_date(made_at, format='medium', locale=current_locale())}"
