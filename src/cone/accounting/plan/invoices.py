"""Issued invoices, once what they refer to stands there; and every reason known beforehand why one can't go."""

from cone.accounting.plan.decisions import Blocked, Decision, Nothing, WaitFor
from cone.accounting.plan.sending import send
from cone.accounting.port.documents import InvoiceDocument, InvoiceLineDocument
from cone.accounting.port.verdicts import CauseCode
from cone.accounting.records import InvoiceRecord, LineRecord, Situation, Subject

# The lowest limit among the providers: a longer number is a cause before anything is sent.
MAX_NUMBER_LENGTH = 21


def plan_invoice(subject: Subject, record: InvoiceRecord, situation: Situation) -> Decision:
    """Send an issued invoice that is in scope, once everything it refers to is linked."""
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
    return send(subject, invoice_document(record, customer_id, situation))


def invoice_document(record: InvoiceRecord, customer_id: str, situation: Situation) -> InvoiceDocument:
    """An invoice as it should stand there, its references resolved."""
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
