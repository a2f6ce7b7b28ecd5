"""After restoring an older copy: a person has compared what was sent since with what stands there."""

from django.db import transaction

from cone.books.models import RemoteCompany
from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.sync_settings import get_locked_connection


@transaction.atomic
def confirm_compared(actor: Actor) -> None:
    """Say no more that an older copy was restored; twice does nothing. Raises: NotAllowedError, NotConnectedError."""
    active = get_locked_connection(actor)
    if RemoteCompany.objects.filter(pk=active.company_id, restored_at__isnull=False).update(restored_at=None):
        note(actor, "connection", active.uuid, "compared")
