"""Pause the sync: nothing is sent, nothing is lost."""

from django.db import transaction
from django.db.models.functions import Now

from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.sync_settings import get_locked_connection


@transaction.atomic
def pause_sync(actor: Actor) -> None:
    """Hold everything back until it's resumed; pausing twice does nothing. A request in flight still finishes.

    Raises: NotAllowedError, NotConnectedError.
    """
    active = get_locked_connection(actor)
    if active.paused_at is None:
        active.paused_at = Now()
        active.save(update_fields=["paused_at"])
        note(actor, "connection", active.uuid, "paused")
