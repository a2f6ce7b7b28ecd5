"""Resume the sync: each waiting record goes once, in its latest state."""

from django.db import transaction

from cone.accounting.outbox import wake
from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.sync_settings import get_locked_connection


@transaction.atomic
def resume_sync(actor: Actor) -> None:
    """Let what waits go; resuming twice does nothing. Raises: NotAllowedError, NotConnectedError."""
    active = get_locked_connection(actor)
    if active.paused_at is not None:
        active.paused_at = None
        active.save(update_fields=["paused_at"])
        note(actor, "connection", active.uuid, "resumed")
        wake(active.pk)
