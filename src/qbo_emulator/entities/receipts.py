"""Sales receipts and refund receipts: sold and paid at once, or paid back at once."""
# ruff: noqa: ARG002 - all entities have one signature

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import business
from qbo_emulator.jsonio import ZERO, Json, dec
from qbo_emulator.ledger import Txn, View

from .account import find_account
from .currency import deposited, is_kept_at_home
from .deposit import check_not_deposited
from .entity import find
from .fields import ReadOnly, Ref, Text, require
from .sales import SalesDocument
from .sales_shape import answer_shape, sales_shape

rule(
    "sales-receipt.deposit-account",
    "DepositToAccountRef defaults to Undeposited Funds; Balance is 0",
    Mark.RECORDING,
    "recorded sales receipts",
)
rule("sales-receipt.void", "operation=void or include=void", Mark.REPORT, "what public clients send")
rule(
    "refund-receipt.account",
    "DepositToAccountRef is required (2020): the account the money leaves",
    Mark.DOCUMENT,
    "Intuit refund receipt reference",
)
rule(
    "refund-receipt.void",
    "The API does not void a refund receipt (500); a person can",
    Mark.DOCUMENT,
    "not among the operations of Intuit's refund receipt reference",
)


class _PaidDocument(SalesDocument):
    """A document whose whole amount moves on an account of money."""

    needs_customer = False

    def settle_balance(self, txn: Txn, record: Json, before: Json | None) -> None:
        record["Balance"] = ZERO
        account = find(txn, "Account", record["DepositToAccountRef"]["value"])
        if account["AccountType"] not in {"Bank", "Other Current Asset", "Credit Card"}:
            raise business("The account must be a bank or other current asset account.")
        record["_DepositAtHome"] = is_kept_at_home(txn, record)

    def check_change(self, txn: Txn, before: Json | None) -> None:
        check_not_deposited(txn, self.name, before)

    def void(self, txn: Txn, record: Json) -> Json:
        return self.voided(txn, record)

    def postings(self, view: View, record: Json) -> Iterable[tuple[str, Decimal]]:
        yield from super().postings(view, record)
        yield record["DepositToAccountRef"]["value"], self.sign * deposited(record, dec(record["TotalAmt"]))


class SalesReceipt(_PaidDocument):
    name = "SalesReceipt"
    void_forms = frozenset({"operation", "include"})
    shape = sales_shape(
        "SalesReceipt",
        own={
            "PaymentMethodRef": Ref("PaymentMethod"),
            "PaymentRefNum": Text(21),
            "DepositToAccountRef": Ref("Account"),
            "LessCIS": ReadOnly(),
        },
    )
    answer = answer_shape(shape)

    def settle_dates(self, txn: Txn, record: Json, customer: Json) -> None:
        if not record.get("DepositToAccountRef"):
            found = find_account(txn.all("Account"), "UndepositedFunds")
            record["DepositToAccountRef"] = {"value": found} if found else None
        require(record, "DepositToAccountRef")


class RefundReceipt(_PaidDocument):
    name = "RefundReceipt"
    sign = -1
    shape = sales_shape(
        "RefundReceipt",
        own={
            "RemainingCredit": ReadOnly(),
            "PaymentMethodRef": Ref("PaymentMethod"),
            "PaymentRefNum": Text(21),
            "DepositToAccountRef": Ref("Account"),
        },
    )
    answer = answer_shape(shape)

    def settle_dates(self, txn: Txn, record: Json, customer: Json) -> None:
        require(record, "DepositToAccountRef")
