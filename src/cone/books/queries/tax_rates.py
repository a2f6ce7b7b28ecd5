"""Tax rates: "No tax" first, then by percentage."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from cone.books.models import InvoiceLine, TaxRate, Workspace
from cone.domain.errors import RecordNotFoundError


@dataclass(frozen=True, slots=True)
class TaxRateRow:
    """A rate; 20 is 20 %. `is_percent_settled`: issued invoices use it, or it is "No tax"."""

    uuid: UUID
    name: str
    percent: Decimal
    is_no_tax: bool
    is_percent_settled: bool
    is_archived: bool
    revision: int


def list_tax_rates(workspace: Workspace, *, show_archived: bool = False) -> tuple[TaxRateRow, ...]:
    """Return the rates, "No tax" first, then the highest; `show_archived` adds the archived ones at the end."""
    found = _with_use(workspace)
    if not show_archived:
        found = found.filter(archived_at=None)
    rows = [_read_row(rate) for rate in found.order_by("-is_no_tax", "-percent", "name")]
    return tuple(sorted(rows, key=lambda row: row.is_archived))


def get_tax_rate(workspace: Workspace, uuid: UUID) -> TaxRateRow:
    """Return a rate of the workspace.

    Raises: RecordNotFoundError.
    """
    rate = _with_use(workspace).filter(uuid=uuid).first()
    if rate is None:
        raise RecordNotFoundError
    return _read_row(rate)


def _with_use(workspace: Workspace) -> QuerySet[TaxRate]:
    issued_lines = InvoiceLine.objects.filter(tax_rate=OuterRef("pk")).exclude(invoice__status="draft")
    return TaxRate.objects.filter(workspace=workspace).annotate(is_used=Exists(issued_lines))


def _read_row(rate: TaxRate) -> TaxRateRow:
    return TaxRateRow(
        uuid=rate.uuid,
        name=rate.name,
        percent=rate.percent,
        is_no_tax=rate.is_no_tax,
        is_percent_settled=rate.is_no_tax or bool(getattr(rate, "is_used", False)),
        is_archived=rate.archived_at is not None,
        revision=rate.revision,
    )
