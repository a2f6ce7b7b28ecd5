""" "Sync now": for one record, for one cause, for everything that needs attention; and for what merely waits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from cone.accounting.allowance import lift_hold
from cone.accounting.facts import as_kind
from cone.accounting.outbox import enqueue, find_active_connection, wake
from cone.accounting.port.documents import Kind
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.registry import explain_mismatch
from cone.accounting.release import release_all, release_causes, release_record
from cone.accounting.sql.standing import AWAITED
from cone.books.models import Connection, Customer, Invoice, Link, OutboxRow, Payment, Service
from cone.domain.errors import RecordNotFoundError, RefusalError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.refresh_reference import RefreshFailedError, SignInNeededError, refresh_reference
from cone.operations.sync_settings import get_locked_connection, move_settings


class SyncPausedError(RefusalError):
    """The sync is paused: nothing is sent until you resume it under Settings › Integrations."""

    code = "sync_paused"


class NotSendableError(RefusalError):
    """Drafts stay in Cone until they're issued."""

    code = "not_sendable"


# Known beforehand from facts and lists that were read of the company: a person who mended them there says so by asking
# again, so they're read again first.
_KNOWN_FROM_READING = (
    CauseCode.PERIOD_CLOSED,
    CauseCode.REMOVAL_PERIOD_CLOSED,
    CauseCode.CURRENCY_UNSUPPORTED,
    CauseCode.TAX_CODE_INACTIVE,
    CauseCode.TAX_PERCENT_DIFFERS,
    CauseCode.ACCOUNT_INACTIVE,
    CauseCode.REFERENCE_MISSING,
)

_BLOCKED = f"""
with recursive {AWAITED}
select company_id, kind, record_uuid, cause_key, step > 0 as is_awaited from awaited where state = 'blocked'
"""  # noqa: S608  # made of constants


@dataclass(frozen=True, slots=True)
class _Blocked:
    """A record that needs attention: the one asked for, or the one that it waits for in the end."""

    company_id: int
    kind: str
    uuid: UUID
    cause_key: str
    is_awaited: bool


def sync_record(actor: Actor, kind: Kind, uuid: UUID) -> None:
    """Send one record as it is now, whatever its date; one that's already there and equal is left alone.

    One whose outcome is uncertain is looked for again; sending it again is a person's answer (`resolve_uncertain`).
    What it waits for goes, too: where that needs attention, its card is shown with this record.

    Raises: NotAllowedError, NotConnectedError, SyncPausedError, RecordNotFoundError, NotSendableError,
    RefreshFailedError, SignInNeededError.
    """
    blocked = _list_blocked(actor, kind, uuid)
    _read_again_for(actor, [one.cause_key for one in blocked])
    with transaction.atomic():
        active = _get_running(actor)
        revision = _revision_of(actor, kind, uuid)
        # Before the record is asked for: it waits for nothing then.
        for one in blocked:
            if one.is_awaited and one.company_id == active.company_id:
                release_record(active, as_kind(one.kind), one.uuid)
        if kind == "invoice":
            _enqueue_payments_of(actor, active, uuid)
        if not _is_void(actor, kind, uuid):
            _look_again(active, kind, uuid)
        enqueue(workspace_id=actor.workspace.pk, kind=kind, record_uuid=uuid, revision=revision, is_in_scope=True)
        release_record(active, kind, uuid)


def _list_blocked(actor: Actor, kind: Kind, uuid: UUID) -> list[_Blocked]:
    """What of a record, or of what it waits for in the end, needs attention."""
    active = find_active_connection(actor.workspace.pk)
    if active is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_BLOCKED, {"company": active.company_id, "kind": kind, "uuids": [uuid]})
        return [_Blocked(*row) for row in cursor.fetchall()]


def sync_cause(actor: Actor, cause_key: str) -> int:
    """Send again what waits for one cause; how many records. Raises: as `sync_record`."""
    _read_again_for(actor, [cause_key])
    with transaction.atomic():
        active = _get_running(actor)
        move_settings(active)
        return release_causes(active, [cause_key])


def sync_all(actor: Actor) -> int:
    """Send again everything that needs attention; how many records. Raises: as `sync_record`."""
    blocked = OutboxRow.objects.filter(company__workspace=actor.workspace, state="blocked")
    _read_again_for(actor, blocked.values_list("cause_key", flat=True).distinct())
    with transaction.atomic():
        active = _get_running(actor)
        move_settings(active)
        return release_all(active)


@transaction.atomic
def try_writing_again(actor: Actor) -> None:
    """Let go what waits for a company that couldn't be written to; what needs attention stays as it is.

    The next send finds out whether it's solved. Raises: as `sync_record`.
    """
    wake(_get_writing(actor).pk)


def _read_again_for(actor: Actor, cause_keys: Iterable[str | None]) -> None:
    codes = {(key or "").partition(":")[0] for key in cause_keys}
    if codes.intersection(_KNOWN_FROM_READING):
        with transaction.atomic():
            _get_running(actor)
        refresh_reference(actor, permission=Permission.INVOICING)


def _get_running(actor: Actor) -> Connection:
    active = _get_writing(actor)
    lift_hold(active)
    return active


def _get_writing(actor: Actor) -> Connection:
    active = get_locked_connection(actor, permission=Permission.INVOICING)
    if active.state == "needs_reconnect":
        raise SignInNeededError
    if active.paused_at is not None:
        raise SyncPausedError
    if active.state == "read_only":
        if reason := explain_mismatch(active.provider, active.environment):
            raise RefreshFailedError(reason)
        # A person says it's solved: the next send finds out.
        active.state, active.state_reason, active.not_before = "connected", "", Now()
        active.save(update_fields=["state", "state_reason", "not_before"])
    return active


def _look_again(active: Connection, kind: Kind, uuid: UUID) -> None:
    """What was taken back there is read again: a person may have restored it."""
    Link.objects.filter(
        company_id=active.company_id, kind=kind, record_uuid=uuid, standing__in=["void", "deleted", "removed"]
    ).update(standing="unsure")


def _is_void(actor: Actor, kind: Kind, uuid: UUID) -> bool:
    """Whether it isn't wanted there: that it was taken back there is as it should be."""
    if kind == "payment":
        return Payment.objects.filter(workspace=actor.workspace, uuid=uuid, voided_at__isnull=False).exists()
    return kind == "invoice" and Invoice.objects.filter(workspace=actor.workspace, uuid=uuid, status="void").exists()


def _enqueue_payments_of(actor: Actor, active: Connection, invoice_uuid: UUID) -> None:
    """The payments of an invoice that goes for the first time go with it.

    Not of one that's there: what was paid meanwhile may have been recorded there by hand.
    """
    if Link.objects.filter(company_id=active.company_id, kind="invoice", record_uuid=invoice_uuid).exists():
        return
    payments = Payment.objects.filter(
        workspace=actor.workspace, allocations__invoice__uuid=invoice_uuid, voided_at__isnull=True
    )
    for payment in payments.order_by("id"):
        enqueue(
            workspace_id=actor.workspace.pk,
            kind="payment",
            record_uuid=payment.uuid,
            revision=payment.revision,
            is_in_scope=True,
        )


_MODELS: Mapping[Kind, type[Customer | Service | Invoice | Payment]] = {
    "customer": Customer,
    "service": Service,
    "invoice": Invoice,
    "payment": Payment,
}


def _revision_of(actor: Actor, kind: Kind, uuid: UUID) -> int:
    record = _MODELS[kind]._default_manager.filter(workspace=actor.workspace, uuid=uuid).first()
    if record is None:
        raise RecordNotFoundError
    if isinstance(record, Invoice) and record.status == "draft":
        raise NotSendableError
    return record.revision
