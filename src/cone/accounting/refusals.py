"""What the provider refused, as a cause: under the plan's own key wherever the same act mends both. Pure."""

from collections.abc import Callable, Mapping

from cone.accounting.plan.decisions import Blocked
from cone.accounting.port.documents import CustomerDocument
from cone.accounting.port.verdicts import Answered, CauseCode, GoneError, RejectedError
from cone.accounting.records import (
    InvoiceRecord,
    LineRecord,
    PaymentRecord,
    ServiceRecord,
    Situation,
    Subject,
    is_wanted,
)

# The fact of a cause that it isn't a record's sending that was refused, but its being taken back.
REMOVAL = "removal"


def cause_of_refusal(subject: Subject, verdict: RejectedError, situation: Situation) -> Blocked:
    """The cause of a refused record, shared where a setting mends it and the record's own otherwise."""
    params = {**verdict.params, **_quote(verdict.answered)}
    cause = verdict.cause
    if cause is CauseCode.ACCOUNT_INACTIVE and isinstance(subject.record, ServiceRecord):
        # The only account that an item of ours names.
        cause = CauseCode.INCOME_ACCOUNT_INACTIVE
    if cause is CauseCode.PERIOD_CLOSED and not is_wanted(subject.record):
        # No later date helps what is to be taken back.
        cause = CauseCode.REMOVAL_PERIOD_CLOSED
    if cause is CauseCode.REFUSED and not is_wanted(subject.record):
        params[REMOVAL] = "yes"
    shared = _SHARED.get(cause)
    if shared is not None and (found := shared(subject, situation)) is not None:
        key, facts = found
        return Blocked(cause, key=f"{cause.value}{key}", params={**params, **facts})
    return Blocked(cause, key=f"{cause.value}:{subject.row.uuid}", params=params)


def cause_of_loss(subject: Subject, verdict: GoneError) -> Blocked:
    """The cause of a record that is no longer there; of one that never was, it's something it refers to."""
    params = _quote(verdict.answered)
    if subject.link is None:
        return Blocked(CauseCode.REFERENCE_MISSING, key=f"reference_missing:{subject.row.uuid}", params=params)
    return Blocked(CauseCode.REMOVED_THERE, key=f"removed_there:{subject.row.uuid}", params=params)


def _quote(answered: Answered) -> dict[str, str]:
    """The provider's own words and code; nothing where Cone refused before anything was sent."""
    return {} if answered.http_status is None else {"says": answered.said, "code": answered.code}


_Found = tuple[str, Mapping[str, str]]


def _account(_: Subject, situation: Situation) -> _Found | None:
    return f":{situation.deposit_account_id}", {"account": situation.deposit_account_name or "The default account"}


def _inactive_income_account(subject: Subject, situation: Situation) -> _Found | None:
    if not isinstance(subject.record, ServiceRecord):
        return None
    account_id = subject.record.income_account_id or situation.income_account_id
    return f":{account_id}", {"account": situation.inactive_accounts.get(account_id, "The income account")}


def _income_account(_: Subject, __: Situation) -> _Found | None:
    return "", {}


def _tax(subject: Subject, situation: Situation) -> _Found | None:
    """The provider doesn't say which line's code it means: the first rate leads to the mapping, all are named."""
    if not isinstance(subject.record, InvoiceRecord):
        return None
    lines: dict[str, LineRecord] = {}
    for line in subject.record.lines:
        lines.setdefault(line.tax_rate_name, line)
    first = next(iter(lines.values()))
    codes = [situation.tax_codes.get(line.tax_rate_uuid) for line in lines.values()]
    return f":{first.tax_rate_uuid}", {
        "rate": " or ".join(lines),
        "percent": f"{first.tax_percent.normalize():f}",
        "code": " or ".join(code.name for code in codes if code is not None) or "a code",
    }


def _tax_percent(subject: Subject, situation: Situation) -> _Found | None:
    """The first rate that is mapped to a code of another percentage."""
    if not isinstance(subject.record, InvoiceRecord):
        return None
    for line in subject.record.lines:
        code = situation.tax_codes.get(line.tax_rate_uuid)
        if code is not None and code.components and code.percent != line.tax_percent:
            percent = f"{line.tax_percent.normalize():f}"
            return f":{line.tax_rate_uuid}", {"rate": line.tax_rate_name, "percent": percent, "code": code.name}
    return None


def _mixed(subject: Subject, situation: Situation) -> _Found | None:
    if not isinstance(subject.record, InvoiceRecord):
        return None
    codes = {line.tax_rate_uuid: situation.tax_codes.get(line.tax_rate_uuid) for line in subject.record.lines}
    names = dict.fromkeys(code.name for code in codes.values() if code is not None)
    return f":{subject.row.uuid}", {"codes": " and ".join(names)}


def _period(subject: Subject, situation: Situation) -> _Found | None:
    """The answer doesn't say until when the books are closed; what was read of the company may."""
    record = subject.record
    number = record.number if isinstance(record, InvoiceRecord) else ""
    closed_through = situation.facts.books_closed_through_date
    date = closed_through.isoformat() if closed_through else ""
    return f":{date or 'refused'}", {"number": number, "date": date}


def _email(subject: Subject, _: Situation) -> _Found | None:
    """All invoices of a customer wait for the one address."""
    record = subject.record
    if isinstance(record, InvoiceRecord):
        return f":{record.customer_uuid}", {"customer": record.customer_name}
    return (f":{record.uuid}", {"customer": record.name}) if isinstance(record, CustomerDocument) else None


def _currency(subject: Subject, situation: Situation) -> _Found | None:
    if not isinstance(subject.record, InvoiceRecord | PaymentRecord | CustomerDocument):
        return None
    facts = {"currency": subject.record.currency, "home_currency": situation.facts.home_currency}
    return f":{subject.record.currency}", facts


_SHARED: Mapping[CauseCode, Callable[[Subject, Situation], _Found | None]] = {
    CauseCode.ACCOUNT_INACTIVE: _account,
    CauseCode.INCOME_ACCOUNT_INACTIVE: _inactive_income_account,
    CauseCode.INCOME_ACCOUNT_MISSING: _income_account,
    CauseCode.TAX_UNMAPPED: _tax,
    CauseCode.TAX_CODE_INACTIVE: _tax,
    CauseCode.TAX_PERCENT_DIFFERS: _tax_percent,
    CauseCode.TAX_CODES_MIXED: _mixed,
    CauseCode.PERIOD_CLOSED: _period,
    CauseCode.REMOVAL_PERIOD_CLOSED: _period,
    CauseCode.EMAIL_INVALID: _email,
    CauseCode.EMAIL_MISSING: _email,
    CauseCode.CURRENCY_UNSUPPORTED: _currency,
}
