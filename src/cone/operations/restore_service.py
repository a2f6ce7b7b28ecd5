"""Bring an archived service back."""

from uuid import UUID

from django.db import transaction

from cone.books.models import Service
from cone.domain.errors import InvalidFieldError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import get_locked, note, refusing_duplicates

_TAKEN = "Another service has taken this name meanwhile; rename one of them first."


@transaction.atomic
def restore_service(actor: Actor, uuid: UUID) -> Service:
    """Restore a service; twice does nothing.

    Raises: NotAllowedError, RecordNotFoundError, InvalidFieldError when its name is taken by now.
    """
    actor.check_may(Permission.SETTINGS)
    service = get_locked(Service, actor, uuid)
    if service.archived_at is None:
        return service
    if Service.objects.filter(workspace=actor.workspace, archived_at=None, name__iexact=service.name).exists():
        raise InvalidFieldError("name", _TAKEN)
    service.archived_at = None
    with refusing_duplicates("service_name_once", "name", _TAKEN):
        service.save(update_fields=["archived_at", "updated_at"])
    note(actor, "service", service.uuid, "restored", name=service.name)
    return service
