"""Change a firm's settings."""

from dataclasses import asdict, replace

from django.db import transaction

from cone.books.models import Workspace
from cone.domain.permissions import Permission
from cone.domain.workspaces import WorkspaceInput, check_workspace
from cone.operations.actor import Actor
from cone.operations.codes import check_country
from cone.operations.records import change, note


@transaction.atomic
def save_workspace(actor: Actor, typed: WorkspaceInput) -> Workspace:
    """Change the firm's particulars and defaults; invoices made earlier keep their numbers and dates.

    Raises: NotAllowedError, InvalidFieldError.
    """
    actor.check_may(Permission.SETTINGS)
    checked = replace(check_workspace(typed), country=check_country("country", typed.country, is_required=True))
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace.pk)
    changed = change(workspace, {**asdict(checked), "amounts_are": checked.amounts_are.value})
    if changed:
        workspace.save(update_fields=changed)
        note(actor, "workspace", workspace.uuid, "edited", fields=", ".join(changed))
    return workspace
