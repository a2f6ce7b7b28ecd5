"""Join a team by an invitation's link."""

from django.db import transaction
from django.utils import timezone

from cone.books.models import Invitation, Membership, User
from cone.domain.permissions import Role
from cone.domain.workspaces import InvitationForAnotherError, InvitationInvalidError
from cone.operations.actor import Actor
from cone.operations.invite_member import hash_token
from cone.operations.records import note


@transaction.atomic
def accept_invitation(user: User, token: str) -> Membership:
    """Make the person a member with the role offered. The link is good once, for the invited address only.

    Raises: InvitationInvalidError, InvitationForAnotherError.
    """
    invitation = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("workspace")
        .filter(token_sha256=hash_token(token), accepted_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if invitation is None:
        raise InvitationInvalidError
    if user.email.lower() != invitation.email:
        raise InvitationForAnotherError(
            f"This invitation is for {invitation.email}; sign in with that address to accept it."
        )
    membership, is_new = Membership.objects.get_or_create(
        workspace=invitation.workspace, user=user, defaults={"role": invitation.role}
    )
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    if is_new:
        actor = Actor(workspace=invitation.workspace, user=user, role=Role(membership.role))
        note(actor, "workspace", invitation.workspace.uuid, "joined", role=membership.role)
    return membership
