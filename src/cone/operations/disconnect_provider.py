"""Disconnect the accounting software: stop the lane, wait for answers in flight, revoke, remove the settings.

What record is which in that company is history, not a setting: links, attempts and what still waits are kept, so that
connecting the same company again can't duplicate anything. The disconnect stands even when revoking fails; then the
revocation is retried until it's answered.
"""

import time
from datetime import timedelta

from django.db import connection, transaction
from django.db.models.functions import Now

from cone.accounting import network
from cone.accounting.conclusions import Conclusion
from cone.accounting.keyring import KeyMissingError, unseal
from cone.accounting.port.verdicts import VERDICTS
from cone.accounting.registry import explain_mismatch, get_provider
from cone.books.models import (
    Activity,
    Attempt,
    Connection,
    ConnectionTokens,
    OutboxRow,
    ReferenceRecord,
    Revocation,
    ServiceAccount,
    TaxMapping,
)
from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.sync_settings import get_locked_connection

_WAIT_FOR_ANSWERS = timedelta(seconds=30)
_LOOK_EVERY = timedelta(milliseconds=100)


def disconnect_provider(actor: Actor) -> None:
    """End the workspace's connection; takes as long as requests in flight do, at most 30 seconds.

    Asking again while it's being disconnected finishes what an interrupted request left.
    Raises: NotAllowedError, NotConnectedError.
    """
    with transaction.atomic():
        active = get_locked_connection(actor, may_be_ending=True)
        active.state = "disconnecting"
        active.save(update_fields=["state"])
    _wait_for_answers(active)
    with transaction.atomic():
        active = Connection.objects.select_for_update().get(pk=active.pk)
        if active.state == "disconnected":
            return
        pending = _remove_settings(active)
        name = get_provider(active.provider).name
        note(actor, "connection", active.uuid, "disconnected", provider=name, company=active.company_name)
    if pending is not None and not explain_mismatch(active.provider, active.environment):
        _revoke_now(active, pending)


def finish_disconnects() -> None:
    """Finish what a process left that died while it disconnected: the worker's part, since nobody may ask again.

    One that still waits for answers in flight is left alone. Whoever finishes first does it; the other finds it done.
    """
    try:
        for connection_id in Connection.objects.filter(state="disconnecting").values_list("pk", flat=True):
            with transaction.atomic():
                active = Connection.objects.select_for_update().get(pk=connection_id)
                if active.state == "disconnecting" and not (_is_in_flight(active) and _may_be_answered(active)):
                    # The worker revokes what this leaves, as after any revocation that failed.
                    _remove_settings(active)
                    # Who asked for it isn't known any more.
                    Activity.objects.create(
                        workspace=active.workspace,
                        kind="connection",
                        record_uuid=active.uuid,
                        verb="disconnected",
                        detail={"provider": get_provider(active.provider).name, "company": active.company_name},
                    )
    finally:
        # Called in a thread that won't come back.
        connection.close()


def _wait_for_answers(active: Connection) -> None:
    left = _WAIT_FOR_ANSWERS
    while left > timedelta() and _is_in_flight(active) and _may_be_answered(active):
        time.sleep(_LOOK_EVERY.total_seconds())
        left -= _LOOK_EVERY


def _is_in_flight(active: Connection) -> bool:
    return OutboxRow.objects.filter(company_id=active.company_id, state="sending").exists()


def _may_be_answered(active: Connection) -> bool:
    """Whether an attempt was sent so recently that its answer may still come."""
    recent = Now() - _WAIT_FOR_ANSWERS
    return Attempt.objects.filter(
        company_id=active.company_id, state="unknown", verdict=Conclusion.ON_ITS_WAY.value, last_sent_at__gt=recent
    ).exists()


def _remove_settings(active: Connection) -> Revocation | None:
    """Remove tokens and settings, end the lane's epoch, and leave the token to revoke."""
    tokens = ConnectionTokens.objects.select_for_update().filter(connection=active).first()
    pending = None
    if tokens is not None:
        pending = Revocation.objects.create(
            provider=active.provider,
            environment=active.environment,
            company_id_remote=active.company_id_remote,
            token=bytes(tokens.refresh_token),
            # Ours to try first; the worker takes it up when this process dies before it has.
            not_before=Now() + timedelta(minutes=1),
        )
        tokens.delete()
    TaxMapping.objects.filter(connection=active).delete()
    ServiceAccount.objects.filter(connection=active).delete()
    ReferenceRecord.objects.filter(connection=active).delete()
    OutboxRow.objects.filter(company_id=active.company_id, state="sending").update(state="due")
    active.state, active.state_reason = "disconnected", ""
    active.disconnected_at = Now()
    active.deposit_account_id = active.income_account_id = ""
    active.name_policy, active.number_mode, active.item_mode, active.tax_source = "ask", "cone", "each", "theirs"
    active.removal_policy = "leave"
    active.send_from_date = active.paused_at = None
    active.lane_epoch += 1
    active.save()
    return pending


def _revoke_now(active: Connection, pending: Revocation) -> None:
    try:
        network.revoke(get_provider(active.provider), unseal(bytes(pending.token)))
    except VERDICTS:
        Revocation.objects.filter(pk=pending.pk).update(tries=1, not_before=Now() + timedelta(seconds=10))
    except KeyMissingError:
        # Encrypted with a key that is gone: nobody can revoke it, and nobody can use it.
        pending.delete()
    else:
        pending.delete()
