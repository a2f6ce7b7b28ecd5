"""Services: the list, one of them, and choices for an invoice's lines."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from cone.books.models import Service, Workspace
from cone.books.queries.paging import Page, clean_search, cut_page
from cone.domain.errors import RecordNotFoundError
from cone.kit.money import Money


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service. `unit_price` isn't rounded: prices may have six decimals."""

    uuid: UUID
    name: str
    description: str
    unit_price: Money
    tax_rate_uuid: UUID | None
    tax_rate_name: str
    is_archived: bool
    revision: int


def list_services(
    workspace: Workspace, *, search: str = "", page: int = 1, show_archived: bool = False
) -> Page[ServiceRow]:
    """Return a page of services by name, in two queries; `show_archived` shows only the archived ones."""
    found = Service.objects.filter(workspace=workspace, archived_at__isnull=not show_archived)
    wanted = clean_search(search)
    if wanted:
        found = found.filter(Q(name__icontains=wanted) | Q(description__icontains=wanted))
    ordered = found.select_related("tax_rate").order_by("name", "id")
    return cut_page(found.count(), page, lambda part: tuple(_read_row(service, workspace) for service in ordered[part]))


def get_service(workspace: Workspace, uuid: UUID) -> ServiceRow:
    """Return a service of the workspace.

    Raises: RecordNotFoundError.
    """
    service = Service.objects.select_related("tax_rate").filter(workspace=workspace, uuid=uuid).first()
    if service is None:
        raise RecordNotFoundError
    return _read_row(service, workspace)


def list_service_options(workspace: Workspace) -> tuple[ServiceRow, ...]:
    """Return the active services to choose from, by name."""
    found = Service.objects.select_related("tax_rate").filter(workspace=workspace, archived_at=None)
    return tuple(_read_row(service, workspace) for service in found.order_by("name", "id"))


def _read_row(service: Service, workspace: Workspace) -> ServiceRow:
    return ServiceRow(
        uuid=service.uuid,
        name=service.name,
        description=service.description,
        unit_price=Money(service.unit_price, workspace.currency),
        tax_rate_uuid=service.tax_rate.uuid if service.tax_rate else None,
        tax_rate_name=service.tax_rate.name if service.tax_rate else "",
        is_archived=service.archived_at is not None,
        revision=service.revision,
    )
