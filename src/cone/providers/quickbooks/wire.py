"""QuickBooks' JSON as it is read and written: only the fields that are used, every number an exact Decimal.

Unknown fields are ignored: answers grow. Field names are QuickBooks' own, in Python's spelling.
"""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal, TypeAlias

import msgspec

JsonObject: TypeAlias = dict[str, object]

# The current base (api-facts §2.3).
MINOR_VERSION = 75

# A field that isn't there.
NOTHING = msgspec.Raw()


class Row(msgspec.Struct, rename="pascal", frozen=True):
    """An object of an answer."""


class Ref(msgspec.Struct, frozen=True):
    """A reference; `name` is for people and follows renames."""

    value: str
    name: str | None = None


class EmailAddress(Row, frozen=True):
    address: str | None = None


class Memo(msgspec.Struct, frozen=True):
    """What an invoice tells the customer."""

    value: str | None = None


class Stamps(Row, frozen=True):
    create_time: datetime | None = None


class CustomerRow(Row, frozen=True):
    """A customer; vendors and employees have the same fields as far as names go."""

    id: str
    sync_token: str
    display_name: str = ""
    active: bool = True
    primary_email_addr: EmailAddress | None = None
    currency_ref: Ref | None = None
    meta_data: Stamps | None = None
    primary_tax_identifier: str | None = None


class ItemRow(Row, frozen=True):
    id: str
    sync_token: str
    name: str = ""
    active: bool = True
    type: str | None = None
    income_account_ref: Ref | None = None
    meta_data: Stamps | None = None


class LinkedTransaction(Row, frozen=True):
    txn_id: str = ""
    txn_type: str = ""


class SalesItem(Row, frozen=True, omit_defaults=True):
    """What a sales line says; what's raw is read by `kept` alone, which takes any shape."""

    tax_code_ref: Ref | None = None
    item_ref: msgspec.Raw = NOTHING
    qty: msgspec.Raw = NOTHING
    unit_price: msgspec.Raw = NOTHING
    class_ref: msgspec.Raw = NOTHING
    service_date: msgspec.Raw = NOTHING
    tax_classification_ref: msgspec.Raw = NOTHING


class LineRow(Row, frozen=True, omit_defaults=True):
    """A line of an invoice. No shape of what is only kept may cost the answer: hence raw, as in a sales line."""

    sales_item_line_detail: SalesItem | None = None
    id: msgspec.Raw = NOTHING
    description: msgspec.Raw = NOTHING
    amount: msgspec.Raw = NOTHING
    detail_type: msgspec.Raw = NOTHING
    description_line_detail: msgspec.Raw = NOTHING
    project_ref: msgspec.Raw = NOTHING
    linked_txn: msgspec.Raw = NOTHING
    custom_field: msgspec.Raw = NOTHING
    custom_extensions: msgspec.Raw = NOTHING


class TaxDetail(Row, frozen=True):
    total_tax: Decimal | None = None


class InvoiceRow(Row, frozen=True):
    id: str
    sync_token: str
    total_amt: Decimal
    exchange_rate: Decimal | None = None
    balance: Decimal | None = None
    doc_number: str | None = None
    private_note: str | None = None
    customer_memo: Memo | None = None
    customer_ref: Ref | None = None
    bill_email: EmailAddress | None = None
    deposit_to_account_ref: Ref | None = None
    line: tuple[LineRow, ...] = ()
    txn_tax_detail: TaxDetail | None = None
    linked_txn: tuple[LinkedTransaction, ...] = ()
    txn_date: date | None = None
    due_date: date | None = None
    meta_data: Stamps | None = None
    # No shape of what is only compared may cost the answer, as in a line.
    sales_term_ref: msgspec.Raw = NOTHING
    class_ref: msgspec.Raw = NOTHING
    department_ref: msgspec.Raw = NOTHING
    bill_addr: msgspec.Raw = NOTHING
    ship_addr: msgspec.Raw = NOTHING
    deposit: msgspec.Raw = NOTHING
    ship_date: msgspec.Raw = NOTHING
    ship_method_ref: msgspec.Raw = NOTHING
    tracking_num: msgspec.Raw = NOTHING
    custom_field: msgspec.Raw = NOTHING


class PaymentLineRow(Row, frozen=True):
    amount: Decimal = Decimal(0)
    linked_txn: tuple[LinkedTransaction, ...] = ()


class PaymentRow(Row, frozen=True):
    id: str
    sync_token: str
    total_amt: Decimal
    exchange_rate: Decimal | None = None
    unapplied_amt: Decimal | None = None
    payment_ref_num: str | None = None
    private_note: str | None = None
    customer_ref: Ref | None = None
    deposit_to_account_ref: Ref | None = None
    line: tuple[PaymentLineRow, ...] = ()
    txn_date: date | None = None
    meta_data: Stamps | None = None


class PaymentMethodRow(Row, frozen=True):
    id: str
    name: str = ""
    active: bool = True


class CountryOf(Row, frozen=True):
    country: str | None = None


class CompanyRow(Row, frozen=True):
    company_name: str
    country: str | None = None
    company_addr: CountryOf | None = None
    email: EmailAddress | None = None


class SalesFormsPrefs(Row, frozen=True):
    allow_deposit: bool | None = None
    custom_txn_numbers: bool | None = None


class TaxPrefs(Row, frozen=True):
    using_sales_tax: bool | None = None
    partner_tax_enabled: bool | None = None


class CurrencyPrefs(Row, frozen=True):
    multi_currency_enabled: bool | None = None
    home_currency: Ref | None = None


class AccountingPrefs(Row, frozen=True):
    book_close_date: date | None = None


class PreferencesRow(Row, frozen=True):
    sales_forms_prefs: SalesFormsPrefs = SalesFormsPrefs()
    tax_prefs: TaxPrefs = TaxPrefs()
    currency_prefs: CurrencyPrefs = CurrencyPrefs()
    accounting_info_prefs: AccountingPrefs = AccountingPrefs()


class AccountRow(Row, frozen=True):
    id: str
    name: str
    fully_qualified_name: str | None = None
    account_type: str = ""
    account_sub_type: str | None = None
    active: bool = True
    currency_ref: Ref | None = None


class RateOfCode(Row, frozen=True):
    tax_rate_ref: Ref
    tax_type_applicable: str | None = None


class RatesOfCode(Row, frozen=True):
    tax_rate_detail: tuple[RateOfCode, ...] = ()


class TaxCodeRow(Row, frozen=True):
    id: str
    name: str
    description: str | None = None
    active: bool | None = None
    hidden: bool | None = None
    taxable: bool | None = None
    sales_tax_rate_list: RatesOfCode | None = None
    purchase_tax_rate_list: RatesOfCode | None = None


class TaxRateRow(Row, frozen=True):
    id: str
    rate_value: Decimal | None = None
    display_type: str | None = None


class CustomerAnswer(Row, frozen=True):
    customer: CustomerRow


class ItemAnswer(Row, frozen=True):
    item: ItemRow


class InvoiceAnswer(Row, frozen=True):
    invoice: InvoiceRow


class PaymentAnswer(Row, frozen=True):
    payment: PaymentRow


class DeletedRow(msgspec.Struct, frozen=True):
    """What is told of a deleted record: {"domain": "QBO", "status": "Deleted", "Id": "266"}."""

    id: str = msgspec.field(name="Id")
    status: Literal["Deleted"]


class DeletedAnswer(Row, frozen=True):
    """One of these is filled."""

    invoice: DeletedRow | None = None
    payment: DeletedRow | None = None


class CompanyAnswer(Row, frozen=True):
    company_info: CompanyRow


class PreferencesAnswer(Row, frozen=True):
    preferences: PreferencesRow


class Rows(Row, frozen=True):
    """The rows of a query's answer: at most one of these lists is filled."""

    customer: tuple[CustomerRow, ...] = ()
    vendor: tuple[CustomerRow, ...] = ()
    employee: tuple[CustomerRow, ...] = ()
    item: tuple[ItemRow, ...] = ()
    invoice: tuple[InvoiceRow, ...] = ()
    account: tuple[AccountRow, ...] = ()
    tax_code: tuple[TaxCodeRow, ...] = ()
    tax_rate: tuple[TaxRateRow, ...] = ()
    payment: tuple[PaymentRow, ...] = ()
    payment_method: tuple[PaymentMethodRow, ...] = ()


class QueryAnswer(Row, frozen=True):
    query_response: Rows


_ENCODER = msgspec.json.Encoder()


@lru_cache(4096)  # quantities, prices and rates come again and again
def number(amount: Decimal) -> msgspec.Raw:
    """An exact JSON number in plain notation: 1.10 and 1.1 give the same bytes, and nothing gets an exponent."""
    text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return msgspec.Raw(b"0" if text in ("-0", "") else text.encode())


def encode(document: JsonObject) -> bytes:
    """The bytes of a request body, in the order of the fields."""
    return _ENCODER.encode(document)
