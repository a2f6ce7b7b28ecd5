"""Say that a record which was voided here has been removed there by hand."""

from uuid import UUID

from django.db import transaction

from cone.accounting.outbox import wake
from cone.accounting.port.documents import Kind
from cone.books.models import Invoice, Link, OutboxRow, Payment
from cone.domain.errors import RecordNotFoundError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.sync_settings import get_locked_connection


@transaction.atomic
def confirm_removed(actor: Actor, kind: Kind, uuid: UUID) -> None:
    """Take a voided invoice or payment off the list of what needs attention; its link stays and remembers it.

    Raises: NotAllowedError, NotConnectedError, RecordNotFoundError (also when it isn't void, or doesn't need attention
    for that: one whose answer is still to come may yet turn up there).
    """
    active = get_locked_connection(actor, permission=Permission.INVOICING)
    record = _find_void(actor, kind, uuid)
    if record is None:
        raise RecordNotFoundError
    deleted, _ = OutboxRow.objects.filter(
        company_id=active.company_id, kind=kind, record_uuid=uuid, cause_key=f"voided_here:{uuid}"
    ).delete()
    if not deleted:
        raise RecordNotFoundError
    Link.objects.filter(company_id=active.company_id, kind=kind, record_uuid=uuid).update(
        synced_revision=record.revision, standing="removed"
    )
    # What waited until it stood there no more.
    OutboxRow.objects.filter(company_id=active.company_id, waits_for_kind=kind, waits_for_uuid=uuid).update(
        waits_for_kind=None, waits_for_uuid=None
    )
    wake(active.pk)
    note(actor, kind, uuid, "removed_there")


def _find_void(actor: Actor, kind: Kind, uuid: UUID) -> Invoice | Payment | None:
    if kind == "payment":
        return Payment.objects.filter(workspace=actor.workspace, uuid=uuid, voided_at__isnull=False).first()
    if kind == "invoice":
        return Invoice.objects.filter(workspace=actor.workspace, uuid=uuid, status="void").first()
    return None
