"""QuickBooks' own tax arithmetic, run before anything is sent (api-facts §4.11): pure.

Outside the US tax is rounded half up per rate on the sum of the nets; with prices that include tax each line's net is
rounded and the tax is what remains. In the US the rates of the document's one code are rounded apart. Where the outcome
would be another cent than ours, the tax is stated where QuickBooks takes one, and otherwise nothing is sent.
"""

from collections.abc import Sequence
from decimal import Decimal

from cone.accounting.port.company import CompanyFacts, TaxComponent
from cone.accounting.port.documents import InvoiceDocument, InvoiceLineDocument
from cone.accounting.port.verdicts import AMOUNTS_IN, Answered, CauseCode, RejectedError
from cone.kit.money import round_amount, smallest_amount
from cone.providers.quickbooks.wire import JsonObject, number

TAXABLE, NOT_TAXABLE = "TAX", "NON"
# Published limit of taxable lines on an invoice (api-facts §3).
MOST_TAXABLE_LINES = 750
_HUNDRED = Decimal(100)


def check_taxes(document: InvoiceDocument, facts: CompanyFacts) -> None:
    """Refuse what QuickBooks can't charge as we do. Raises RejectedError."""
    taxed = [line for line in document.lines if line.tax_percent]
    if len(taxed) > MOST_TAXABLE_LINES:
        message = f"QuickBooks takes {MOST_TAXABLE_LINES} taxed lines on an invoice; this one has {len(taxed)}."
        raise _refuse(message, CauseCode.TOO_MANY_LINES, field_name="lines")
    if facts.tax_model == "none":
        if document.tax:
            raise _refuse("Sales tax is switched off in this QuickBooks company.", field_name="tax")
        return
    codes = {line.tax_code_id for line in document.lines}
    if "" in codes:
        raise _refuse("A line has no tax code.", CauseCode.TAX_UNMAPPED, field_name="tax code")
    if facts.tax_model == "us" and len(codes - {NOT_TAXABLE}) > 1:
        message = "QuickBooks takes one sales tax code per invoice in the US."
        raise _refuse(message, CauseCode.TAX_CODES_MIXED, field_name="tax code")


def line_tax_code(line: InvoiceLineDocument, facts: CompanyFacts) -> str:
    """The code of a line: in the US only whether it's taxed."""
    if facts.tax_model == "us" and line.tax_code_id != NOT_TAXABLE:
        return TAXABLE
    return line.tax_code_id


def tax_detail(document: InvoiceDocument, facts: CompanyFacts) -> JsonObject | None:
    """The document's own word on its tax; None where QuickBooks comes to the same by itself, or decides alone.

    Raises RejectedError where its total would be another than ours and it takes no word of ours.
    """
    if facts.tax_model == "us" and facts.computes_tax_itself:
        return {"TotalTax": number(document.tax)} if document.is_tax_ours else _document_code(document)
    predicted = predict_tax(document, facts)
    if predicted is None or predicted == document.tax:
        return _document_code(document) if facts.tax_model == "us" else None
    stated = _state_tax(document, facts)
    if stated is None:
        raise _would_differ(document, predicted)
    return stated


def predict_tax(document: InvoiceDocument, facts: CompanyFacts) -> Decimal | None:
    """The tax QuickBooks will come to; None where a code's rates aren't known, or it goes by the address."""
    zero = round_amount(Decimal(0), document.currency)
    taxed = [line for line in document.lines if line.tax_code_id != NOT_TAXABLE]
    if facts.tax_model == "none" or not taxed:
        return zero
    if any(not line.tax_components for line in taxed):
        return None
    if facts.tax_model == "global" and document.amounts_are == "inclusive":
        return sum((line.amount - _net_of(line, document.currency) for line in taxed), start=zero)
    return sum((_tax_on(base, part, document.currency) for part, base in _bases(taxed)), start=zero)


def _net_of(line: InvoiceLineDocument, currency: str) -> Decimal:
    return round_amount(line.amount * _HUNDRED / (_HUNDRED + _percent_of(line.tax_components)), currency)


def _percent_of(parts: Sequence[TaxComponent]) -> Decimal:
    return sum((part.percent for part in parts), start=Decimal(0))


def _bases(lines: Sequence[InvoiceLineDocument]) -> list[tuple[TaxComponent, Decimal]]:
    """Each rate with the sum of the nets that it's charged on."""
    bases: dict[str, tuple[TaxComponent, Decimal]] = {}
    for line in lines:
        for part in line.tax_components:
            _, base = bases.get(part.remote_id, (part, Decimal(0)))
            bases[part.remote_id] = part, base + line.net
    return list(bases.values())


def _tax_on(base: Decimal, part: TaxComponent, currency: str) -> Decimal:
    return round_amount(base * part.percent / _HUNDRED, currency)


def _document_code(document: InvoiceDocument) -> JsonObject | None:
    """The one real code of a US invoice."""
    codes = {line.tax_code_id for line in document.lines} - {TAXABLE, NOT_TAXABLE}
    return {"TxnTaxCodeRef": {"value": min(codes)}} if codes else None


def _state_tax(document: InvoiceDocument, facts: CompanyFacts) -> JsonObject | None:
    """Our tax, rate by rate, where only rounding differs and every rate takes an amount: all of them must be named."""
    bases = _bases(document.lines)
    is_allowed = facts.tax_model == "global" and document.amounts_are == "exclusive"
    if not is_allowed or any(not part.takes_amounts for part, _ in bases):
        return None
    amounts = [_tax_on(base, part, document.currency) for part, base in bases]
    missing = document.tax - sum(amounts)
    smallest = smallest_amount(document.currency)
    if abs(missing) > smallest * len(document.lines):
        return None
    largest = max(range(len(bases)), key=lambda at: (bases[at][0].percent, bases[at][1]))
    amounts[largest] += missing
    return {
        "TotalTax": number(document.tax),
        "TaxLine": [
            {
                "Amount": number(amount),
                "DetailType": "TaxLineDetail",
                "TaxLineDetail": {"TaxRateRef": {"value": part.remote_id}, "NetAmountTaxable": number(base)},
            }
            for (part, base), amount in zip(bases, amounts, strict=True)
        ],
    }


def _would_differ(document: InvoiceDocument, predicted: Decimal) -> RejectedError:
    theirs = document.net + predicted
    return RejectedError(
        Answered(message=f"QuickBooks would come to {theirs:f} {document.currency}."),
        cause=CauseCode.TAX_PERCENT_DIFFERS if _is_of_another_percentage(document) else CauseCode.TOTAL_WOULD_DIFFER,
        field_name="tax",
        params={
            "number": document.number,
            "ours": f"{document.total:f}",
            "theirs": f"{theirs:f}",
            AMOUNTS_IN: document.currency,
            "reason": _reason(document),
        },
    )


def _is_of_another_percentage(document: InvoiceDocument) -> bool:
    return any(line.tax_components and line.tax_percent != _percent_of(line.tax_components) for line in document.lines)


def _reason(document: InvoiceDocument) -> str:
    if document.amounts_are == "inclusive":
        return "It adds tax to net prices, and yours include it: state the prices without tax, or change one by a cent."
    return "It rounds the tax of each of its rates apart. Change a price by a cent, or the mapping of the rate."


def _refuse(message: str, cause: CauseCode = CauseCode.REFUSED, *, field_name: str) -> RejectedError:
    return RejectedError(Answered(message=message), cause=cause, field_name=field_name, params={"explanation": message})
