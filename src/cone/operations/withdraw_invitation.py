"""Take back an invitation that isn't accepted yet."""

from django.db import transaction

from cone.books.models import Invitation
from cone.domain.errors import RecordNotFoundError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import note


@transaction.atomic
def withdraw_invitation(actor: Actor, invitation_id: int) -> None:
    """Withdraw an open invitation of the actor's workspace; its link no longer works.

    Raises: NotAllowedError, RecordNotFoundError.
    """
    actor.check_may(Permission.TEAM)
    invitation = (
        Invitation.objects.select_for_update()
        .filter(workspace=actor.workspace, pk=invitation_id, accepted_at=None)
        .first()
    )
    if invitation is None:
        raise RecordNotFoundError
    note(actor, "workspace", actor.workspace.uuid, "invitation_withdrawn", email=invitation.email)
    invitation.delete()
