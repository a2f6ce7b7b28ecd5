"""Verify after send: "synced" means that the answer's figures equal ours. Pure.

What an answer must agree with is stored with the attempt, so that an answer that comes late, to a repeat or to another
process, is checked against what was sent and not against what the record has become since.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from cone.accounting.port.documents import (
    CustomerDocument,
    Document,
    InvoiceDocument,
    PaymentDocument,
    RemoteRecord,
    ServiceDocument,
)
from cone.accounting.port.verdicts import AMOUNTS_IN
from cone.kit.money import round_amount
from cone.kit.values import Value

_DECIMALS_OF_A_RATE = 6
_SHOWS_AT_HOME = Decimal("0.005")


class Expected(Value):
    """The figures of a sent invoice, in its currency; `has_text`: a memo went with it."""

    number: str
    currency: str
    net: Decimal
    tax: Decimal
    total: Decimal
    customer_id: str
    exchange_rate: Decimal | None = None
    has_text: bool = False

    def to_json(self) -> dict[str, Any]:
        """Every figure as a string: exact through any JSON."""
        return _optional(self) | {
            "number": self.number,
            "currency": self.currency,
            "net": str(self.net),
            "tax": str(self.tax),
            "total": str(self.total),
            "customer_id": self.customer_id,
        }


class ExpectedPayment(Value):
    """The figures of a sent payment; `applied` is the amount by the invoice's id there, `has_text` as above."""

    currency: str
    total: Decimal
    deposit_account_id: str
    applied: Mapping[str, Decimal]
    customer_id: str
    received_date: date
    exchange_rate: Decimal | None = None
    has_text: bool = False

    def to_json(self) -> dict[str, Any]:
        """Every figure as a string: exact through any JSON."""
        return _optional(self) | {
            "currency": self.currency,
            "total": str(self.total),
            "deposit_account_id": self.deposit_account_id,
            "applied": {invoice_id: str(amount) for invoice_id, amount in self.applied.items()},
            "customer_id": self.customer_id,
            "received_date": self.received_date.isoformat(),
        }


Expectation: TypeAlias = Expected | ExpectedPayment


def expected_of(document: Document) -> Expectation | None:
    """What the answer to this document must agree with; None where there are no figures."""
    if isinstance(document, PaymentDocument):
        return ExpectedPayment(
            currency=document.currency,
            total=document.amount,
            deposit_account_id=document.deposit_account_id,
            applied={part.invoice_id: part.amount for part in document.allocations},
            customer_id=document.customer_id,
            received_date=document.received_date,
            exchange_rate=document.exchange_rate,
            has_text=bool(document.reference),
        )
    if not isinstance(document, InvoiceDocument):
        return None
    return Expected(
        number=document.number,
        currency=document.currency,
        net=document.net,
        tax=document.tax,
        total=document.total,
        customer_id=document.customer_id,
        exchange_rate=document.exchange_rate,
        has_text=bool(document.memo),
    )


def read_expected(stored: Mapping[str, Any] | None) -> Expectation | None:
    """The inverse of `to_json`."""
    if not stored:
        return None
    if "applied" in stored:
        return ExpectedPayment(
            currency=stored["currency"],
            total=Decimal(stored["total"]),
            deposit_account_id=stored["deposit_account_id"],
            applied={invoice_id: Decimal(amount) for invoice_id, amount in stored["applied"].items()},
            customer_id=stored["customer_id"],
            received_date=date.fromisoformat(stored["received_date"]),
            exchange_rate=_rate(stored),
            has_text=stored.get("has_text", False),
        )
    return Expected(
        number=stored["number"],
        currency=stored["currency"],
        net=Decimal(stored["net"]),
        tax=Decimal(stored["tax"]),
        total=Decimal(stored["total"]),
        customer_id=stored["customer_id"],
        exchange_rate=_rate(stored),
        has_text=stored.get("has_text", False),
    )


def _optional(expected: Expected | ExpectedPayment) -> dict[str, Any]:
    """What is said only where there's something to say: an attempt is written for every record."""
    said: dict[str, Any] = {}
    if expected.exchange_rate is not None:
        said["exchange_rate"] = str(expected.exchange_rate)
    if expected.has_text:
        said["has_text"] = True
    return said


def _rate(stored: Mapping[str, Any]) -> Decimal | None:
    return Decimal(stored["exchange_rate"]) if "exchange_rate" in stored else None


def is_somebody_elses(expected: Expectation | None, answer: RemoteRecord, *, marker: str) -> bool:
    """Whether an answer can't be to what we sent: another record's marker, or another customer."""
    if answer.marker and answer.marker != marker:
        return True
    return expected is not None and answer.customer_id not in (None, expected.customer_id)


def is_certainly(document: Document, found: RemoteRecord) -> bool:
    """Whether a record found by its business key is ours beyond doubt.

    Invoices and payments carry our marker; a customer's name alone proves nothing, its e-mail address does; an item
    of the same name is the item to use.
    """
    match document:
        case InvoiceDocument() | PaymentDocument():
            return found.marker == str(document.uuid)
        case CustomerDocument():
            return bool(document.email) and found.email.casefold() == document.email.casefold()
        case ServiceDocument():
            return True


def stands_as_sent(expected: Expectation | None, found: RemoteRecord, *, marker: str) -> bool:
    """Whether a record that was found carries our mark, our number and our figures: then nothing is left to send."""
    if expected is None or found.standing != "live" or found.marker != marker:
        return False
    takes_number = isinstance(expected, Expected) and not expected.number
    return not takes_number and find_difference(expected, found) is None


def find_difference(expected: Expectation | None, answer: RemoteRecord) -> dict[str, str] | None:
    """What differs between a record as sent and as answered, as the cause's facts; None when they're equal.

    Balance isn't compared: payments, deposits and credits applied there are no error. Nor is what else a payment's
    rest was applied to there.
    """
    match expected:
        case None:
            return None
        case ExpectedPayment():
            return _find_difference_of_payment(expected, answer) or _find_difference_of_rate(expected, answer)
        case Expected():
            return _find_difference_of_invoice(expected, answer) or _find_difference_of_rate(expected, answer)


def _find_difference_of_payment(expected: ExpectedPayment, answer: RemoteRecord) -> dict[str, str] | None:
    applied = {part.invoice_id: part.amount for part in answer.applied}
    ours, theirs = sum(expected.applied.values(), start=Decimal(0)), Decimal(0)
    for invoice_id, amount in expected.applied.items():
        theirs += min(applied.get(invoice_id, Decimal(0)), amount)
    compared = [("amount", expected.total, answer.total), ("amount applied to invoices", ours, theirs)]
    if applied.keys() == expected.applied.keys():
        compared.append(("rest that isn't applied", expected.total - ours, answer.unapplied))
    for what, here, there in compared:
        if there is not None and here != there:
            return {
                "what": what,
                **_amounts(here, there, expected.currency),
                "reason": "Its invoices may have been paid or changed there meanwhile.",
            }
    if answer.deposit_account_id not in (None, expected.deposit_account_id):
        return {
            "what": "account it was paid into",
            "ours": "the default account",
            "theirs": "another one",
            "reason": "The account may have been replaced there.",
        }
    return None


def _find_difference_of_invoice(expected: Expected, answer: RemoteRecord) -> dict[str, str] | None:
    for what, ours, theirs in (("total", expected.total, answer.total), ("tax", expected.tax, answer.tax)):
        if theirs is not None and theirs != ours:
            return {
                "what": what,
                "number": expected.number,
                **_amounts(ours, theirs, expected.currency),
                "reason": _likely_reason(expected, answer),
            }
    if expected.number and answer.number is not None and answer.number != expected.number:
        return {
            "what": "number",
            "number": expected.number,
            "ours": expected.number,
            "theirs": answer.number,
            "reason": "The company numbers its invoices by itself, although this one came with a number.",
        }
    return None


def is_tax_alone(expected: Expectation | None, answer: RemoteRecord) -> bool:
    """Whether an invoice's tax differs and nothing else was counted: then our own tax mends it, where it's taken.

    What is as sent beside it is the net, or the total where prices include the tax.
    """
    if not isinstance(expected, Expected) or answer.tax is None or answer.total is None:
        return False
    return answer.tax != expected.tax and answer.total in (expected.net + answer.tax, expected.total)


def _find_difference_of_rate(expected: Expectation, answer: RemoteRecord) -> dict[str, str] | None:
    """How many decimals are kept there isn't documented: six are compared at least, more where it tells more.

    What rounding to those takes off must not show in the document's worth at home: half of 0.01, or more, is told.
    """
    ours, theirs = expected.exchange_rate, answer.exchange_rate
    if ours is None or theirs is None:
        return None
    places = max(_DECIMALS_OF_A_RATE, -int(theirs.normalize().as_tuple().exponent))
    is_rounded = abs(ours - theirs) < Decimal(1).scaleb(-places)
    if is_rounded and abs(ours - theirs) * expected.total < _SHOWS_AT_HOME:
        return None
    return {
        "what": "exchange rate",
        "number": expected.number if isinstance(expected, Expected) else "",
        "ours": f"{ours.normalize():f}",
        "theirs": f"{theirs.normalize():f}",
        "reason": (
            "The company keeps fewer decimals of a rate, which shows in the amount in its own currency."
            if is_rounded
            else "The company took another rate than the one sent."
        ),
    }


def _likely_reason(expected: Expected, answer: RemoteRecord) -> str:
    if answer.tax is None or answer.total is None:
        return "The amounts of the lines differ."
    # With tax-inclusive prices another rate leaves the total as it is and moves the net.
    if answer.total != expected.total and answer.total - answer.tax != expected.net:
        return "The amounts of the lines differ."
    if round_amount(answer.tax, expected.currency) == expected.tax:
        return f"{expected.currency} has fewer decimals here than there."
    if abs(answer.tax - expected.tax) <= Decimal("0.05"):
        return "The tax is rounded differently: per line on one side, per invoice on the other."
    return "The mapped tax code charges another percentage, or the company computes sales tax by itself."


def _amounts(ours: Decimal, theirs: Decimal, currency: str) -> dict[str, str]:
    """How people write them is whose page shows them."""
    return {"ours": f"{ours:f}", "theirs": f"{theirs:f}", AMOUNTS_IN: currency}
