"""Change a firm's settings."""

from dataclasses import asdict, replace

from django.db import transaction

from cone.books.models import Workspace
from cone.domain.permissions import Permission
from cone.domain.workspaces import WorkspaceInput, check_workspace
from cone.operations.actor import Actor
from cone.operations.codes import check_country
from cone.operations.records import change, check_unchanged, note


@transaction.atomic
def save_workspace(actor: Actor, typed: WorkspaceInput, *, expected_revision: int | None = None) -> Workspace:
    """Change the firm's particulars and defaults; invoices made earlier keep their numbers and dates.

    `expected_revision` is the revision the form was filled from.
    Raises: NotAllowedError, InvalidFieldError, RecordChangedMeanwhileError.
    """
    actor.check_may(Permission.SETTINGS)
    checked = replace(check_workspace(typed), country=check_country("country", typed.country, is_required=True))
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace.pk)
    changed = change(workspace, {**asdict(checked), "amounts_are": checked.amounts_are.value})
    if changed:
        check_unchanged(workspace, expected_revision)
        workspace.revision += 1
        workspace.save(update_fields=[*changed, "revision"])
        note(actor, "workspace", workspace.uuid, "edited", fields=", ".join(changed))
    return workspace
