"""Keeps what was read of the company: facts on the connection, its lists in rows of their own."""

from django.db.models.functions import Now

from cone.accounting.facts import facts_to_json, reference_to_json
from cone.accounting.port.company import CompanyFacts, Reference
from cone.accounting.records import GENERAL_SERVICE_NAME
from cone.books.models import Connection, ReferenceRecord, Service

# A query of them all is to stay a short one.
_MOST_ITEM_NAMES = 99


def list_item_names(workspace_id: int) -> list[str]:
    """The names that items of this firm's may be wanted under: the general one's first, then those made last."""
    services = Service.objects.filter(workspace_id=workspace_id, archived_at=None).order_by("-id")
    return [GENERAL_SERVICE_NAME, *services.values_list("name", flat=True)[:_MOST_ITEM_NAMES]]


def store_books(active: Connection, facts: CompanyFacts, reference: Reference) -> None:
    """Replace the cached lists and facts; call it in a transaction that holds the connection's row.

    Pre-selects the income account from the company's own chart where none is chosen, so that a new user needs to
    choose nothing. Moves `settings_revision`: what was blocked under the old lists is planned again.
    """
    ReferenceRecord.objects.filter(connection=active).delete()
    ReferenceRecord.objects.bulk_create(_rows_of(active, reference))
    active.facts = facts_to_json(facts)
    active.company_name = facts.name
    active.missing_items = list(reference.missing_items)
    active.facts_read_at = Now()
    active.settings_revision += 1
    if not active.income_account_id and reference.suggested_income_account_id:
        active.income_account_id = reference.suggested_income_account_id
    active.save(
        update_fields=[
            "facts",
            "company_name",
            "missing_items",
            "facts_read_at",
            "settings_revision",
            "income_account_id",
        ]
    )


def _rows_of(active: Connection, reference: Reference) -> list[ReferenceRecord]:
    rows = [
        ReferenceRecord(
            connection=active,
            kind="account",
            remote_id=account.remote_id,
            name=account.full_name,
            is_active=account.is_active,
            detail=reference_to_json(account),
        )
        for account in reference.accounts
    ]
    rows += [
        ReferenceRecord(
            connection=active,
            kind="tax_code",
            remote_id=code.remote_id,
            name=code.name,
            is_active=code.is_active,
            detail=reference_to_json(code),
        )
        for code in reference.tax_codes
    ]
    rows += [
        ReferenceRecord(
            connection=active,
            kind="payment_method",
            remote_id=method.remote_id,
            name=method.name,
            is_active=method.is_active,
        )
        for method in reference.payment_methods
    ]
    rows += [
        ReferenceRecord(connection=active, kind="item", remote_id=item.remote_id, name=item.name, is_active=False)
        for item in reference.inactive_items
    ]
    return rows
