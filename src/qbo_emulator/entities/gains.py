"""Realized exchange gains and losses: what a payment is worth at home beside what the documents it pays were worth."""

from __future__ import annotations

from decimal import Decimal

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.jsonio import ZERO, Json, dec
from qbo_emulator.ledger import Txn

from .account import ACCOUNT_TYPES, ensure_account, find_account
from .currency import at_home
from .entity import find

rule(
    "currency.gains",
    "A payment at another rate than its documents' posts the difference to Exchange Gain or Loss",
    Mark.REPORT,
    "guides of integrators and answers in Intuit's community",
)
rule(
    "currency.gains-amount",
    "The difference is the payment at its own rate, less each document's part at the document's rate, less the "
    "unapplied rest at the payment's; each part is rounded to cents",
    Mark.ASSUMPTION,
)


def settle_gain(txn: Txn, payment: Json) -> None:
    """Keep the gain beside the payment, in the sign of its account; answers never show it."""
    payment.pop("_Gain", None)
    payment.pop("_GainAccount", None)
    gain = _gain(txn, payment)
    if not gain:
        return
    account = find_account(txn.all("Account"), "ExchangeGainOrLoss")
    account = account or ensure_account(txn, "Exchange Gain or Loss", "Other Expense", "ExchangeGainOrLoss")
    is_revenue = ACCOUNT_TYPES[find(txn, "Account", account)["AccountType"]][0] == "Revenue"
    payment["_GainAccount"] = account
    payment["_Gain"] = gain if is_revenue else -gain


def follow_rate(txn: Txn, before: Json | None, after: Json | None) -> None:
    """Settle the payments of a document anew when its rate has changed; their versions stay."""
    if before is None or after is None or before.get("ExchangeRate") == after.get("ExchangeRate"):
        return
    for link in after.get("LinkedTxn", []):
        payment = txn.get("Payment", link["TxnId"]) if link["TxnType"] == "Payment" else None
        if payment is not None:
            changed = dict(payment)
            settle_gain(txn, changed)
            txn.put("Payment", changed)


def _gain(txn: Txn, payment: Json) -> Decimal:
    worth = at_home(payment, dec(payment["TotalAmt"])) - at_home(payment, dec(payment["UnappliedAmt"]))
    for line in payment["Line"]:
        link = line["LinkedTxn"][0]
        part = at_home(find(txn, link["TxnType"], link["TxnId"]), dec(line["Amount"]))
        worth += part if link["TxnType"] == "CreditMemo" else -part
    return worth or ZERO
