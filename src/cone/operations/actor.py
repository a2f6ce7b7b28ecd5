"""Who acts, in which workspace, and as what. Every operation starts from one."""

from dataclasses import dataclass
from uuid import UUID

from cone.books.models import Membership, User, Workspace
from cone.domain import permissions
from cone.domain.permissions import Permission, Role

__all__ = ["Actor", "Role", "find_actor"]


@dataclass(frozen=True, slots=True)
class Actor:
    """A person at work in one firm."""

    workspace: Workspace
    user: User
    role: Role

    def may(self, permission: Permission) -> bool:
        """Say whether this person may do it."""
        return permissions.may(self.role, permission)

    def check_may(self, permission: Permission) -> None:
        """Raises: NotAllowedError."""
        permissions.check_may(self.role, permission)


def find_actor(user: User, *, workspace_uuid: UUID | None = None) -> Actor | None:
    """Return the person as a member of that workspace, or of the first they joined; None without a membership."""
    memberships = Membership.objects.select_related("workspace").filter(user=user).order_by("joined_at", "id")
    if workspace_uuid is not None:
        memberships = memberships.filter(workspace__uuid=workspace_uuid)
    membership = memberships.first()
    if membership is None:
        return None
    return Actor(workspace=membership.workspace, user=user, role=Role(membership.role))
