"""Our documents in QuickBooks' words: pure, and the same step gives the same bytes.

What QuickBooks would cut, or refuse for a reason known here, is refused before anything is sent. Rules and lengths:
api-facts §4.4 to §4.6 and §4.11.

Updates are sparse: our fields win, the rest stays. A field that's empty here isn't sent, so that what the bookkeeper
filled in stays; but an invoice's memo and a payment's reference are emptied where ours stood there. What stands on an
invoice's lines there has to be said again: see `kept`.

A tax mapping in a US company: TAX and NON are line codes. A real code's id means "taxable under that code": its lines
carry TAX and the code goes on the document (`TxnTaxCodeRef`), which takes only one. Companies with automated sales
tax replace it and compute the tax by address; the answer's total tells.
"""

from decimal import ROUND_HALF_UP, Decimal

from cone.accounting.port.company import CompanyFacts
from cone.accounting.port.documents import (
    Address,
    Create,
    CustomerDocument,
    Delete,
    InvoiceDocument,
    InvoiceLineDocument,
    PaymentDocument,
    Removal,
    ServiceDocument,
    Step,
    Update,
    Void,
    Write,
)
from cone.accounting.port.provider import WireRequest
from cone.accounting.port.verdicts import Answered, CauseCode, RejectedError
from cone.kit.money import round_amount
from cone.providers.quickbooks.kept import keep_theirs
from cone.providers.quickbooks.taxes import check_taxes, line_tax_code, tax_detail
from cone.providers.quickbooks.wire import MINOR_VERSION, JsonObject, encode, number

MARKER = "cone:"
AUTO_GENERATE = "AUTO_GENERATE"

_PRICE_DECIMALS = 7
_LARGEST_AMOUNT = Decimal(10) ** 10


def prepare(step: Step, facts: CompanyFacts) -> WireRequest:
    """Write a step as a request. Raises RejectedError for what QuickBooks can't take."""
    if isinstance(step, Void | Delete):
        return _removal(step)
    entity, fields = _written(step, facts)
    if isinstance(step, Create):
        return WireRequest(line=f"POST /{entity}?minorversion={MINOR_VERSION}", body=encode(fields))
    if step.kept:
        fields = keep_theirs(fields, step.kept)
    fields = {"Id": step.remote_id, "SyncToken": step.remote_version, "sparse": True, **fields}
    # QuickBooks knows an update by its Id; the parameter, which clients send too, says it to a batch (§2.1).
    return WireRequest(line=f"POST /{entity}?operation=update&minorversion={MINOR_VERSION}", body=encode(fields))


def _removal(step: Removal) -> WireRequest:
    """Void or delete: the body is the record's id and version, nothing more (§2.1, §5)."""
    if step.kind not in ("invoice", "payment"):
        raise _refuse("QuickBooks voids and deletes transactions only.", field_name="record")
    fields: JsonObject = {"Id": step.remote_id, "SyncToken": step.remote_version}
    operation = "void" if isinstance(step, Void) else "delete"
    if isinstance(step, Void) and step.kind == "payment":
        operation = "update&include=void"
        fields["sparse"] = True
    line = f"POST /{step.kind}?operation={operation}&minorversion={MINOR_VERSION}"
    return WireRequest(line=line, body=encode(fields))


def is_deletion(line: str) -> bool:
    """Whether a request, as stored, deletes a record: its answer has a shape of its own."""
    return "?operation=delete&" in line


def _written(step: Write, facts: CompanyFacts) -> tuple[str, JsonObject]:
    is_new = isinstance(step, Create)
    empties_text = isinstance(step, Update) and step.has_text
    match document := step.document:
        case CustomerDocument():
            return "customer", _customer(document, facts, is_new=is_new)
        case ServiceDocument():
            return "item", _item(document, is_new=is_new)
        case InvoiceDocument():
            return "invoice", _invoice(document, facts, is_new=is_new, empties_text=empties_text)
        case PaymentDocument():
            return "payment", _payment(document, facts, is_new=is_new, empties_text=empties_text)


def _customer(document: CustomerDocument, facts: CompanyFacts, *, is_new: bool) -> JsonObject:
    _check_currency(document.currency, facts)
    fields: JsonObject = {"DisplayName": _name(document.name, longest=500)}
    if document.email:
        fields["PrimaryEmailAddr"] = {"Address": _email(document.email)}
    if document.phone:
        fields["PrimaryPhone"] = {"FreeFormNumber": _text(document.phone, "phone", longest=30)}
    if address := _address(document.address):
        fields["BillAddr"] = address
    if document.notes:
        fields["Notes"] = _text(document.notes, "notes", longest=2000)
    if document.tax_number:
        fields["PrimaryTaxIdentifier"] = document.tax_number
    if facts.is_multicurrency and is_new:  # fixed for life there
        fields["CurrencyRef"] = {"value": document.currency}
    return fields


def _address(address: Address) -> JsonObject:
    """All parts once one is filled, so that a part of the old address can't stay behind."""
    parts = {
        "Line1": _text(address.line1, "address", longest=500),
        "Line2": _text(address.line2, "address", longest=500),
        "City": _text(address.city, "city", longest=255),
        "CountrySubDivisionCode": _text(address.region, "region", longest=255),
        "PostalCode": _text(address.postal_code, "postal code", longest=30),
        "Country": _text(address.country, "country", longest=255),
    }
    return dict(parts) if any(parts.values()) else {}


def _item(document: ServiceDocument, *, is_new: bool) -> JsonObject:
    if not document.income_account_id:
        raise _refuse("An item needs an income account.", CauseCode.INCOME_ACCOUNT_MISSING, field_name="income account")
    fields: JsonObject = {"Name": _name(document.name, longest=100)}
    if is_new:
        fields["Type"] = "Service"
    fields["Description"] = _text(document.description, "description", longest=4000)
    fields["UnitPrice"] = number(document.unit_price)
    fields["IncomeAccountRef"] = {"value": document.income_account_id}
    return fields


def _invoice(document: InvoiceDocument, facts: CompanyFacts, *, is_new: bool, empties_text: bool) -> JsonObject:
    _check_currency(document.currency, facts)
    check_taxes(document, facts)
    fields: JsonObject = {"CustomerRef": {"value": document.customer_id}}
    if number_there := _number_of(document, facts, is_new=is_new):
        fields["DocNumber"] = number_there
    fields["TxnDate"] = document.issue_date.isoformat()
    fields["DueDate"] = document.due_date.isoformat()
    fields |= _currency(document, facts)
    if facts.tax_model != "us":
        fields["GlobalTaxCalculation"] = _calculation(document, facts)
    fields["Line"] = [_line(line, document, facts) for line in document.lines]
    if detail := tax_detail(document, facts):
        fields["TxnTaxDetail"] = detail
    if document.memo or empties_text:
        fields["CustomerMemo"] = {"value": _text(document.memo, "memo", longest=1000)}
    if is_new:
        fields["PrivateNote"] = f"{MARKER}{document.uuid}"
    if document.customer_email:
        fields["BillEmail"] = {"Address": _email(document.customer_email)}
    if document.deposit_account_id:
        fields["DepositToAccountRef"] = {"value": document.deposit_account_id}
    return fields


def _line(line: InvoiceLineDocument, document: InvoiceDocument, facts: CompanyFacts) -> JsonObject:
    """A sales line. Its `Amount` never contains tax; the gross goes beside it when amounts are inclusive."""
    if abs(line.net) >= _LARGEST_AMOUNT or abs(line.amount) >= _LARGEST_AMOUNT:
        raise _refuse("QuickBooks takes amounts below 10,000,000,000 on a line.", field_name="amount")
    quantity, unit_price = _price(line, document)
    detail: JsonObject = {
        "ItemRef": {"value": line.item_id},
        "Qty": number(quantity),
        "UnitPrice": number(unit_price),
    }
    if facts.tax_model != "none":
        detail["TaxCodeRef"] = {"value": line_tax_code(line, facts)}
    if facts.tax_model == "global" and document.amounts_are == "inclusive":
        detail["TaxInclusiveAmt"] = number(line.amount)
    fields: JsonObject = {"Amount": number(line.net)}
    if line.description:
        fields["Description"] = _text(line.description, "description", longest=4000)
    return {**fields, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}


def _price(line: InvoiceLineDocument, document: InvoiceDocument) -> tuple[Decimal, Decimal]:
    """Quantity and net unit price whose rounded product is the net amount; one × amount where ours isn't (6070)."""
    unit_price = line.unit_price
    if document.amounts_are == "inclusive":
        if not line.quantity:
            return Decimal(1), line.net
        unit_price = (line.net / line.quantity).quantize(Decimal(1).scaleb(-_PRICE_DECIMALS), rounding=ROUND_HALF_UP)
    is_exact = round_amount(line.quantity * unit_price, document.currency) == line.net
    if is_exact and unit_price == round(unit_price, _PRICE_DECIMALS):
        return line.quantity, unit_price
    return Decimal(1), line.net


def _payment(document: PaymentDocument, facts: CompanyFacts, *, is_new: bool, empties_text: bool) -> JsonObject:
    """A payment with the full list of its lines, which an update replaces as a whole (§4.7).

    The company's own payment method of the same name is used, and none is made: a list of theirs that grows by what
    is typed here would be theirs to tidy up. A name without a counterpart is kept in the note instead.
    """
    _check_currency(document.currency, facts)
    if not document.deposit_account_id:
        message = "A payment needs the account it was paid into."
        raise _refuse(message, CauseCode.DEFAULT_ACCOUNT_MISSING, field_name="default account")
    if len(document.reference) > 21:
        message = "A payment's reference there has at most 21 characters."
        raise _refuse(message, CauseCode.REFERENCE_TOO_LONG, field_name="reference")
    fields: JsonObject = {
        "CustomerRef": {"value": document.customer_id},
        "TotalAmt": number(document.amount),
        "TxnDate": document.received_date.isoformat(),
    }
    fields |= _currency(document, facts)
    fields["DepositToAccountRef"] = {"value": document.deposit_account_id}
    if document.method_id:
        fields["PaymentMethodRef"] = {"value": document.method_id}
    if document.reference or empties_text:
        fields["PaymentRefNum"] = document.reference
    if is_new:
        paid_by = f"\nPaid by: {document.method}" if document.method and not document.method_id else ""
        fields["PrivateNote"] = f"{MARKER}{document.uuid}{paid_by}"
    if document.allocations or not is_new:
        fields["Line"] = [
            {
                "Amount": number(part.amount),
                "LinkedTxn": [{"TxnId": part.invoice_id, "TxnType": "Invoice"}],
            }
            for part in document.allocations
        ]
    return fields


def _calculation(document: InvoiceDocument, facts: CompanyFacts) -> str:
    if facts.tax_model == "none":
        return "NotApplicable"
    return "TaxInclusive" if document.amounts_are == "inclusive" else "TaxExcluded"


def _currency(document: InvoiceDocument | PaymentDocument, facts: CompanyFacts) -> JsonObject:
    """The currency, and our own rate where we have one; said to companies that know currencies only."""
    if not facts.is_multicurrency:
        return {}
    fields: JsonObject = {"CurrencyRef": {"value": document.currency}}
    if document.exchange_rate is not None:
        fields["ExchangeRate"] = number(document.exchange_rate)
    return fields


def _check_currency(currency: str, facts: CompanyFacts) -> None:
    if currency != facts.home_currency and not facts.is_multicurrency:
        raise RejectedError(
            Answered(message=f"This QuickBooks company works in {facts.home_currency} only."),
            cause=CauseCode.CURRENCY_UNSUPPORTED,
            field_name="currency",
            params={"currency": currency, "home_currency": facts.home_currency},
        )


def _name(name: str, *, longest: int) -> str:
    """A list name: no colon, tab or line break, neither empty nor too long."""
    name = name.strip()
    if not name or len(name) > longest:
        raise _refuse(f"A name there has 1 to {longest} characters.", CauseCode.NAME_INVALID, field_name="name")
    if any(character in ":\t\r\n" for character in name):
        message = "A name there can't have a colon, a tab or a line break."
        raise _refuse(message, CauseCode.NAME_INVALID, field_name="name")
    return name


def _number_of(document: InvoiceDocument, facts: CompanyFacts, *, is_new: bool) -> str:
    """Our number; or, where QuickBooks numbers, what makes it do so. Empty: it isn't said.

    With custom numbers on, an invoice without one stays without: the schema's word asks for the next (api-facts §4.6).
    """
    if not document.number:
        return AUTO_GENERATE if is_new and facts.uses_own_numbers else ""
    if len(document.number) > 21:
        message = "An invoice number there has at most 21 characters."
        raise _refuse(message, CauseCode.NUMBER_TOO_LONG, field_name="number")
    return document.number


def _email(email: str) -> str:
    if len(email) > 100 or "@" not in email or "." not in email:
        message = "QuickBooks doesn't take this e-mail address."
        raise _refuse(message, CauseCode.EMAIL_INVALID, field_name="e-mail")
    return email


def _text(text: str, field_name: str, *, longest: int) -> str:
    if len(text) > longest:
        message = f"The {field_name} has {len(text)} characters; QuickBooks takes {longest}."
        raise _refuse(message, field_name=field_name)
    return text


def _refuse(message: str, cause: CauseCode = CauseCode.REFUSED, *, field_name: str) -> RejectedError:
    return RejectedError(Answered(message=message), cause=cause, field_name=field_name, params={"explanation": message})
