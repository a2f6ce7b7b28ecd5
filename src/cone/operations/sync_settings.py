"""What the operations on a connection share: finding it, locked, and saying why it can't be used."""

from cone.accounting.connections import ConnectionBusyError, NotConnectedError
from cone.books.models import Connection
from cone.domain.permissions import Permission
from cone.operations.actor import Actor


def get_locked_connection(
    actor: Actor, *, permission: Permission = Permission.INTEGRATIONS, may_be_ending: bool = False
) -> Connection:
    """The workspace's connection, locked until the transaction ends.

    Raises: NotAllowedError, NotConnectedError, ConnectionBusyError.
    """
    actor.check_may(permission)
    active = (
        Connection.objects.select_for_update().filter(workspace=actor.workspace).exclude(state="disconnected").first()
    )
    if active is None:
        raise NotConnectedError
    if active.state == "disconnecting" and not may_be_ending:
        raise ConnectionBusyError
    return active


def move_settings(active: Connection) -> None:
    """Move `settings_revision` at once: plans made under older settings can no longer block a record."""
    active.settings_revision += 1
    active.save(update_fields=["settings_revision"])
