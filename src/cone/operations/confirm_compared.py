"""After restoring an older copy: a person has compared what was sent since with what stands there."""

from django.db import transaction

from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.sync_settings import get_locked_connection


@transaction.atomic
def confirm_compared(actor: Actor) -> None:
    """Say no more that an older copy was restored; twice does nothing. Raises: NotAllowedError, NotConnectedError."""
    active = get_locked_connection(actor)
    if active.restored_at is not None:
        active.restored_at = None
        active.save(update_fields=["restored_at"])
        note(actor, "connection", active.uuid, "compared")
