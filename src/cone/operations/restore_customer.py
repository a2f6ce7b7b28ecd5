"""Bring an archived customer back."""

from uuid import UUID

from django.db import transaction

from cone.books.models import Customer
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import get_locked, note


@transaction.atomic
def restore_customer(actor: Actor, uuid: UUID) -> Customer:
    """Restore a customer; twice does nothing.

    Raises: NotAllowedError, RecordNotFoundError.
    """
    actor.check_may(Permission.INVOICING)
    customer = get_locked(Customer, actor, uuid)
    if customer.archived_at is not None:
        customer.archived_at = None
        customer.save(update_fields=["archived_at", "updated_at"])
        note(actor, "customer", customer.uuid, "restored", name=customer.name)
    return customer
