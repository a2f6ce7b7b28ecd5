"""Take a member out of the team; what they did stays in the records."""

from django.db import transaction

from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.team import check_owner_remains, get_locked_member


@transaction.atomic
def remove_member(actor: Actor, member_id: int) -> None:
    """Remove a member; `member_id` is the membership's. A workspace keeps at least one owner.

    Raises: NotAllowedError, RecordNotFoundError, LastOwnerError.
    """
    actor.check_may(Permission.TEAM)
    membership = get_locked_member(actor, member_id)
    check_owner_remains(membership)
    note(actor, "workspace", actor.workspace.uuid, "removed", email=membership.user.email)
    membership.delete()
