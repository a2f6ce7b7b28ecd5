"""Read the company's facts, accounts and tax codes again, on a person's request."""

from django.db import transaction
from django.db.models.functions import Now

from cone.accounting import network
from cone.accounting.allowance import lift_hold, note_reads_used_up
from cone.accounting.connections import NotConnectedError
from cone.accounting.outbox import find_active_connection
from cone.accounting.port.verdicts import VERDICTS, MisconfiguredError, ReconnectError, TryLaterError
from cone.accounting.reference import store_books
from cone.accounting.registry import explain_mismatch, get_provider
from cone.accounting.release import release_all
from cone.books.models import Connection
from cone.domain.errors import RefusalError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.sync_settings import get_locked_connection


class RefreshFailedError(RefusalError):
    """The accounting software couldn't be reached; what was read before is still shown. Try again in a minute."""

    code = "refresh_failed"


class SignInNeededError(RefusalError):
    """The accounting software asks you to sign in again: use Reconnect. All settings are kept."""

    code = "sign_in_needed"


def refresh_reference(actor: Actor, *, permission: Permission = Permission.INTEGRATIONS) -> None:
    """Refresh what Manage chooses from, and plan anew what was blocked under the old lists and facts.

    A connection that was read-only is tried again: whether it may write is found at the next send. It changes no
    setting, so "Sync now" may ask for it with its own permission.
    Raises: NotAllowedError, NotConnectedError, RefreshFailedError, SignInNeededError.
    """
    actor.check_may(permission)
    active = find_active_connection(actor.workspace.pk)
    if active is None:
        raise NotConnectedError
    if reason := explain_mismatch(active.provider, active.environment):
        raise RefreshFailedError(reason)
    try:
        facts, reference = network.read_books_again(get_provider(active.provider), active)
    except ReconnectError as verdict:
        Connection.objects.filter(pk=active.pk, state__in=["connected", "read_only"]).update(
            state="needs_reconnect", state_reason=str(verdict)[:500]
        )
        raise SignInNeededError from verdict
    except MisconfiguredError as verdict:
        raise RefreshFailedError(f"The accounting software refused: {verdict}") from verdict
    except TryLaterError as verdict:
        if not verdict.allowance:
            raise RefreshFailedError from verdict
        note_reads_used_up(active)
        raise RefreshFailedError(
            "The monthly allowance of reads is used up, so the lists can't be read again this month."
        ) from verdict
    except VERDICTS as verdict:
        raise RefreshFailedError from verdict
    with transaction.atomic():
        active = get_locked_connection(actor, permission=permission)
        if active.state == "read_only":
            active.state, active.state_reason, active.not_before = "connected", "", Now()
            active.save(update_fields=["state", "state_reason", "not_before"])
        # What was just read was answered.
        lift_hold(active)
        store_books(active, facts, reference)
        release_all(active)
