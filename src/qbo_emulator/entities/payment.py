"""Payments: applied to invoices of the same customer, the rest unapplied; they change the invoices they pay."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business, missing, unsupported
from qbo_emulator.jsonio import ZERO, Json, dec, money

from .account import find_account, home_currency
from .entity import Entity, find
from .fields import (
    ENVELOPE,
    TAIL,
    Amount,
    Bool,
    Choice,
    Date,
    Kept,
    Kind,
    ListOf,
    Number,
    ReadOnly,
    Ref,
    Shape,
    Text,
    Uncovered,
    require,
)
from .invoice import applied, check_open
from .references import View, rendered

if TYPE_CHECKING:
    from qbo_emulator.books import Txn

rule("payment.unapplied", "What the lines do not use stands in UnappliedAmt", Mark.DOCUMENT, "Intuit payment reference")
rule(
    "payment.side-effect",
    "Applying or removing a payment changes SyncToken, Balance and LinkedTxn of the invoice",
    Mark.DOCUMENT,
    "Intuit payment reference",
)
rule("payment.customer", "An invoice of another customer cannot be linked (620)", Mark.REPORT, "third-party report")
rule("payment.over-balance", "A line above the invoice's open balance is refused with 6000", Mark.ASSUMPTION)
rule(
    "payment.deposit-account",
    "DepositToAccountRef defaults to Undeposited Funds",
    Mark.DOCUMENT,
    "Intuit payment reference",
)
rule("payment.void", "A void leaves zero amounts, no lines and the note Voided", Mark.RECORDING, "recorded void")
rule("payment.links", "Payments linked to credit memos, journal entries, checks", Mark.MISSING)

_PAYMENT_LINE = Shape(
    "Line",
    {
        "Amount": Amount(),
        "LinkedTxn": ListOf(Shape("LinkedTxn", {"TxnId": Text(30), "TxnType": Text(50), "TxnLineId": Uncovered()})),
        "LineEx": ReadOnly(),
        "Id": ReadOnly(),
        "LineNum": ReadOnly(),
        "DetailType": ReadOnly(),
        "Description": Uncovered(),
        "CustomExtensions": ReadOnly(),
    },
)


def _uncovered(*names: str) -> dict[str, Kind]:
    return {name: Uncovered() for name in names}


class Payment(Entity):
    name = "Payment"
    sequence = "Txn"
    is_list = False
    can_delete = True
    shape = Shape(
        "Payment",
        {
            "CustomerRef": Ref("Customer"),
            "DepositToAccountRef": Ref("Account"),
            "PaymentMethodRef": Ref("PaymentMethod"),
            "PaymentRefNum": Text(21),
            "TotalAmt": Amount(),
            "UnappliedAmt": ReadOnly(),
            "ProcessPayment": Bool(),
            **ENVELOPE,
            "TxnDate": Date(),
            "CurrencyRef": Ref("Currency"),
            "ExchangeRate": Number(),
            "PrivateNote": Text(4000),
            "LinkedTxn": ReadOnly(),
            "Line": ListOf(_PAYMENT_LINE),
            "ARAccountRef": Ref("Account"),
            **TAIL,
            "TxnSource": ReadOnly(),
            "TxnStatus": ReadOnly(),
            "TaxExemptionRef": Kept(),
            "PaymentType": Choice(("Cash", "Check", "CreditCard")),
            **_uncovered(
                "DocNumber",
                "TxnSubType",
                "DepartmentRef",
                "TxnTaxDetail",
                "TaxFormType",
                "TaxFormNum",
                "TransactionLocationType",
                "Tag",
                "TxnApprovalInfo",
                "RecurDataRef",
                "RecurringInfo",
                "ProjectRef",
                "TotalCostAmount",
                "HomeTotalCostAmount",
                "RemitToRef",
                "CheckPayment",
                "CreditCardPayment",
                "PaymentExtendedType",
                "PaymentEx",
                "CustomField",
            ),
        },
    )

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        require(given, "CustomerRef")
        if given.get("TotalAmt") is None:
            raise missing("TotalAmt")
        record = dict(given)
        record["TotalAmt"] = money(dec(record["TotalAmt"]))
        if record["TotalAmt"] < 0:
            raise business("The amount of the payment must be zero or more.")
        record.setdefault("TxnDate", txn.books.clock.today().isoformat())
        check_open(txn, record, before)
        currency = home_currency(txn)
        if record.get("CurrencyRef", {"value": currency})["value"] != currency:
            raise business("The currency of the payment must be the currency of the customer.")
        record["CurrencyRef"] = {"value": currency}
        record.pop("ExchangeRate", None)
        if not record.get("DepositToAccountRef"):
            number = find_account(txn.all("Account"), "UndepositedFunds")
            record["DepositToAccountRef"] = {"value": number} if number else None
        record.setdefault("ProcessPayment", False)
        record["Line"] = [self._line(txn, record, line, before) for line in record.get("Line", [])]
        used = sum((dec(line["Amount"]) for line in record["Line"]), ZERO)
        if used > record["TotalAmt"]:
            raise business("The amounts applied are larger than the payment.")
        record["UnappliedAmt"] = money(record["TotalAmt"] - used)
        return record

    def _line(self, txn: Txn, record: Json, line: Json, before: Json | None) -> Json:
        if line.get("Amount") is None:
            raise missing("Amount")
        links = line.get("LinkedTxn") or []
        if len(links) != 1 or not links[0].get("TxnId"):
            raise missing("LinkedTxn")
        if links[0].get("TxnType") != "Invoice":
            raise unsupported(f"payment linked to {links[0].get('TxnType')}")
        number = links[0]["TxnId"]
        invoice = txn.get("Invoice", number)
        if invoice is None:
            raise Fault(620, "Cannot validate linked transactions")
        if invoice["CustomerRef"]["value"] != record["CustomerRef"]["value"]:
            raise Fault(620, "Cannot validate linked transactions")
        amount = money(dec(line["Amount"]))
        mine = applied(txn, [{"TxnId": before["Id"]}], number) if before else ZERO
        if amount <= 0 or amount > dec(invoice["Balance"]) + mine:
            raise business("The amount applied must be above zero and not above the open balance of the invoice.")
        return {"Amount": amount, "LinkedTxn": [{"TxnId": number, "TxnType": "Invoice"}]}

    def void(self, txn: Txn, record: Json) -> Json:
        check_open(txn, record, record)
        return {**record, "TotalAmt": ZERO, "UnappliedAmt": ZERO, "Line": [], "PrivateNote": "Voided"}

    def check_delete(self, txn: Txn, record: Json) -> None:
        check_open(txn, record, record)

    def after_write(self, txn: Txn, before: Json | None, after: Json | None) -> None:
        payment_id = (after or before or {})["Id"]
        old, new = _amounts(before), _amounts(after)
        for number in old.keys() | new.keys():
            if old.get(number) == new.get(number):
                continue
            invoice = find(txn, "Invoice", number)
            link = {"TxnId": payment_id, "TxnType": "Payment"}
            links = [each for each in invoice["LinkedTxn"] if each != link]
            if number in new:
                links.append(link)
            balance = money(dec(invoice["Balance"]) + old.get(number, ZERO) - new.get(number, ZERO))
            txn.touch("Invoice", {**invoice, "LinkedTxn": links, "Balance": balance})

    def render(self, view: View, record: Json) -> Json:
        answer = rendered(view, self.shape, record)
        answer["Line"] = [{**line, "LineEx": {"any": _line_extras(view, line)}} for line in record["Line"]]
        if answer.get("DepositToAccountRef"):
            answer["DepositToAccountRef"] = {"value": answer["DepositToAccountRef"]["value"]}
        return answer

    def owed(self, record: Json) -> Iterable[tuple[str, Decimal]]:
        return ((record["CustomerRef"]["value"], -dec(record["UnappliedAmt"])),)

    def postings(self, view: View, record: Json) -> Iterable[tuple[str, Decimal]]:
        roles = view.get("Roles", "1") or {}
        if record.get("DepositToAccountRef"):
            yield record["DepositToAccountRef"]["value"], dec(record["TotalAmt"])
        if "receivable" in roles:
            yield roles["receivable"], -dec(record["TotalAmt"])


def _amounts(record: Json | None) -> dict[str, Decimal]:
    """Invoice id to the amount the payment applies to it."""
    amounts: dict[str, Decimal] = {}
    for line in (record or {}).get("Line", []):
        number = line["LinkedTxn"][0]["TxnId"]
        amounts[number] = amounts.get(number, ZERO) + dec(line["Amount"])
    return amounts


def _line_extras(view: View, line: Json) -> list[Json]:
    """The name-value objects behind a payment line, in the form they were recorded."""
    number = line["LinkedTxn"][0]["TxnId"]
    invoice = view.get("Invoice", number) or {}
    balance = dec(invoice.get("Balance")) + dec(line["Amount"])
    values = (
        ("txnId", number),
        ("txnOpenBalance", f"{balance:.2f}"),
        ("txnReferenceNumber", invoice.get("DocNumber") or ""),
    )
    return [
        {
            "name": "{http://schema.intuit.com/finance/v3}NameValue",
            "declaredType": "com.intuit.schema.finance.v3.NameValue",
            "scope": "javax.xml.bind.JAXBElement$GlobalScope",
            "value": {"Name": name, "Value": value},
            "nil": False,
            "globalScope": True,
            "typeSubstituted": False,
        }
        for name, value in values
    ]
