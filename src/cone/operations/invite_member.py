"""Offer someone a place in the team, by a secret link."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from cone.books.models import Invitation, Membership, Workspace
from cone.domain.permissions import Permission, Role
from cone.domain.text import check_email
from cone.domain.workspaces import AlreadyMemberError
from cone.operations.actor import Actor
from cone.operations.records import note

GOOD_FOR = timedelta(days=7)


@transaction.atomic
def invite_member(actor: Actor, *, email: str, role: Role) -> tuple[Invitation, str]:
    """Make an invitation, good for seven days, and the token of its link, of which only the hash is kept.

    Inviting the same address again withdraws the earlier link.
    Raises: NotAllowedError, InvalidFieldError, AlreadyMemberError.
    """
    actor.check_may(Permission.TEAM)
    address = check_email("email", email, is_required=True).lower()
    # Two owners inviting one address at once take turns.
    Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace.pk)
    if Membership.objects.filter(workspace=actor.workspace, user__email__iexact=address).exists():
        raise AlreadyMemberError
    Invitation.objects.filter(workspace=actor.workspace, email=address, accepted_at=None).delete()
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        workspace=actor.workspace,
        email=address,
        role=Role(role).value,
        token_sha256=hash_token(token),
        invited_by=actor.user,
        expires_at=timezone.now() + GOOD_FOR,
    )
    note(actor, "workspace", actor.workspace.uuid, "invited", email=address, role=invitation.role)
    return invitation, token


def hash_token(token: str) -> str:
    """Return what is kept of an invitation's token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
