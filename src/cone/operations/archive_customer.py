"""Put a customer away: its invoices stay, new ones can't be made for it."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cone.books.models import Customer
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import get_locked, note


@transaction.atomic
def archive_customer(actor: Actor, uuid: UUID) -> Customer:
    """Archive a customer; twice does nothing. The accounting software keeps it.

    Raises: NotAllowedError, RecordNotFoundError.
    """
    actor.check_may(Permission.INVOICING)
    customer = get_locked(Customer, actor, uuid)
    if customer.archived_at is None:
        customer.archived_at = timezone.now()
        customer.save(update_fields=["archived_at", "updated_at"])
        note(actor, "customer", customer.uuid, "archived", name=customer.name)
    return customer
