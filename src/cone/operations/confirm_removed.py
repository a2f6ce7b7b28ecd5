"""Say that a record which was voided here has been removed there by hand."""

from uuid import UUID

from django.db import transaction

from cone.accounting.port.documents import Kind
from cone.books.models import Invoice, Link, OutboxRow
from cone.domain.errors import RecordNotFoundError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import note
from cone.operations.sync_settings import get_locked_connection


@transaction.atomic
def confirm_removed(actor: Actor, kind: Kind, uuid: UUID) -> None:
    """Take a voided invoice off the list of what needs attention; its link stays as history.

    Raises: NotAllowedError, NotConnectedError, RecordNotFoundError (also when it isn't a voided invoice, or doesn't
    need attention for that: one whose answer is still to come may yet turn up there).
    """
    active = get_locked_connection(actor, permission=Permission.INVOICING)
    invoice = Invoice.objects.filter(workspace=actor.workspace, uuid=uuid, status="void").first()
    if kind != "invoice" or invoice is None:
        raise RecordNotFoundError
    deleted, _ = OutboxRow.objects.filter(
        company_id=active.company_id, kind=kind, record_uuid=uuid, cause_key=f"voided_here:{uuid}"
    ).delete()
    if not deleted:
        raise RecordNotFoundError
    Link.objects.filter(company_id=active.company_id, kind=kind, record_uuid=uuid).update(
        synced_revision=invoice.revision
    )
    note(actor, "invoice", uuid, "removed_there")
