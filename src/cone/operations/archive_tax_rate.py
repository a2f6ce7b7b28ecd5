"""Put a tax rate away: invoices that use it stay, new lines can't."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cone.books.models import TaxRate
from cone.domain.permissions import Permission
from cone.domain.tax_rates import NoTaxIsFixedError
from cone.operations.actor import Actor
from cone.operations.records import get_locked, note


@transaction.atomic
def archive_tax_rate(actor: Actor, uuid: UUID) -> TaxRate:
    """Archive a rate, which frees its name; twice does nothing.

    Raises: NotAllowedError, RecordNotFoundError, NoTaxIsFixedError.
    """
    actor.check_may(Permission.SETTINGS)
    rate = get_locked(TaxRate, actor, uuid)
    if rate.is_no_tax:
        raise NoTaxIsFixedError
    if rate.archived_at is None:
        rate.archived_at = timezone.now()
        rate.save(update_fields=["archived_at", "updated_at"])
        note(actor, "tax_rate", rate.uuid, "archived", name=rate.name)
    return rate
