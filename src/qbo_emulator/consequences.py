"""What QuickBooks does by itself once a record is made: credits and payments applied unasked, opening balances."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from .entities.account import ensure_account
from .entities.entity import Entity, find
from .entities.fields import Amount, Date
from .entities.registry import BY_NAME
from .evidence import Mark, rule
from .faults import business, missing
from .jsonio import ZERO, Json, dec, money
from .operations import create

if TYPE_CHECKING:
    from .books import Txn

rule(
    "invoice.auto-apply-credit",
    "With AutoApplyCredit a new invoice is paid from the customer's open credit memos, oldest first",
    Mark.DOCUMENT,
    "Intuit preferences reference; the order is assumed",
)
rule(
    "payment.auto-apply",
    "With AutoApplyPayments what a new payment leaves unapplied pays the customer's open invoices, and a new invoice "
    "is paid from unapplied payments; oldest first",
    Mark.DOCUMENT,
    "Intuit preferences reference and schema; both directions and the order are assumed",
)
rule(
    "customer.opening-balance",
    "Balance in a new customer, with OpenBalanceDate or today, makes an invoice of that amount against Opening Balance "
    "Equity; later it is read-only",
    Mark.DOCUMENT,
    "Intuit customer reference; the account and the line's words are assumed",
)


def make(txn: Txn, entity: Entity, body: Json) -> Json:
    """Stage a new record and what follows from it; answers the record as it stands then."""
    record = create(txn, entity, body)
    sales = txn.books.preferences["SalesFormsPrefs"]
    match entity.name:
        case "Invoice":
            if sales.get("AutoApplyCredit"):
                _apply_credits(txn, record)
            if sales.get("AutoApplyPayments"):
                _apply_payments(txn, record)
        case "Payment" if sales.get("AutoApplyPayments"):
            _pay_invoices(txn, record)
        case "Customer" if body.get("Balance"):
            _open_balance(txn, record, body)
        case _:
            return record
    return find(txn, entity.name, record["Id"])


def _of_customer(txn: Txn, space: str, document: Json) -> list[Json]:
    """The customer's records in an index of open ones, oldest first."""
    places = txn.holders(space, document["CustomerRef"]["value"])
    found = [record for kind, number in places if (record := txn.get(kind, number)) is not None]
    return sorted(found, key=lambda each: (each["TxnDate"], int(each["Id"])))


def _line(kind: str, record: Json, amount: Decimal) -> Json:
    return {"Amount": amount, "LinkedTxn": [{"TxnId": record["Id"], "TxnType": kind}]}


def _apply_credits(txn: Txn, invoice: Json) -> None:
    """Use the customer's open credit memos by a payment of zero."""
    left = dec(invoice["Balance"])
    lines: list[Json] = []
    for memo in _of_customer(txn, "Open.CreditMemo", invoice):
        amount = min(left, dec(memo["Balance"]))
        if amount > 0:
            lines.append(_line("CreditMemo", memo, amount))
            left -= amount
    used = dec(invoice["Balance"]) - left
    if used:
        body = {name: invoice[name] for name in ("CustomerRef", "CurrencyRef", "TxnDate")}
        create(txn, BY_NAME["Payment"], {**body, "TotalAmt": 0, "Line": [_line("Invoice", invoice, used), *lines]})


def _apply_payments(txn: Txn, invoice: Json) -> None:
    closed = txn.books.preferences["AccountingInfoPrefs"].get("BookCloseDate") or ""
    for payment in _of_customer(txn, "Unapplied.Payment", invoice):
        if payment["TxnDate"] <= closed or txn.holders("Deposited", f"Payment/{payment['Id']}"):
            continue
        left = dec(find(txn, "Invoice", invoice["Id"])["Balance"])
        amount = min(left, dec(payment["UnappliedAmt"]))
        if amount > 0:
            _add_lines(txn, payment, [_line("Invoice", invoice, amount)])


def _pay_invoices(txn: Txn, payment: Json) -> None:
    left = dec(payment["UnappliedAmt"])
    lines: list[Json] = []
    for invoice in _of_customer(txn, "Open.Invoice", payment):
        amount = min(left, dec(invoice["Balance"]))
        if amount > 0:
            lines.append(_line("Invoice", invoice, amount))
            left -= amount
    if lines:
        _add_lines(txn, payment, lines)


def _add_lines(txn: Txn, payment: Json, lines: list[Json]) -> None:
    """Apply more of a payment; one that was made just now keeps its version."""
    entity = BY_NAME["Payment"]
    merged = _merged([*payment["Line"], *lines])
    changed = entity.complete(txn, {**payment, "Line": merged}, payment)
    for name in ("Id", "SyncToken", "MetaData", "domain", "sparse"):
        changed[name] = payment[name]
    if txn.books.get("Payment", payment["Id"]) is None:
        txn.put("Payment", changed)
    else:
        txn.touch("Payment", changed)
    entity.after_write(txn, payment, changed)


def _merged(lines: list[Json]) -> list[Json]:
    """The lines with one for each document."""
    amounts: dict[tuple[str, str], Decimal] = {}
    for line in lines:
        link = line["LinkedTxn"][0]
        target = (link["TxnType"], link["TxnId"])
        amounts[target] = amounts.get(target, ZERO) + dec(line["Amount"])
    return [_line(kind, {"Id": number}, money(amount)) for (kind, number), amount in amounts.items()]


def _open_balance(txn: Txn, customer: Json, body: Json) -> None:
    """The invoice behind a balance that a customer came with."""
    amount = Amount().parse(body["Balance"], "Balance")
    if amount < 0:
        raise business("The opening balance must be zero or more.")
    item = next((each["Id"] for each in txn.all("Item") if each["Type"] == "Service" and each["Active"]), None)
    if item is None:
        raise missing("ItemRef")
    line = {
        "Amount": amount,
        "Description": "Opening Balance",
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": item}},
    }
    day = body.get("OpenBalanceDate") or txn.books.clock.today().isoformat()
    sale = {
        "CustomerRef": {"value": customer["Id"]},
        "CurrencyRef": customer["CurrencyRef"],
        "TxnDate": Date().parse(day, "OpenBalanceDate"),
        "GlobalTaxCalculation": "NotApplicable",
        "Line": [line],
    }
    invoice = create(txn, BY_NAME["Invoice"], sale)
    roles = txn.get("Roles", "1") or {}
    equity = roles.get("opening_equity") or ensure_account(
        txn, "Opening Balance Equity", "Equity", "OpeningBalanceEquity"
    )
    [made] = invoice["Line"]
    detail = {**made["SalesItemLineDetail"], "ItemAccountRef": {"value": equity}}
    txn.put("Invoice", {**invoice, "Line": [{**made, "SalesItemLineDetail": detail}]})
