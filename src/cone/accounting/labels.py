"""What people call records: on cards, in history, and where one waits for another."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from cone.accounting.port.documents import Kind
from cone.accounting.records import GENERAL_SERVICE_NAME, Reference, general_service_uuid
from cone.accounting.values import Awaited
from cone.books.amounts import show_money
from cone.books.models import Customer, Invoice, Payment, Service, Workspace
from cone.domain.numbering import shown_number
from cone.kit.money import Money

GENERAL_LABEL = f"the item {GENERAL_SERVICE_NAME} (for lines without a service)"


def is_general(kind: Kind, uuid: UUID, workspace: Workspace) -> bool:
    """Whether it's the item that lines without a service post to: it has no record here, and no page."""
    return kind == "service" and uuid == general_service_uuid(workspace.uuid)


def label_payment(amount: Money) -> str:
    """A payment has no number."""
    return f"the payment of {show_money(amount)}"


def label_records(records: Iterable[Reference]) -> dict[Reference, str]:
    """What people call these records: an invoice's number, a customer's or service's name, a payment by its amount."""
    wanted: dict[Kind, list[UUID]] = {}
    for kind, uuid in records:
        wanted.setdefault(kind, []).append(uuid)
    labels: dict[Reference, str] = {}
    named = Invoice.objects.filter(uuid__in=wanted.get("invoice", []))
    for uuid, number, status, customer in named.values_list("uuid", "number", "status", "customer__name"):
        labels["invoice", uuid] = number or f"{shown_number(None, status=status)} · {customer}"
    for uuid, name in Customer.objects.filter(uuid__in=wanted.get("customer", [])).values_list("uuid", "name"):
        labels["customer", uuid] = name
    services = dict(Service.objects.filter(uuid__in=wanted.get("service", [])).values_list("uuid", "name"))
    for uuid in wanted.get("service", []):
        # Services are archived, never deleted: the one item without a row is that of lines without a service.
        labels["service", uuid] = services.get(uuid, GENERAL_SERVICE_NAME)
    for payment in Payment.objects.filter(uuid__in=wanted.get("payment", [])):
        labels["payment", payment.uuid] = label_payment(Money(payment.amount, payment.currency))
    return labels


def name_way(own: Reference, way: Sequence[Reference], workspace: Workspace) -> tuple[Awaited, ...]:
    """What a record waits for, one after another, each so that it can't be taken for one before it."""
    labels, archived = label_records([own, *way]), _list_archived([own, *way])
    called = {(own[0], labels.get(own, ""), own in archived)}
    names = []
    for each in way:
        kind, uuid = each
        name = (kind, labels.get(each, ""), each in archived)
        names.append(
            Awaited(
                kind,
                name[1],
                is_archived=name[2],
                is_general=is_general(kind, uuid, workspace),
                is_namesake=name in called,
            )
        )
        called.add(name)
    return tuple(names)


def _list_archived(records: Sequence[Reference]) -> set[Reference]:
    archived: set[Reference] = set()
    customers, services = ([uuid for kind, uuid in records if kind == each] for each in ("customer", "service"))
    if customers:
        gone = Customer.objects.filter(uuid__in=customers, archived_at__isnull=False)
        archived |= {("customer", uuid) for uuid in gone.values_list("uuid", flat=True)}
    if services:
        past = Service.objects.filter(uuid__in=services, archived_at__isnull=False)
        archived |= {("service", uuid) for uuid in past.values_list("uuid", flat=True)}
    return archived
