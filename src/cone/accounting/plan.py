"""Local record + link + settings → the next step towards "it stands there". Pure: the heart of the engine.

Decisions are data: they can be shown, stored and tested. What can be known beforehand is a cause *before* anything is
sent; what a record refers to must be linked first (customer → item → invoice).
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from cone.accounting.port.documents import (
    Create,
    CustomerDocument,
    Document,
    InvoiceDocument,
    InvoiceLineDocument,
    Kind,
    ServiceDocument,
    Step,
    Update,
)
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.records import (
    InvoiceRecord,
    LineRecord,
    LinkState,
    OpenAttempt,
    Record,
    ServiceRecord,
    Situation,
    Subject,
)

# The lowest limit among the providers: a longer number is a cause before anything is sent.
MAX_NUMBER_LENGTH = 21

# How long a platform may be trusted to know a request id again. QuickBooks doesn't publish it (api: requestid).
MAY_BE_FORGOTTEN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Nothing:
    """It's true already, or nobody wants it there (a draft, out of scope): the row can go."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send this step under a new attempt.

    `find_first` looks whether the record is there by its business key: services always, and everything that was tried
    to be created before, since an earlier try may have arrived after all.
    """

    step: Step
    find_first: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """Send an earlier attempt again, byte for byte: its outcome isn't known."""

    attempt: OpenAttempt


@dataclass(frozen=True, slots=True)
class LookUp:
    """Look whether the record is there instead of sending it again.

    It was voided here while the outcome of sending it isn't known, or the platform may have forgotten the id by which
    it would know a repeat.
    """

    attempt: OpenAttempt
    document: Document


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Another record must be linked first."""

    kind: Kind
    uuid: UUID


@dataclass(frozen=True, slots=True)
class Blocked:
    """A person must act. `key` is shared by all records that the same act mends."""

    code: CauseCode
    key: str
    params: dict[str, str] = field(default_factory=dict)


Decision: TypeAlias = Nothing | Send | Repeat | LookUp | WaitFor | Blocked


def plan(subject: Subject, situation: Situation) -> Decision:
    """Decide the next step of one due row."""
    record, link = subject.record, subject.link
    if subject.attempt is not None:
        return _find_out(subject, subject.attempt, situation)
    if record is None or (link is not None and link.synced_revision >= record.revision and link.is_equal):
        return Nothing()
    match record:
        case CustomerDocument():
            return _send(subject, record)
        case ServiceRecord():
            return _plan_service(record, link, situation)
        case InvoiceRecord():
            return _plan_invoice(subject, record, situation)


def _find_out(subject: Subject, attempt: OpenAttempt, situation: Situation) -> Decision:
    """Unknown outcomes are resolved first, whatever has become of the record here."""
    record = subject.record
    if record is None or subject.link is not None or attempt.operation != "create":
        return Repeat(attempt)
    is_void = isinstance(record, InvoiceRecord) and record.status == "void"
    if is_void or attempt.age_seconds > MAY_BE_FORGOTTEN.total_seconds():
        return LookUp(attempt, look_up_document(record, situation))
    return Repeat(attempt)


def _send(subject: Subject, document: CustomerDocument | InvoiceDocument) -> Send:
    link = subject.link
    if link is None:
        return Send(Create(document), find_first=subject.row.last_generation > 0)
    return Send(Update(document, remote_id=link.remote_id, remote_version=link.remote_version))


def look_up_document(record: Record, situation: Situation) -> Document:
    """As much of a record as a look-up by its business key needs; an invoice comes without its lines."""
    match record:
        case CustomerDocument():
            return record
        case ServiceRecord():
            return _service(record, situation)
        case InvoiceRecord():
            customer_id = situation.linked.get(("customer", record.customer_uuid), "")
            return _document(replace(record, lines=()), customer_id, situation)


def _plan_service(record: ServiceRecord, link: LinkState | None, situation: Situation) -> Decision:
    if link is not None:
        # The item belongs to the firm's books once it's linked: its name and account there are theirs to keep.
        return Nothing()
    if not situation.income_account_id:
        return Blocked(CauseCode.INCOME_ACCOUNT_MISSING, key="income_account_missing")
    return Send(Create(_service(record, situation)), find_first=True)


def _service(record: ServiceRecord, situation: Situation) -> ServiceDocument:
    return ServiceDocument(
        uuid=record.uuid,
        revision=record.revision,
        name=record.name,
        description=record.description,
        unit_price=record.unit_price,
        income_account_id=situation.income_account_id,
    )


def _plan_invoice(subject: Subject, record: InvoiceRecord, situation: Situation) -> Decision:
    link = subject.link
    if record.status == "draft":
        return Nothing()
    if record.status == "void":
        if link is None:
            return Nothing()
        return Blocked(CauseCode.VOIDED_HERE, key=f"voided_here:{record.uuid}", params={"number": record.number})
    if link is None and not (subject.row.is_in_scope or is_in_scope(record, situation)):
        return Nothing()
    return _settings_cause(record, situation) or _refer_and_send(subject, record, situation)


def is_in_scope(record: InvoiceRecord, situation: Situation) -> bool:
    """Whether an invoice that was never sent should be: issued since connecting, or dated since the chosen date."""
    if record.issued_at is not None and record.issued_at >= situation.connected_at:
        return True
    return situation.send_from_date is not None and record.issue_date >= situation.send_from_date


def _settings_cause(record: InvoiceRecord, situation: Situation) -> Blocked | None:
    if not situation.deposit_account_id:
        return Blocked(CauseCode.DEFAULT_ACCOUNT_MISSING, key="default_account_missing")
    if not situation.is_deposit_account_active:
        return Blocked(
            CauseCode.ACCOUNT_INACTIVE,
            key=f"account_inactive:{situation.deposit_account_id}",
            params={"account": situation.deposit_account_name},
        )
    for line in record.lines:
        if cause := _tax_cause(line, situation):
            return cause
    return _fact_cause(record, situation)


def _tax_cause(line: LineRecord, situation: Situation) -> Blocked | None:
    params = {"rate": line.tax_rate_name, "percent": f"{line.tax_percent.normalize():f}"}
    code = situation.tax_codes.get(line.tax_rate_uuid)
    if code is None:
        return Blocked(CauseCode.TAX_UNMAPPED, key=f"tax_unmapped:{line.tax_rate_uuid}", params=params)
    if not code.is_active:
        return Blocked(
            CauseCode.TAX_CODE_INACTIVE,
            key=f"tax_code_inactive:{line.tax_rate_uuid}",
            params={**params, "code": code.name},
        )
    return None


def _fact_cause(record: InvoiceRecord, situation: Situation) -> Blocked | None:
    facts = situation.facts
    params = {"number": record.number}
    if record.currency != facts.home_currency and not facts.is_multicurrency:
        params |= {"currency": record.currency, "home_currency": facts.home_currency}
        return Blocked(CauseCode.CURRENCY_UNSUPPORTED, key=f"currency_unsupported:{record.currency}", params=params)
    closed_through = facts.books_closed_through_date
    if closed_through is not None and record.issue_date <= closed_through:
        params["date"] = closed_through.isoformat()
        return Blocked(CauseCode.PERIOD_CLOSED, key=f"period_closed:{closed_through.isoformat()}", params=params)
    if len(record.number) > MAX_NUMBER_LENGTH:
        return Blocked(CauseCode.NUMBER_TOO_LONG, key=f"number_too_long:{record.uuid}", params=params)
    return None


def _refer_and_send(subject: Subject, record: InvoiceRecord, situation: Situation) -> Decision:
    customer_id = situation.linked.get(("customer", record.customer_uuid))
    if customer_id is None:
        return WaitFor("customer", record.customer_uuid)
    for line in record.lines:
        if ("service", line.service_uuid) not in situation.linked:
            return WaitFor("service", line.service_uuid)
    return _send(subject, _document(record, customer_id, situation))


def _document(record: InvoiceRecord, customer_id: str, situation: Situation) -> InvoiceDocument:
    return InvoiceDocument(
        uuid=record.uuid,
        revision=record.revision,
        number=record.number,
        customer_id=customer_id,
        customer_email=record.customer_email,
        issue_date=record.issue_date,
        due_date=record.due_date,
        currency=record.currency,
        amounts_are=record.amounts_are,
        lines=tuple(_line(line, situation) for line in record.lines),
        memo=record.memo,
        net=record.net,
        tax=record.tax,
        total=record.total,
        deposit_account_id=situation.deposit_account_id if situation.facts.allows_invoice_deposit else None,
    )


def _line(line: LineRecord, situation: Situation) -> InvoiceLineDocument:
    return InvoiceLineDocument(
        item_id=situation.linked["service", line.service_uuid],
        description=line.description or line.service_name,
        quantity=line.quantity,
        unit_price=line.unit_price,
        amount=line.amount,
        net=line.net,
        tax_code_id=situation.tax_codes[line.tax_rate_uuid].remote_id,
        tax_percent=line.tax_percent,
    )
