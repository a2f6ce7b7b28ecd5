"""The Manage page's figures: which rate is which code, which accounts are used, and what they could be."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import Q

from cone.accounting.connections import NotConnectedError
from cone.accounting.facts import account_from_json, facts_from_json, tax_code_from_json
from cone.accounting.outbox import find_active_connection
from cone.accounting.overview import view_connection
from cone.accounting.port.company import Account, CompanyFacts, TaxCode
from cone.accounting.registry import get_provider
from cone.accounting.suggestions import suggest_tax_code, warn_about
from cone.accounting.values import ManageView, TaxMappingRow
from cone.books.models import Connection, OutboxRow, ReferenceRecord, ServiceAccount, TaxMapping, TaxRate

_USES = """
select t.tax_rate_id, count(*) filter (where l.id is not null), count(*) filter (where o.id is not null)
from books_invoicetax t
join books_invoice i on i.id = t.invoice_id
left join books_link l on l.company_id = %(company)s and l.kind = 'invoice' and l.record_uuid = i.uuid
left join books_outboxrow o on o.company_id = %(company)s and o.kind = 'invoice' and o.record_uuid = i.uuid
where i.workspace_id = %(workspace)s and i.status = 'issued'
group by t.tax_rate_id
"""


def list_accounts(active: Connection) -> tuple[Account, ...]:
    """The company's accounts as last read, inactive ones included, by name."""
    rows = ReferenceRecord.objects.filter(connection=active, kind="account").order_by("name", "remote_id")
    return tuple(account_from_json(row.detail) for row in rows)


def list_service_accounts(workspace_id: int, service_uuid: UUID | None) -> tuple[tuple[tuple[str, str], ...], str]:
    """The income accounts that a service may have of its own, as (id, name), and the id of the one it has."""
    active = find_active_connection(workspace_id)
    if active is None:
        return (), ""
    saved = (
        ServiceAccount.objects.filter(connection=active, service__uuid=service_uuid).first() if service_uuid else None
    )
    saved_id = saved.remote_id if saved else ""
    income = [
        each for each in list_accounts(active) if each.is_income and (each.is_active or each.remote_id == saved_id)
    ]
    return tuple((each.remote_id, each.full_name) for each in income), saved_id


def list_tax_codes(active: Connection) -> tuple[TaxCode, ...]:
    """The company's sales tax codes as last read, by name."""
    rows = ReferenceRecord.objects.filter(connection=active, kind="tax_code").order_by("name", "remote_id")
    return tuple(tax_code_from_json(row.detail) for row in rows)


def can_be_default(account: Account, facts: CompanyFacts) -> bool:
    """Whether an account may be the default account: active, able to receive deposits, in the home currency."""
    is_home = account.currency in ("", facts.home_currency)
    return account.is_active and account.can_receive_deposits and is_home


def read_manage(workspace_id: int) -> ManageView:
    """Everything the Manage page shows. Raises: NotConnectedError."""
    active = find_active_connection(workspace_id)
    if active is None:
        raise NotConnectedError
    provider = get_provider(active.provider)
    accounts = list_accounts(active)
    codes = list_tax_codes(active)
    facts = facts_from_json(active.facts)
    income = [account for account in accounts if account.is_income and account.is_active]
    return ManageView(
        connection=view_connection(active),
        rows=_rows(active, codes),
        tax_codes=tuple(code for code in codes if code.is_active),
        deposit_accounts=tuple(account for account in accounts if can_be_default(account, facts)),
        deposit_account_id=active.deposit_account_id,
        deposit_note=""
        if facts.allows_invoice_deposit
        else "Used for payments only: deposits on invoices are switched off in this company's preferences.",
        income_accounts=tuple(income),
        income_account_id=active.income_account_id,
        suggested_income_account_id=active.income_account_id,
        accounts_url=provider.accounts_url(environment=active.environment, company_id=active.company_id_remote),
        reference_read_at=active.facts_read_at,
        send_from_date=active.send_from_date,
        waiting_for_accounts_count=OutboxRow.objects.filter(
            company_id=active.company_id, cause_key="default_account_missing"
        ).count(),
    )


def _rows(active: Connection, codes: Sequence[TaxCode]) -> tuple[TaxMappingRow, ...]:
    by_id = {code.remote_id: code for code in codes}
    saved = {entry.tax_rate_id: entry for entry in TaxMapping.objects.filter(connection=active)}
    uses = _read_uses(active)
    rates = TaxRate.objects.filter(
        Q(archived_at__isnull=True) | Q(pk__in=uses.keys()), workspace_id=active.workspace_id
    )
    facts = facts_from_json(active.facts)
    rows = []
    for rate in rates.order_by("-is_no_tax", "-percent", "name"):
        mapping = saved.get(rate.pk)
        code = by_id.get(mapping.remote_id) if mapping else None
        suggested = None
        if mapping is None:
            suggested = suggest_tax_code(
                name=rate.name,
                percent=rate.percent,
                is_no_tax=rate.is_no_tax,
                codes=codes,
                tax_model=facts.tax_model,
            )
        synced, waiting = uses.get(rate.pk, (0, 0))
        rows.append(
            TaxMappingRow(
                tax_rate_uuid=rate.uuid,
                name=rate.name,
                percent=rate.percent,
                is_no_tax=rate.is_no_tax,
                saved_id=mapping.remote_id if mapping else "",
                saved_is_inactive=mapping is not None and (code is None or not code.is_active),
                suggested_id=suggested.remote_id if suggested else "",
                warning=warn_about(percent=_exact(rate.percent), code=code or suggested),
                synced_invoice_count=synced,
                waiting_invoice_count=waiting,
            )
        )
    return tuple(rows)


def _exact(percent: Decimal) -> Decimal:
    return percent.normalize()


def _read_uses(active: Connection) -> dict[int, tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_USES, {"company": active.company_id, "workspace": active.workspace_id})
        return {rate: (synced, waiting) for rate, synced, waiting in cursor.fetchall()}
