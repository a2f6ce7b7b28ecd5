"""Make or change a tax rate."""

from uuid import UUID

from django.db import transaction

from cone.books.models import InvoiceLine, TaxRate
from cone.domain.errors import InvalidFieldError
from cone.domain.permissions import Permission
from cone.domain.tax_rates import NoTaxIsFixedError, TaxPercentSettledError, TaxRateInput, check_tax_rate
from cone.operations.actor import Actor
from cone.operations.records import change, check_unchanged, get_locked, note, refusing_duplicates

_TAKEN = "Another tax rate has this name; choose a different one."


@transaction.atomic
def save_tax_rate(
    actor: Actor, typed: TaxRateInput, *, uuid: UUID | None = None, expected_revision: int | None = None
) -> TaxRate:
    """Make a rate, or change the one with that uuid; drafts take a changed percentage when they're issued.

    `expected_revision` is the revision the form was filled from.
    Raises: NotAllowedError, InvalidFieldError, RecordNotFoundError, RecordChangedMeanwhileError,
    TaxPercentSettledError, NoTaxIsFixedError.
    """
    actor.check_may(Permission.SETTINGS)
    checked = check_tax_rate(typed)
    rate = TaxRate(workspace=actor.workspace) if uuid is None else get_locked(TaxRate, actor, uuid)
    changed = change(rate, {"name": checked.name, "percent": checked.percent})
    if uuid is not None:
        if not changed:
            return rate
        check_unchanged(rate, expected_revision)
        if "percent" in changed:
            _check_percent_is_free(rate)
        rate.revision += 1
    others = TaxRate.objects.filter(workspace=actor.workspace, archived_at=None, name__iexact=rate.name)
    if rate.archived_at is None and others.exclude(pk=rate.pk).exists():
        raise InvalidFieldError("name", _TAKEN)
    with refusing_duplicates("tax_rate_name_once", "name", _TAKEN):
        rate.save()
    note(actor, "tax_rate", rate.uuid, "created" if uuid is None else "edited", name=rate.name)
    return rate


def _check_percent_is_free(rate: TaxRate) -> None:
    if rate.is_no_tax:
        raise NoTaxIsFixedError
    # The rate is locked: an invoice being issued with it either is visible here or waits, then sees the new percentage.
    if InvoiceLine.objects.filter(tax_rate=rate).exclude(invoice__status="draft").exists():
        raise TaxPercentSettledError
