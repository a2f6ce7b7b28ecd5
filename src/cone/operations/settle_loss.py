"""Decide for a customer that was merged, deleted or made inactive there: look for another one, or make it anew.

Saying that it is one of those found is `settle_name.link_customer`.
"""

from uuid import UUID

from django.db import transaction

from cone.accounting.port.verdicts import CauseCode
from cone.accounting.release import release_record
from cone.books.models import Connection, Customer, Link, OutboxRow
from cone.domain.errors import InvalidFieldError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import get_locked, note
from cone.operations.settle_name import NotAskedError
from cone.operations.sync_settings import get_locked_connection

_LONGEST_NAME = 500


@transaction.atomic
def look_for_customer(actor: Actor, uuid: UUID, name: str) -> None:
    """Look for the customer by its e-mail address, or as its name begins there; what's found is offered with its cause.

    Raises: NotAllowedError, NotConnectedError, RecordNotFoundError, NotAskedError, InvalidFieldError.
    """
    actor.check_may(Permission.INVOICING)
    get_locked(Customer, actor, uuid)
    active = get_locked_connection(actor, permission=Permission.INVOICING)
    wanted = name.strip()
    if not wanted or len(wanted) > _LONGEST_NAME:
        explanation = f"Type how its name begins there, or its e-mail address: at most {_LONGEST_NAME} characters."
        raise InvalidFieldError("name", explanation)
    link = _get_lost(active, uuid)
    link.answer = {**link.answer, "looked_for": wanted}
    link.save(update_fields=["answer"])
    release_record(active, "customer", uuid)


@transaction.atomic
def make_customer_anew(actor: Actor, uuid: UUID) -> None:
    """Forget which one it was there and make it again; what waits for it follows, what stands there stays.

    Raises: NotAllowedError, NotConnectedError, RecordNotFoundError, NotAskedError.
    """
    actor.check_may(Permission.INVOICING)
    get_locked(Customer, actor, uuid)
    active = get_locked_connection(actor, permission=Permission.INVOICING)
    _get_lost(active, uuid).delete()
    release_record(active, "customer", uuid)
    note(actor, "customer", uuid, "made_anew")


def _get_lost(active: Connection, uuid: UUID) -> Link:
    rows = OutboxRow.objects.filter(company_id=active.company_id, kind="customer", record_uuid=uuid, state="blocked")
    link = Link.objects.filter(company_id=active.company_id, kind="customer", record_uuid=uuid).first()
    if link is None or not rows.filter(cause__code=CauseCode.CUSTOMER_LOST.value).exists():
        raise NotAskedError
    return link
