"""The closed period: no transaction in it is made or changed."""

from __future__ import annotations

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import period_closed
from qbo_emulator.jsonio import Json
from qbo_emulator.ledger import Txn

rule(
    "transaction.closed",
    "A date on or before the closing date refuses create, update, void and delete (6210)",
    Mark.REPORT,
    "third-party report of the text",
)

rule(
    "transaction.closed-links",
    "A payment after the closing date may pay an invoice before it",
    Mark.ASSUMPTION,
    "the trap list names payments against old invoices; read as payments dated in the closed period",
)


def check_open(txn: Txn, record: Json, before: Json | None) -> None:
    """Refuse a change that touches the closed period (6210)."""
    closed = txn.books.preferences["AccountingInfoPrefs"].get("BookCloseDate")
    if closed and any(each["TxnDate"] <= closed for each in (record, before) if each is not None):
        raise period_closed()
