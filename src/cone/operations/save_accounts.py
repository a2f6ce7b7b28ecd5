"""Save the default account (Bank) and the income account; invoices that waited for them go by themselves."""

from collections.abc import Iterable

from django.db import transaction

from cone.accounting.facts import facts_from_json
from cone.accounting.manage import can_be_default, list_accounts
from cone.accounting.port.company import Account
from cone.accounting.release import release_causes
from cone.domain.errors import InvalidFieldError
from cone.operations.actor import Actor
from cone.operations.items import resend_items
from cone.operations.records import note
from cone.operations.seen import is_change
from cone.operations.sync_settings import get_locked_connection


@transaction.atomic
def save_accounts(
    actor: Actor, *, deposit_account_id: str, income_account_id: str, seen: tuple[str, str] | None = None
) -> None:
    """Choose the accounts of later sends. Items that we made move to another income account; found ones stay.

    `seen` is what was saved when the two were shown.
    Raises: NotAllowedError, NotConnectedError, InvalidFieldError (empty, or not an active account of the right type),
    SettingsChangedMeanwhileError.
    """
    active = get_locked_connection(actor)
    accounts = list_accounts(active)
    deposit = _find(accounts, deposit_account_id)
    if deposit is None or not can_be_default(deposit, facts_from_json(active.facts)):
        raise InvalidFieldError("deposit_account", "Choose one of the active bank accounts.")
    income = _find(accounts, income_account_id)
    if income is None or not income.is_active or not income.is_income:
        raise InvalidFieldError("income_account", "Choose one of the active income accounts.")
    previous, former_income = active.deposit_account_id, active.income_account_id
    if not is_change((deposit_account_id, income_account_id), saved=(previous, former_income), seen=seen):
        return
    active.deposit_account_id, active.income_account_id = deposit_account_id, income_account_id
    active.settings_revision += 1
    active.save(update_fields=["deposit_account_id", "income_account_id", "settings_revision"])
    # Until the first choice the income account is merely a suggestion.
    if not previous or former_income != income_account_id:
        resend_items(active, is_first_choice=not previous)
    mended = ["default_account_missing", "income_account_missing"]
    mended += [f"account_inactive:{previous}", f"income_account_inactive:{former_income}"]
    release_causes(active, mended)
    note(actor, "connection", active.uuid, "accounts_chosen", deposit=deposit.full_name, income=income.full_name)


def _find(accounts: Iterable[Account], remote_id: str) -> Account | None:
    return next((account for account in accounts if account.remote_id == remote_id), None)
