"""QuickBooks' answers as the port's values: records, company facts, accounts, tax codes. Pure."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from cone.accounting.port.company import (
    Account,
    CompanyFacts,
    InactiveItem,
    PaymentMethod,
    Reference,
    TaxCode,
    TaxComponent,
    TaxModel,
)
from cone.accounting.port.documents import AllocationDocument, Namesake, RemoteRecord, Standing
from cone.accounting.port.verdicts import Answered, MisconfiguredError
from cone.providers.quickbooks.besides import read_besides
from cone.providers.quickbooks.kept import read_theirs, say
from cone.providers.quickbooks.mapping import MARKER
from cone.providers.quickbooks.taxes import NOT_TAXABLE, TAXABLE
from cone.providers.quickbooks.wire import (
    AccountRow,
    CompanyRow,
    CustomerRow,
    InvoiceRow,
    ItemRow,
    PaymentMethodRow,
    PaymentRow,
    PreferencesRow,
    TaxCodeRow,
    TaxRateRow,
)

# May be listed but not used on a sale (fault 6160).
_CUSTOM_SALES_TAX = "CustomSalesTax"
_INCOME_SUBTYPES = ("ServiceFeeIncome", "SalesOfProductIncome")
_NO_TAX = TaxCode(NOT_TAXABLE, "No tax", "Sales tax is switched off in QuickBooks", Decimal(0), is_active=True)

_MARKED = re.compile(re.escape(MARKER) + r"([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})")


def customer_record(row: CustomerRow) -> RemoteRecord:
    """A customer as the port tells it."""
    return RemoteRecord(
        kind="customer",
        remote_id=row.id,
        version=row.sync_token,
        name=row.display_name,
        is_active=row.active,
        email=(row.primary_email_addr.address or "") if row.primary_email_addr else "",
        currency=row.currency_ref.value if row.currency_ref else "",
        created_at=row.meta_data.create_time if row.meta_data else None,
    )


def namesake(row: CustomerRow, entity: Literal["customer", "vendor", "employee"]) -> Namesake:
    """Who has a name. A tax number comes masked mostly, and then agrees with none."""
    return Namesake(
        entity=entity,
        remote_id=row.id,
        version=row.sync_token,
        name=row.display_name,
        email=(row.primary_email_addr.address or "") if row.primary_email_addr else "",
        tax_number=row.primary_tax_identifier or "",
        currency=row.currency_ref.value if row.currency_ref else "",
        is_active=row.active,
    )


def item_record(row: ItemRow) -> RemoteRecord:
    """An item as the port tells it."""
    return RemoteRecord(
        kind="service",
        remote_id=row.id,
        version=row.sync_token,
        name=row.name,
        is_active=row.active,
        income_account_id=row.income_account_ref.value if row.income_account_ref else "",
        created_at=row.meta_data.create_time if row.meta_data else None,
    )


def invoice_record(row: InvoiceRow) -> RemoteRecord:
    """An invoice as the port tells it; `marker` is our record's uuid if the private note carries one."""
    codes = (line.sales_item_line_detail.tax_code_ref for line in row.line if line.sales_item_line_detail)
    return RemoteRecord(
        kind="invoice",
        remote_id=row.id,
        version=row.sync_token,
        number=row.doc_number,
        total=row.total_amt,
        exchange_rate=row.exchange_rate,
        tax=(row.txn_tax_detail.total_tax if row.txn_tax_detail else None) or Decimal(0),
        balance=row.balance,
        tax_codes=tuple(code.value if code else "" for code in codes),
        deposit_account_id=row.deposit_to_account_ref.value if row.deposit_to_account_ref else None,
        marker=_marker(row.private_note or ""),
        customer_id=row.customer_ref.value if row.customer_ref else None,
        email=(row.bill_email.address or "") if row.bill_email else "",
        standing=_standing(row.private_note, row.total_amt),
        payment_ids=tuple(link.txn_id for link in row.linked_txn if link.txn_type == "Payment"),
        kept=read_theirs(row.line),
        issue_date=row.txn_date,
        due_date=row.due_date,
        words=_words(row),
        besides=read_besides(row),
        created_at=row.meta_data.create_time if row.meta_data else None,
    )


def _words(row: InvoiceRow) -> tuple[str, ...]:
    memo = (row.customer_memo.value or "") if row.customer_memo else ""
    note = _MARKED.sub("", row.private_note or "").strip()
    return memo, note, *(say(line.description) for line in row.line if line.sales_item_line_detail)


def payment_record(row: PaymentRow) -> RemoteRecord:
    """A payment as the port tells it; lines that apply credits or journal entries aren't invoices and are left out."""
    return RemoteRecord(
        kind="payment",
        remote_id=row.id,
        version=row.sync_token,
        number=row.payment_ref_num,
        total=row.total_amt,
        exchange_rate=row.exchange_rate,
        deposit_account_id=row.deposit_to_account_ref.value if row.deposit_to_account_ref else None,
        marker=_marker(row.private_note or ""),
        customer_id=row.customer_ref.value if row.customer_ref else None,
        standing=_standing(row.private_note, row.total_amt),
        unapplied=row.unapplied_amt,
        applied=tuple(
            AllocationDocument(link.txn_id, line.amount)
            for line in row.line
            for link in line.linked_txn
            if link.txn_type == "Invoice"
        ),
        issue_date=row.txn_date,
        created_at=row.meta_data.create_time if row.meta_data else None,
    )


def _standing(note: str | None, total: Decimal) -> Standing:
    """Nothing but a note that begins with "Voided", and a total of zero, marks a void record (§5)."""
    return "void" if not total and (note or "").startswith("Voided") else "live"


def payment_method(row: PaymentMethodRow) -> PaymentMethod:
    """A payment method as the port tells it."""
    return PaymentMethod(remote_id=row.id, name=row.name, is_active=row.active)


def company_facts(company: CompanyRow, preferences: PreferencesRow) -> CompanyFacts:
    """Facts and preferences. Raises MisconfiguredError when the home currency can't be known."""
    country = _country(company)
    currency = preferences.currency_prefs.home_currency
    if currency is None and country != "US":
        message = "QuickBooks doesn't tell the company's home currency. Check the company's currency settings there."
        raise MisconfiguredError(Answered(message=message))
    return CompanyFacts(
        name=company.company_name,
        country=country,
        home_currency=currency.value if currency else "USD",
        tax_model=_tax_model(country, preferences),
        allows_invoice_deposit=bool(preferences.sales_forms_prefs.allow_deposit),
        uses_own_numbers=bool(preferences.sales_forms_prefs.custom_txn_numbers),
        is_multicurrency=bool(preferences.currency_prefs.multi_currency_enabled),
        books_closed_through_date=preferences.accounting_info_prefs.book_close_date,
        email=(company.email.address or "") if company.email else "",
        computes_tax_itself=country == "US" and preferences.tax_prefs.partner_tax_enabled is True,
    )


def reference(
    accounts: Sequence[AccountRow],
    codes: Sequence[TaxCodeRow],
    rates: Sequence[TaxRateRow],
    methods: Sequence[PaymentMethodRow],
    items: Sequence[ItemRow],
    facts: CompanyFacts,
    missing_items: Sequence[str] = (),
) -> Reference:
    """The lists that settings choose from."""
    ours = tuple(_account(row, facts) for row in accounts)
    rows = {rate.id: rate for rate in rates}
    listed = {row.id: row for row in codes if row.id != _CUSTOM_SALES_TAX and not _is_for_purchases(row)}
    tax_codes = tuple(_tax_code(row, rows) for row in listed.values())
    return Reference(
        accounts=ours,
        tax_codes=(_NO_TAX,) if facts.tax_model == "none" else tax_codes,
        suggested_income_account_id=_suggested_income_account_id(ours, facts),
        payment_methods=tuple(payment_method(row) for row in methods),
        inactive_items=tuple(InactiveItem(row.id, row.name) for row in items if not row.active),
        missing_items=tuple(missing_items),
    )


def list_missing(names: Sequence[str], found: Sequence[ItemRow]) -> list[str]:
    """Which of these names none of the items found has, whatever the case of their letters."""
    there = {row.name.casefold() for row in found}
    return [name for name in names if name.strip().casefold() not in there]


def _country(company: CompanyRow) -> str:
    country = company.country or (company.company_addr.country if company.company_addr else "") or ""
    return {"USA": "US"}.get(country.strip().upper(), country.strip().upper())


def _tax_model(country: str, preferences: PreferencesRow) -> TaxModel:
    if preferences.tax_prefs.using_sales_tax is False:
        return "none"
    return "us" if country == "US" else "global"


def _account(row: AccountRow, facts: CompanyFacts) -> Account:
    return Account(
        remote_id=row.id,
        name=row.name,
        full_name=row.fully_qualified_name or row.name,
        type=row.account_type,
        subtype=row.account_sub_type or "",
        is_active=row.active,
        currency=row.currency_ref.value if row.currency_ref else facts.home_currency,
        can_receive_deposits=row.active and row.account_type == "Bank",
        is_income=row.account_type in ("Income", "Other Income"),
    )


def _suggested_income_account_id(accounts: Sequence[Account], facts: CompanyFacts) -> str | None:
    """An active income account in the home currency: fees before product sales before others, then the oldest."""

    def rank(account: Account) -> tuple[int, int, str]:
        subtypes = [*_INCOME_SUBTYPES, account.subtype]
        return subtypes.index(account.subtype), len(account.remote_id), account.remote_id

    suited = [a for a in accounts if a.is_active and a.type == "Income" and a.currency == facts.home_currency]
    return min(suited, key=rank).remote_id if suited else None


def _is_for_purchases(row: TaxCodeRow) -> bool:
    has_sales = row.sales_tax_rate_list is not None and bool(row.sales_tax_rate_list.tax_rate_detail)
    has_purchases = row.purchase_tax_rate_list is not None and bool(row.purchase_tax_rate_list.tax_rate_detail)
    return has_purchases and not has_sales


def _tax_code(row: TaxCodeRow, rates: Mapping[str, TaxRateRow]) -> TaxCode:
    percent = _percent(row, {rate.id: rate.rate_value for rate in rates.values()})
    return TaxCode(
        remote_id=row.id,
        name=row.name,
        description=row.description or "",
        percent=percent,
        is_active=row.active is not False and not row.hidden,
        components=_components(row, rates) if percent is not None else (),
    )


def _components(row: TaxCodeRow, rates: Mapping[str, TaxRateRow]) -> tuple[TaxComponent, ...]:
    """The rates of a code's sales; "ReadOnly" ones refuse an amount of ours (api-facts §4.11)."""
    details = row.sales_tax_rate_list.tax_rate_detail if row.sales_tax_rate_list else ()
    found = [rates[detail.tax_rate_ref.value] for detail in details]
    return tuple(
        TaxComponent(rate.id, rate.rate_value or Decimal(0), takes_amounts=rate.display_type != "ReadOnly")
        for rate in found
    )


def _percent(row: TaxCodeRow, percents: Mapping[str, Decimal | None]) -> Decimal | None:
    """The sum of the code's sales rates; None when a rate isn't known or is charged on another tax."""
    details = row.sales_tax_rate_list.tax_rate_detail if row.sales_tax_rate_list else ()
    if row.id == TAXABLE:
        return None
    if not details:
        return Decimal(0) if row.id == NOT_TAXABLE or row.taxable is False else None
    total = Decimal(0)
    for detail in details:
        percent = percents.get(detail.tax_rate_ref.value)
        if percent is None or detail.tax_type_applicable not in (None, "TaxOnAmount"):
            return None
        total += percent
    return total


def _marker(note: str) -> str:
    """The uuid after "cone:", wherever the bookkeeper's own words stand around it; words of theirs aren't one."""
    found = _MARKED.search(note)
    return found.group(1) if found else ""
