"""Make or change a service. The accounting software gets an item for it when an invoice first needs one."""

from uuid import UUID

from django.db import transaction

from cone.accounting.manage import list_accounts
from cone.accounting.outbox import find_active_connection
from cone.books.models import Connection, Service, ServiceAccount, TaxRate
from cone.domain.errors import InvalidFieldError
from cone.domain.permissions import Permission
from cone.domain.services import ServiceInput, check_service
from cone.operations.actor import Actor
from cone.operations.items import resend_item
from cone.operations.records import change, check_unchanged, find_referred, get_locked, note, refusing_duplicates
from cone.operations.sync_settings import move_settings

_TAKEN = "Another service has this name; choose a different one."


@transaction.atomic
def save_service(
    actor: Actor,
    typed: ServiceInput,
    *,
    uuid: UUID | None = None,
    expected_revision: int | None = None,
    income_account_id: str | None = None,
) -> Service:
    """Make a service, or change the one with that uuid; saving it unchanged does nothing.

    `income_account_id` is its own income account in the connected company: empty for the usual one, None to leave it.
    An item that we made there follows the change.
    `expected_revision` is the revision the form was filled from.
    Raises: NotAllowedError, InvalidFieldError, RecordNotFoundError, RecordChangedMeanwhileError.
    """
    actor.check_may(Permission.SETTINGS)
    checked = check_service(typed)
    # Before the service, as everybody locks them.
    active = _find_connection(actor, is_to_move=income_account_id is not None)
    service = Service(workspace=actor.workspace) if uuid is None else get_locked(Service, actor, uuid)
    values = {
        "name": checked.name,
        "description": checked.description,
        "unit_price": checked.unit_price,
        "tax_rate_id": _find_rate_id(actor, checked.tax_rate, service.tax_rate_id),
    }
    changed = change(service, values)
    moves = active is not None and income_account_id is not None and _is_other(active, service, income_account_id)
    if uuid is not None:
        if not changed and not moves:
            return service
        check_unchanged(service, expected_revision)
        service.revision += 1
    _check_name_is_free(service)
    with refusing_duplicates("service_name_once", "name", _TAKEN):
        service.save()
    note(actor, "service", service.uuid, "created" if uuid is None else "edited", name=service.name)
    if active is not None:
        if moves:
            _save_account(active, service, income_account_id or "")
            # What a lane has planned already may leave no more: its lines would post to the former account.
            move_settings(active)
        resend_item(active, service)
    return service


def _find_connection(actor: Actor, *, is_to_move: bool) -> Connection | None:
    if not is_to_move:
        return find_active_connection(actor.workspace.pk)
    locked = Connection.objects.select_for_update(no_key=True).filter(workspace=actor.workspace)
    return locked.exclude(state="disconnected").first()


def _is_other(active: Connection, service: Service, account_id: str) -> bool:
    present = ServiceAccount.objects.filter(connection=active, service__uuid=service.uuid).first()
    return account_id != (present.remote_id if present else "")


def _save_account(active: Connection, service: Service, account_id: str) -> None:
    ServiceAccount.objects.filter(connection=active, service=service).delete()
    if not account_id:
        return
    offered = {account.remote_id: account for account in list_accounts(active) if account.is_income}
    chosen = offered.get(account_id)
    if chosen is None or not chosen.is_active:
        raise InvalidFieldError("income_account", "Choose one of the active income accounts.")
    ServiceAccount.objects.create(
        connection=active, service=service, remote_id=account_id, remote_name=chosen.full_name
    )


def _find_rate_id(actor: Actor, rate_uuid: UUID | None, present_id: int | None) -> int | None:
    if rate_uuid is None:
        return None
    rate = find_referred(TaxRate, actor, [rate_uuid]).get(rate_uuid)
    if rate is None or (rate.archived_at is not None and rate.pk != present_id):
        raise InvalidFieldError("tax_rate", "Choose a tax rate from the list.")
    return rate.pk


def _check_name_is_free(service: Service) -> None:
    # The database's own constraint minds case; QuickBooks' item names don't.
    others = Service.objects.filter(workspace=service.workspace_id, archived_at=None, name__iexact=service.name)
    if service.archived_at is None and others.exclude(pk=service.pk).exists():
        raise InvalidFieldError("name", _TAKEN)
