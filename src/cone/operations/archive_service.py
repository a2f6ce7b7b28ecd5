"""Put a service away: invoices that use it stay, new lines can't."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cone.books.models import Service
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import get_locked, note


@transaction.atomic
def archive_service(actor: Actor, uuid: UUID) -> Service:
    """Archive a service, which frees its name; twice does nothing.

    Raises: NotAllowedError, RecordNotFoundError.
    """
    actor.check_may(Permission.SETTINGS)
    service = get_locked(Service, actor, uuid)
    if service.archived_at is None:
        service.archived_at = timezone.now()
        service.save(update_fields=["archived_at", "updated_at"])
        note(actor, "service", service.uuid, "archived", name=service.name)
    return service
