"""Give a member another role."""

from django.db import transaction

from cone.books.models import Membership
from cone.domain.permissions import Permission, Role
from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.seen import is_change
from cone.operations.team import check_owner_remains, get_locked_member


@transaction.atomic
def change_member_role(actor: Actor, member_id: int, *, role: Role, seen: str | None = None) -> Membership:
    """Change a member's role; `member_id` is the membership's. A workspace keeps at least one owner.

    `seen` is the role that was shown.
    Raises: NotAllowedError, RecordNotFoundError, LastOwnerError, SettingsChangedMeanwhileError.
    """
    actor.check_may(Permission.TEAM)
    membership = get_locked_member(actor, member_id)
    wanted = Role(role)
    if not is_change(wanted.value, saved=membership.role, seen=seen):
        return membership
    check_owner_remains(membership)
    membership.role = wanted.value
    membership.save(update_fields=["role"])
    note(actor, "workspace", actor.workspace.uuid, "role_changed", email=membership.user.email, role=wanted.value)
    return membership
