"""Every reason why a record can't go that's known from our books, settings and cached facts: it costs no request.

What depends on the provider's own limits is refused by its `prepare`, which sends nothing either.
"""

from datetime import date
from uuid import UUID

from cone.accounting.plan.decisions import Blocked
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.records import InvoiceRecord, LineRecord, PaymentRecord, Situation

# The lowest limit among the providers: a longer number is a cause before anything is sent.
MAX_NUMBER_LENGTH = 21
MAX_REFERENCE_LENGTH = 21
_NOT_IN_NAMES = ":\t\r\n"


def find_known_cause(record: InvoiceRecord, situation: Situation) -> Blocked | None:
    """The first reason why an invoice can't be sent now."""
    return (
        _account_cause(situation)
        or _tax_cause(record, situation)
        or _item_cause(record, situation)
        or _currency_cause(record, situation)
        or find_period_cause(record.issue_date, record.number, situation)
        or _number_cause(record, situation)
    )


def find_known_cause_of_payment(record: PaymentRecord, situation: Situation) -> Blocked | None:
    """The first reason why a payment can't be sent now."""
    return (
        _account_cause(situation)
        or _currency_cause(record, situation)
        or find_period_cause(record.received_date, record.reference, situation)
        or _reference_cause(record)
    )


def find_name_cause(uuid: UUID, name: str, *, longest: int) -> Blocked | None:
    """A name that no provider's list takes: a colon separates levels there."""
    if len(name) <= longest and not any(character in _NOT_IN_NAMES for character in name):
        return None
    return Blocked(CauseCode.NAME_INVALID, key=f"name_invalid:{uuid}")


def _account_cause(situation: Situation) -> Blocked | None:
    if not situation.deposit_account_id:
        return Blocked(CauseCode.DEFAULT_ACCOUNT_MISSING, key="default_account_missing")
    if not situation.is_deposit_account_active:
        return Blocked(
            CauseCode.ACCOUNT_INACTIVE,
            key=f"account_inactive:{situation.deposit_account_id}",
            params={"account": situation.deposit_account_name},
        )
    return None


def _tax_cause(record: InvoiceRecord, situation: Situation) -> Blocked | None:
    """All rates of the invoice that can't be sent, each a cause of its own: one visit to the mapping mends them."""
    found: dict[str, Blocked] = {}
    for line in record.lines:
        if cause := _rate_cause(line, situation):
            found.setdefault(cause.key, cause)
    if not found:
        return None
    first, *more = found.values()
    return Blocked(first.code, first.key, first.params, also=tuple(more))


def _item_cause(record: InvoiceRecord, situation: Situation) -> Blocked | None:
    """The first line whose item there can't be sold any more."""
    if not situation.inactive_items:
        return None
    for line in record.lines:
        remote_id = situation.linked.get(("service", line.service_uuid), "")
        if remote_id in situation.inactive_items:
            params = {"item": situation.inactive_items[remote_id], "service": line.service_name}
            return Blocked(CauseCode.ITEM_INACTIVE, key=f"item_inactive:{remote_id}", params=params)
    return None


def find_income_account_cause(account_id: str, situation: Situation) -> Blocked | None:
    """Whether an item can post to that account."""
    if not account_id:
        return Blocked(CauseCode.INCOME_ACCOUNT_MISSING, key="income_account_missing")
    if account_id not in situation.inactive_accounts:
        return None
    params = {"account": situation.inactive_accounts[account_id]}
    return Blocked(CauseCode.INCOME_ACCOUNT_INACTIVE, key=f"income_account_inactive:{account_id}", params=params)


def _rate_cause(line: LineRecord, situation: Situation) -> Blocked | None:
    code = situation.tax_codes.get(line.tax_rate_uuid)
    if code is not None and code.is_active:
        return None
    params = {"rate": line.tax_rate_name, "percent": f"{line.tax_percent.normalize():f}"}
    if code is None:
        return Blocked(CauseCode.TAX_UNMAPPED, key=f"tax_unmapped:{line.tax_rate_uuid}", params=params)
    return Blocked(
        CauseCode.TAX_CODE_INACTIVE,
        key=f"tax_code_inactive:{line.tax_rate_uuid}",
        params={**params, "code": code.name},
    )


def find_currency_cause(currency: str, number: str, situation: Situation) -> Blocked | None:
    """Whether the company keeps its books in one currency only, and not in that one."""
    facts = situation.facts
    if currency == facts.home_currency or facts.is_multicurrency:
        return None
    params = {"number": number, "currency": currency, "home_currency": facts.home_currency}
    return Blocked(CauseCode.CURRENCY_UNSUPPORTED, key=f"currency_unsupported:{currency}", params=params)


def _currency_cause(record: InvoiceRecord | PaymentRecord, situation: Situation) -> Blocked | None:
    number = record.number if isinstance(record, InvoiceRecord) else record.reference
    if cause := find_currency_cause(record.currency, number, situation):
        return cause
    theirs = situation.customer_currencies.get(record.customer_uuid) or record.currency
    if theirs == record.currency:
        return None
    params = {"number": number, "currency": record.currency, "home_currency": situation.facts.home_currency}
    return Blocked(
        CauseCode.CUSTOMER_CURRENCY_DIFFERS,
        key=f"customer_currency_differs:{record.customer_uuid}",
        params={**params, "customer": record.customer_name, "theirs": theirs},
    )


def find_period_cause(dated: date, number: str, situation: Situation) -> Blocked | None:
    """Whether the books are closed for that day."""
    closed_through = situation.facts.books_closed_through_date
    if closed_through is None or dated > closed_through:
        return None
    params = {"number": number, "date": closed_through.isoformat()}
    return Blocked(CauseCode.PERIOD_CLOSED, key=f"period_closed:{closed_through.isoformat()}", params=params)


def _number_cause(record: InvoiceRecord, situation: Situation) -> Blocked | None:
    params = {"number": record.number}
    if len(record.number) > MAX_NUMBER_LENGTH:
        return Blocked(CauseCode.NUMBER_TOO_LONG, key=f"number_too_long:{record.uuid}", params=params)
    if situation.taken_numbers.get(record.number, record.uuid) != record.uuid:
        return Blocked(CauseCode.NUMBER_TAKEN, key=f"number_taken:{record.uuid}", params=params)
    return None


def _reference_cause(record: PaymentRecord) -> Blocked | None:
    if len(record.reference) <= MAX_REFERENCE_LENGTH:
        return None
    return Blocked(CauseCode.REFERENCE_TOO_LONG, key=f"reference_too_long:{record.uuid}")
