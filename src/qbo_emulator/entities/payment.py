"""Payments: applied to invoices of the same customer, the rest unapplied; they change the invoices they pay."""
# ruff: noqa: ARG002 - all entities have one signature

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business, missing, unsupported
from qbo_emulator.jsonio import ZERO, Json, dec, money
from qbo_emulator.ledger import Txn, View

from .account import find_account
from .currency import deposited, home_amounts, is_kept_at_home, receivable, settle_currency
from .deposit import check_not_deposited
from .entity import Entity, find, is_sparse
from .fields import (
    ENVELOPE,
    TAIL,
    Amount,
    Bool,
    Choice,
    Date,
    Kept,
    ListOf,
    Number,
    ReadOnly,
    Ref,
    Shape,
    Text,
    Uncovered,
    require,
    uncovered,
)
from .gains import settle_gain
from .invoice import applied, unapplied
from .period import check_open
from .references import rendered
from .sales_shape import LINKED

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
rule(
    "payment.sparse-amount",
    "A sparse update of TotalAmt without Line is refused (2020)",
    Mark.RECORDING,
    "recording of 2026 of an amount alone; which parameter the fault names is assumed",
)
rule("payment.void", "A void leaves zero amounts, no lines and the note Voided", Mark.RECORDING, "recorded void")
rule(
    "payment.credit-memo",
    "Lines linked to credit memos add to what the payment can pay; the total may be 0",
    Mark.REPORT,
    "third-party report",
)
rule("payment.links", "Payments linked to journal entries, expenses and checks", Mark.MISSING)

_PAYMENT_LINE = Shape(
    "Line",
    {
        "Amount": Amount(),
        "LinkedTxn": LINKED,
        "LineEx": ReadOnly(),
        "Id": ReadOnly(),
        "LineNum": ReadOnly(),
        "DetailType": ReadOnly(),
        "Description": Uncovered(),
        "CustomExtensions": ReadOnly(),
    },
)


class Payment(Entity):
    name = "Payment"
    void_forms = frozenset({"include"})
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
            **uncovered(
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
        check_not_deposited(txn, self.name, before)
        settle_currency(txn, record, find(txn, "Customer", record["CustomerRef"]["value"]))
        if not record.get("DepositToAccountRef"):
            number = find_account(txn.all("Account"), "UndepositedFunds")
            record["DepositToAccountRef"] = {"value": number} if number else None
        record["_DepositAtHome"] = is_kept_at_home(txn, record)
        record.setdefault("ProcessPayment", False)
        record["Line"] = [self._line(txn, record, line, before) for line in record.get("Line", [])]
        record["UnappliedAmt"] = unapplied(record["TotalAmt"], record["Line"])
        if record["UnappliedAmt"] < 0:
            raise business("The amounts applied are larger than the payment.")
        settle_gain(txn, record)
        return record

    def check_request(self, txn: Txn, body: Json, before: Json | None) -> None:
        if before is not None and body.get("TotalAmt") is not None and body.get("Line") is None and is_sparse(body):
            raise missing("Line")

    def _line(self, txn: Txn, record: Json, line: Json, before: Json | None) -> Json:
        if line.get("Amount") is None:
            raise missing("Amount")
        links = line.get("LinkedTxn") or []
        if len(links) != 1 or not links[0].get("TxnId"):
            raise missing("LinkedTxn")
        kind = str(links[0].get("TxnType"))
        if kind not in _OPEN_AMOUNT:
            raise unsupported(f"payment linked to {kind[:30]}")
        number = links[0]["TxnId"]
        target = txn.get(kind, number)
        if target is None or any(target[name] != record[name] for name in ("CustomerRef", "CurrencyRef")):
            raise Fault(620, "Cannot validate linked transactions")
        amount = money(dec(line["Amount"]))
        mine = applied(txn, [{"TxnId": before["Id"]}], number, kind) if before else ZERO
        if amount <= 0 or amount > dec(target["Balance"]) + mine:
            raise business("The amount applied must be above zero and not above the open balance of the invoice.")
        return {"Amount": amount, "LinkedTxn": [{"TxnId": number, "TxnType": kind}]}

    def void(self, txn: Txn, record: Json) -> Json:
        self.check_delete(txn, record)
        changed = {**record, "TotalAmt": ZERO, "UnappliedAmt": ZERO, "Line": [], "PrivateNote": "Voided"}
        settle_gain(txn, changed)
        return changed

    def check_delete(self, txn: Txn, record: Json) -> None:
        check_open(txn, record, record)
        check_not_deposited(txn, self.name, record)

    def after_write(self, txn: Txn, before: Json | None, after: Json | None) -> None:
        payment_id = (after or before or {})["Id"]
        old, new = _amounts(before), _amounts(after)
        for target in old.keys() | new.keys():
            if old.get(target) == new.get(target):
                continue
            kind, number = target
            record = find(txn, kind, number)
            link = {"TxnId": payment_id, "TxnType": "Payment"}
            links = [each for each in record["LinkedTxn"] if each != link]
            if target in new:
                links.append(link)
            balance = money(dec(record["Balance"]) + old.get(target, ZERO) - new.get(target, ZERO))
            changed = {**record, "LinkedTxn": links, **dict.fromkeys(_OPEN_AMOUNT[kind], balance)}
            txn.touch(kind, {**changed, **home_amounts(changed)})

    def render(self, view: View, record: Json) -> Json:
        answer = rendered(view, self.shape, record)
        answer["Line"] = [{**line, "LineEx": {"any": _line_extras(view, line)}} for line in record["Line"]]
        if answer.get("DepositToAccountRef"):
            answer["DepositToAccountRef"] = {"value": answer["DepositToAccountRef"]["value"]}
        return answer

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        if record["UnappliedAmt"]:
            yield "Unapplied.Payment", record["CustomerRef"]["value"]

    def owed(self, record: Json) -> Iterable[tuple[str, Decimal]]:
        return ((record["CustomerRef"]["value"], -dec(record["UnappliedAmt"])),)

    def postings(self, view: View, record: Json) -> Iterable[tuple[str, Decimal]]:
        total = dec(record["TotalAmt"])
        if record.get("DepositToAccountRef"):
            yield record["DepositToAccountRef"]["value"], deposited(record, total)
        if record.get("_Gain"):
            yield record["_GainAccount"], dec(record["_Gain"])
        account = receivable(view, record)
        if account:
            yield account, -total


# What stands open on a document that a payment can name.
_OPEN_AMOUNT = {"Invoice": ("Balance",), "CreditMemo": ("Balance", "RemainingCredit")}


def _amounts(record: Json | None) -> dict[tuple[str, str], Decimal]:
    """What the payment applies to each document, by kind and id."""
    amounts: dict[tuple[str, str], Decimal] = {}
    for line in (record or {}).get("Line", []):
        link = line["LinkedTxn"][0]
        target = (link["TxnType"], link["TxnId"])
        amounts[target] = amounts.get(target, ZERO) + dec(line["Amount"])
    return amounts


def _line_extras(view: View, line: Json) -> list[Json]:
    """The name-value objects behind a payment line, in the form they were recorded."""
    kind, number = line["LinkedTxn"][0]["TxnType"], line["LinkedTxn"][0]["TxnId"]
    invoice = view.get(kind, number) or {}
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
