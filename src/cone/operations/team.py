"""What changes of the team have in common: they take turns, and an owner remains."""

from cone.books.models import Membership, Workspace
from cone.domain.errors import RecordNotFoundError
from cone.domain.permissions import Role
from cone.domain.workspaces import LastOwnerError
from cone.operations.actor import Actor


def get_locked_member(actor: Actor, member_id: int) -> Membership:
    """Return a membership of the actor's workspace; the workspace's row is locked, so that two owners can't both leave.

    Raises: RecordNotFoundError.
    """
    Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace.pk)
    membership = Membership.objects.select_related("user").filter(workspace=actor.workspace, pk=member_id).first()
    if membership is None:
        raise RecordNotFoundError
    return membership


def check_owner_remains(membership: Membership) -> None:
    """Raises: LastOwnerError when this membership is the workspace's only owner."""
    owners = Membership.objects.filter(workspace_id=membership.workspace_id, role=Role.OWNER)
    if membership.role == Role.OWNER and owners.count() == 1:
        raise LastOwnerError
