"""Decide which one a customer is there: where its name is taken, or where the one it was is no more."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from cone.accounting.names import find_free_name, namesakes_from_params
from cone.accounting.port.documents import Namesake
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.release import release_record
from cone.books.models import Connection, Customer, Link, OutboxRow, RemoteName
from cone.domain.errors import RefusalError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import get_locked, note
from cone.operations.sync_settings import get_locked_connection


class NotLinkableError(RefusalError):
    """That one can't be linked: it's inactive, not a customer, in another currency, or another customer's already."""

    code = "not_linkable"


class NotAskedError(RefusalError):
    """That was decided meanwhile, or Cone is looking at it right now: its page says how it stands."""

    code = "not_asked"


@transaction.atomic
def link_customer(actor: Actor, uuid: UUID, remote_id: str) -> None:
    """Say that the customer is the one there; what stands here goes out as an update of it, under its name there.

    Raises: NotAllowedError, NotConnectedError, RecordNotFoundError, NotAskedError, NotLinkableError.
    """
    actor.check_may(Permission.INVOICING)
    customer = get_locked(Customer, actor, uuid)
    active = get_locked_connection(actor, permission=Permission.INVOICING)
    namesakes, is_lost = _find_namesakes(active, uuid, among=(CauseCode.NAME_TAKEN, CauseCode.CUSTOMER_LOST))
    chosen = next((entry for entry in namesakes if entry.remote_id == remote_id), None)
    links = Link.objects.filter(company_id=active.company_id, kind="customer")
    if is_lost:
        # Given up only together with the choice of another: a refusal takes it back.
        links.filter(record_uuid=uuid).delete()
    is_linked = links.filter(remote_id=remote_id).exists() or links.filter(record_uuid=uuid).exists()
    if chosen is None or is_linked or not can_link(chosen, currency=customer.currency):
        raise NotLinkableError
    Link.objects.create(
        company_id=active.company_id,
        kind="customer",
        record_uuid=uuid,
        remote_id=remote_id,
        remote_version=chosen.version,
        synced_revision=0,
        answer={"name": chosen.name, "currency": chosen.currency, "is_equal": True},
    )
    _keep_name(active, customer, chosen.name)
    release_record(active, "customer", uuid)
    note(actor, "customer", uuid, "linked", name=chosen.name)


@transaction.atomic
def suffix_name(actor: Actor, uuid: UUID) -> str:
    """Send the customer under the first suffixed name that nobody is known to have there; returns it.

    It's remembered, so that later updates keep it, until the customer is renamed here.
    Raises: NotAllowedError, NotConnectedError, RecordNotFoundError, NotAskedError.
    """
    actor.check_may(Permission.INVOICING)
    customer = get_locked(Customer, actor, uuid)
    active = get_locked_connection(actor, permission=Permission.INVOICING)
    known = list(_find_namesakes(active, uuid, among=(CauseCode.NAME_TAKEN,))[0])
    names = RemoteName.objects.filter(company_id=active.company_id, kind="customer").exclude(record_uuid=uuid)
    known += [Namesake("customer", "", "", name) for name in names.values_list("remote_name", flat=True)]
    name = find_free_name(customer.name, known)
    if not name:
        raise NotLinkableError("All suffixes up to (20) are taken there; change the name here instead.")
    _keep_name(active, customer, name)
    release_record(active, "customer", uuid)
    note(actor, "customer", uuid, "suffixed", name=name)
    return name


def can_link(namesake: Namesake, *, currency: str) -> bool:
    """Whether a person may say that it's the same; a currency is fixed for life there."""
    is_customer = namesake.entity == "customer" and namesake.is_active
    return is_customer and namesake.currency in ("", currency)


def _keep_name(active: Connection, customer: Customer, name: str) -> None:
    RemoteName.objects.update_or_create(
        company_id=active.company_id,
        kind="customer",
        record_uuid=customer.uuid,
        defaults={"own_name": customer.name, "remote_name": name},
    )


def _find_namesakes(
    active: Connection, uuid: UUID, *, among: Collection[CauseCode]
) -> tuple[tuple[Namesake, ...], bool]:
    """Who was found there for a customer that waits for one of these causes, and whether the one it was is lost."""
    row = OutboxRow.objects.filter(
        company_id=active.company_id, kind="customer", record_uuid=uuid, state="blocked"
    ).first()
    if row is None or row.cause is None or row.cause.get("code") not in among:
        raise NotAskedError
    return namesakes_from_params(row.cause.get("params") or {}), row.cause["code"] == CauseCode.CUSTOMER_LOST
