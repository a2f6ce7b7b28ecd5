"""Who may do what, as a table."""

from collections.abc import Mapping
from enum import StrEnum, auto

from cone.domain.errors import NotAllowedError


class Role(StrEnum):
    """A member's place in a workspace."""

    OWNER = "owner"
    BILLER = "biller"
    BOOKKEEPER = "bookkeeper"


class Permission(StrEnum):
    """A group of acts that are allowed together."""

    READ = auto()
    INVOICING = auto()
    SETTINGS = auto()
    INTEGRATIONS = auto()
    TEAM = auto()


ALLOWED: Mapping[Permission, frozenset[Role]] = {
    Permission.READ: frozenset({Role.OWNER, Role.BILLER, Role.BOOKKEEPER}),
    Permission.INVOICING: frozenset({Role.OWNER, Role.BILLER}),
    Permission.SETTINGS: frozenset({Role.OWNER}),
    Permission.INTEGRATIONS: frozenset({Role.OWNER}),
    Permission.TEAM: frozenset({Role.OWNER}),
}


def may(role: Role, permission: Permission) -> bool:
    """Say whether a member of that role may do it."""
    return role in ALLOWED[permission]


def check_may(role: Role, permission: Permission) -> None:
    """Raises: NotAllowedError when the role doesn't have the permission."""
    if not may(role, permission):
        raise NotAllowedError
