"""Choose what becomes in the accounting software of what is voided here after it was sent."""

from typing import get_args

from django.db import transaction

from cone.accounting.records import RemovalPolicy
from cone.accounting.release import release_where_voided
from cone.domain.errors import InvalidFieldError
from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.seen import is_change
from cone.operations.sync_settings import get_locked_connection, move_settings


@transaction.atomic
def save_removal_policy(actor: Actor, policy: str, *, seen: str | None = None) -> None:
    """Leave it and tell a person, void it there, or delete it there; what already waits for a person follows.

    `seen` is what was saved when the choice was shown.
    Raises: NotAllowedError, NotConnectedError, InvalidFieldError, SettingsChangedMeanwhileError.
    """
    if policy not in get_args(RemovalPolicy):
        raise InvalidFieldError("removal_policy", "Choose what to do.")
    active = get_locked_connection(actor)
    if not is_change(policy, saved=active.removal_policy, seen=seen):
        return
    active.removal_policy = policy
    active.save(update_fields=["removal_policy"])
    move_settings(active)
    release_where_voided(active)
    note(actor, "connection", active.uuid, "removal_policy_chosen", policy=policy)
