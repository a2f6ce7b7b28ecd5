"""Credit memos: what a customer has in hand, until payments use it for invoices."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import business
from qbo_emulator.jsonio import ZERO, Json, dec, money
from qbo_emulator.ledger import Txn, View

from .fields import ReadOnly, Ref
from .gains import follow_rate
from .invoice import applied, unlink_payment
from .sales import SalesDocument, owed_to
from .sales_shape import answer_shape, sales_shape

rule(
    "credit-memo.balance",
    "Balance and RemainingCredit are the total less what payments have used",
    Mark.DOCUMENT,
    "Intuit credit memo reference",
)
rule(
    "credit-memo.void",
    "The API does not void a credit memo (500); a person can, once no payment uses it",
    Mark.REPORT,
    "Intuit's answer in an SDK thread; the person's way is assumed",
)


class CreditMemo(SalesDocument):
    name = "CreditMemo"
    sign = -1
    shape = sales_shape(
        "CreditMemo",
        own={"RemainingCredit": ReadOnly(), "PaymentMethodRef": Ref("PaymentMethod"), "InvoiceRef": Ref("Invoice")},
    )
    answer = answer_shape(shape)

    def settle_balance(self, txn: Txn, record: Json, before: Json | None) -> None:
        record["LinkedTxn"] = list(before["LinkedTxn"]) if before else []
        used = applied(txn, record["LinkedTxn"], before["Id"], "CreditMemo") if before else ZERO
        record["Balance"] = record["RemainingCredit"] = money(record["TotalAmt"] - used)
        if record["Balance"] < 0:
            raise business("More of the credit has been used than the transaction's amount.")

    def void(self, txn: Txn, record: Json) -> Json:
        return {**self.voided(txn, record), "RemainingCredit": ZERO}

    def after_write(self, txn: Txn, before: Json | None, after: Json | None) -> None:
        follow_rate(txn, before, after)
        for link in (before or {}).get("LinkedTxn", []):
            if after is None or link not in after["LinkedTxn"]:
                unlink_payment(txn, link["TxnId"], ("CreditMemo", (before or {})["Id"]))

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        yield from super().keys(record)
        if record["Balance"]:
            yield "Open.CreditMemo", record["CustomerRef"]["value"]

    def owed(self, record: Json) -> Iterable[tuple[str, Decimal]]:
        return ((record["CustomerRef"]["value"], -dec(record["Balance"])),)

    def postings(self, view: View, record: Json) -> Iterable[tuple[str, Decimal]]:
        yield from super().postings(view, record)
        yield from owed_to(view, record, -dec(record["TotalAmt"]))
