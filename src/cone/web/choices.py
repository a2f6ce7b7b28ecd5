"""What the drop-downs of forms offer: active records of the firm, and those the record at hand has already."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from cone.books.models import Customer, Service, TaxRate, Workspace


@dataclass(frozen=True, slots=True)
class ServiceDefaults:
    """What choosing a service fills in."""

    description: str
    unit_price: Decimal
    tax_rate: str


@dataclass(frozen=True, slots=True)
class InvoiceChoices:
    """Everything an invoice form offers, read once; keys are uuids as text."""

    customers: tuple[tuple[str, str], ...]
    currencies: Mapping[str, str]
    home_currency: str
    services: tuple[tuple[str, str], ...]
    service_defaults: Mapping[str, ServiceDefaults]
    tax_rates: tuple[tuple[str, str], ...]
    percents: Mapping[str, Decimal]
    no_tax: str


def read_rate_choices(workspace: Workspace, keep: Collection[UUID] = ()) -> tuple[tuple[str, str], ...]:
    """The firm's tax rates, "No tax" last."""
    return tuple((str(rate.uuid), rate.name) for rate in _rates(workspace, keep))


def _rates(workspace: Workspace, keep: Collection[UUID]) -> list[TaxRate]:
    found = TaxRate.objects.filter(Q(archived_at=None) | Q(uuid__in=keep), workspace=workspace)
    return list(found.order_by("is_no_tax", "-percent", "name"))


def read_invoice_choices(workspace: Workspace, keep: Collection[UUID] = ()) -> InvoiceChoices:
    """Read the choices; archived records only if among `keep` (the uuids that the invoice names already)."""
    customers = list(
        Customer.objects.filter(Q(archived_at=None) | Q(uuid__in=keep), workspace=workspace)
        .order_by("name", "pk")
        .values_list("uuid", "name", "email", "city", "currency")
    )
    services = list(
        Service.objects.filter(Q(archived_at=None) | Q(uuid__in=keep), workspace=workspace)
        .select_related("tax_rate")
        .order_by("name")
    )
    rates = _rates(workspace, keep)
    repeated = {name for name, count in Counter(name for _, name, *_ in customers).items() if count > 1}
    return InvoiceChoices(
        customers=tuple(
            (str(uuid), _tell_apart(name, email, city) if name in repeated else name)
            for uuid, name, email, city, _ in customers
        ),
        currencies={str(uuid): currency for uuid, _, _, _, currency in customers},
        home_currency=workspace.currency,
        services=tuple((str(service.uuid), service.name) for service in services),
        service_defaults={
            str(service.uuid): ServiceDefaults(
                service.description or service.name,
                service.unit_price,
                str(service.tax_rate.uuid) if service.tax_rate else "",
            )
            for service in services
        },
        tax_rates=tuple((str(rate.uuid), rate.name) for rate in rates),
        percents={str(rate.uuid): rate.percent for rate in rates},
        no_tax=next((str(rate.uuid) for rate in rates if rate.is_no_tax), ""),
    )


def _tell_apart(name: str, email: str, city: str) -> str:
    more = email or city
    return f"{name} · {more}" if more else name
