"""Makes a record once for each form, however often the form is sent.

A lost answer, the way back in a browser or a second press sends the same form again. Whoever sees the form a second
time gets what the first one made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cone.books.models import SentForm
from cone.books.models.record import WorkspaceRecord
from cone.operations.actor import Actor

# Longer than anybody leaves a form open and then goes back to it.
_KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Made:
    """What a form made; `is_again`: it had made it before, and nothing was done now."""

    uuid: UUID
    is_again: bool = False


@transaction.atomic
def make_once(actor: Actor, token: UUID | None, make: Callable[[], WorkspaceRecord]) -> Made:
    """Make a record, unless a form with this token has made one; what `make` refuses leaves the token unused.

    Two at once come one after the other. None: a form without a token, which makes a record each time.
    """
    if token is None:
        return Made(make().uuid)
    sent, is_new = SentForm.objects.get_or_create(workspace=actor.workspace, token=token)
    if not is_new and sent.record_uuid is not None:
        return Made(sent.record_uuid, is_again=True)
    sent.record_uuid = make().uuid
    sent.save(update_fields=["record_uuid"])
    SentForm.objects.filter(workspace=actor.workspace, sent_at__lt=timezone.now() - _KEPT_FOR).delete()
    return Made(sent.record_uuid)
