"""The people of a firm, the invitations that are open, and the firms of a person."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cone.books.models import Invitation, Membership, User, Workspace
from cone.domain.permissions import Role


@dataclass(frozen=True, slots=True)
class Member:
    """A person in the team; `member_id` is what the operations want."""

    member_id: int
    user_id: int
    name: str
    email: str
    role: Role
    joined_at: datetime
    is_only_owner: bool


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation that isn't accepted yet. Its link isn't kept; inviting again makes a new one."""

    invitation_id: int
    email: str
    role: Role
    workspace_name: str
    invited_by: str
    expires_at: datetime
    is_expired: bool


@dataclass(frozen=True, slots=True)
class Team:
    """Members, owners first, and open invitations."""

    members: tuple[Member, ...]
    invitations: tuple[OpenInvitation, ...]


@dataclass(frozen=True, slots=True)
class WorkspaceChoice:
    """A firm that a person belongs to."""

    uuid: UUID
    name: str
    role: Role


_ORDER = {Role.OWNER: 0, Role.BILLER: 1, Role.BOOKKEEPER: 2}


def list_team(workspace: Workspace, *, now: datetime) -> Team:
    """Return the team of a workspace, in two queries."""
    memberships = list(Membership.objects.filter(workspace=workspace).select_related("user").order_by("joined_at"))
    owners = sum(membership.role == Role.OWNER for membership in memberships)
    members = [
        Member(
            member_id=membership.pk,
            user_id=membership.user_id,
            name=membership.user.name,
            email=membership.user.email,
            role=Role(membership.role),
            joined_at=membership.joined_at,
            is_only_owner=membership.role == Role.OWNER and owners == 1,
        )
        for membership in memberships
    ]
    invitations = Invitation.objects.filter(workspace=workspace, accepted_at=None).select_related(
        "invited_by", "workspace"
    )
    return Team(
        members=tuple(sorted(members, key=lambda member: _ORDER[member.role])),
        invitations=tuple(_read_invitation(invitation, now) for invitation in invitations.order_by("-created_at")),
    )


def find_invitation(token: str, *, now: datetime) -> OpenInvitation | None:
    """Return the invitation that a link's token opens; None when it's used, withdrawn or expired."""
    hashed = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
    found = Invitation.objects.filter(token_sha256=hashed, accepted_at=None, expires_at__gt=now)
    invitation = found.select_related("invited_by", "workspace").first()
    return None if invitation is None else _read_invitation(invitation, now)


def list_workspaces(user: User) -> tuple[WorkspaceChoice, ...]:
    """Return the firms of a person, in the order they joined."""
    memberships = Membership.objects.filter(user=user).select_related("workspace").order_by("joined_at", "id")
    return tuple(
        WorkspaceChoice(membership.workspace.uuid, membership.workspace.name, Role(membership.role))
        for membership in memberships
    )


def _read_invitation(invitation: Invitation, now: datetime) -> OpenInvitation:
    return OpenInvitation(
        invitation_id=invitation.pk,
        email=invitation.email,
        role=Role(invitation.role),
        workspace_name=invitation.workspace.name,
        invited_by=str(invitation.invited_by),
        expires_at=invitation.expires_at,
        is_expired=invitation.expires_at <= now,
    )
