"""Estimates: documents that post nothing, until an invoice is linked to them."""
# ruff: noqa: ARG002 - all entities have one signature

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.jsonio import Json
from qbo_emulator.ledger import Txn, View

from .fields import Choice, Date, Text
from .sales import SalesDocument
from .sales_shape import answer_shape, sales_shape

rule(
    "estimate.status",
    "TxnStatus is Pending, Accepted, Closed or Rejected; Pending when left out; nothing is posted",
    Mark.DOCUMENT,
    "Intuit estimate reference",
)


class Estimate(SalesDocument):
    name = "Estimate"
    shape = sales_shape(
        "Estimate",
        own={"ExpirationDate": Date(), "AcceptedBy": Text(100), "AcceptedDate": Date()},
        rare={"TxnStatus": Choice(("Pending", "Accepted", "Closed", "Rejected", "Converted"))},
    )
    answer = answer_shape(shape)

    def settle_balance(self, txn: Txn, record: Json, before: Json | None) -> None:
        record.setdefault("TxnStatus", "Pending")
        record["LinkedTxn"] = list(before["LinkedTxn"]) if before else []

    def postings(self, view: View, record: Json) -> Iterable[tuple[str, Decimal]]:
        return ()

    def moved(self, record: Json) -> Iterable[tuple[str, Decimal]]:
        return ()
