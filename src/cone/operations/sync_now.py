""" "Sync now": for one record, for one cause, for everything that needs attention."""

from uuid import UUID

from django.db import transaction

from cone.accounting.outbox import enqueue
from cone.accounting.port.documents import Kind
from cone.accounting.release import release_all, release_causes, release_record
from cone.books.models import Connection, Customer, Invoice, Link
from cone.domain.errors import RecordNotFoundError, RefusalError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.sync_settings import get_locked_connection, move_settings


class SyncPausedError(RefusalError):
    """The sync is paused: nothing is sent until you resume it under Settings › Integrations."""

    code = "sync_paused"


class NotSendableError(RefusalError):
    """Drafts stay in Cone until they're issued."""

    code = "not_sendable"


@transaction.atomic
def sync_record(actor: Actor, kind: Kind, uuid: UUID) -> None:
    """Send one record as it is now; a record that's already there and equal is left alone.

    Raises: NotAllowedError, NotConnectedError, SyncPausedError, RecordNotFoundError, NotSendableError.
    """
    active = _get_running(actor)
    revision = _revision_of(actor, kind, uuid)
    if kind == "invoice" and not Link.objects.filter(company_id=active.company_id, record_uuid=uuid).exists():
        _bring_into_scope(active, uuid)
    enqueue(workspace_id=actor.workspace.pk, kind=kind, record_uuid=uuid, revision=revision)
    release_record(active, kind, uuid)


def _bring_into_scope(active: Connection, uuid: UUID) -> None:
    """An invoice older than the connection is sent when a person asks for it by name."""
    invoice = Invoice.objects.get(uuid=uuid)
    is_older = invoice.issued_at is not None and invoice.issued_at < active.connected_at
    if is_older and (active.send_from_date is None or invoice.issue_date < active.send_from_date):
        raise NotSendableError(
            "This invoice is older than the connection. Send existing invoices from its date on under "
            "Settings › Integrations › Manage."
        )


@transaction.atomic
def sync_cause(actor: Actor, cause_key: str) -> int:
    """Send again what waits for one cause; how many records. Raises: as `sync_record`."""
    active = _get_running(actor)
    move_settings(active)
    return release_causes(active, [cause_key])


@transaction.atomic
def sync_all(actor: Actor) -> int:
    """Send again everything that needs attention; how many records. Raises: as `sync_record`."""
    active = _get_running(actor)
    move_settings(active)
    return release_all(active)


def _get_running(actor: Actor) -> Connection:
    active = get_locked_connection(actor, permission=Permission.INVOICING)
    if active.paused_at is not None:
        raise SyncPausedError
    return active


def _revision_of(actor: Actor, kind: Kind, uuid: UUID) -> int:
    if kind == "customer":
        customer = Customer.objects.filter(workspace=actor.workspace, uuid=uuid).first()
        if customer is None:
            raise RecordNotFoundError
        return customer.revision
    invoice = Invoice.objects.filter(workspace=actor.workspace, uuid=uuid).first()
    if kind != "invoice" or invoice is None:
        raise RecordNotFoundError
    if invoice.status == "draft":
        raise NotSendableError
    return invoice.revision
