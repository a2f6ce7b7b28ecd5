"""Sales of the US sample company: open, part paid and paid invoices, and some of each other document."""

from __future__ import annotations

from qbo_emulator.books import Books, Txn
from qbo_emulator.entities.registry import BY_NAME
from qbo_emulator.jsonio import Json
from qbo_emulator.operations import create

# Customer, item, amount, taxable, and what of it is paid (in percent).
_INVOICES = (
    ("1", "6", 108, False, 100),
    ("1", "4", 375, False, 0),
    ("2", "6", 85, False, 100),
    ("3", "4", 225, False, 50),
    ("4", "8", 160, True, 100),
    ("5", "10", 35, False, 100),
    ("6", "10", 70, False, 100),
    ("10", "4", 150, False, 100),
    ("11", "6", 81, False, 100),
    ("12", "3", 75, True, 0),
    ("13", "4", 450, False, 100),
    ("14", "8", 225, True, 0),
    ("16", "10", 75, False, 100),
    ("17", "6", 314, False, 100),
    ("18", "4", 300, False, 100),
    ("19", "3", 136, True, 0),
)


def sell(books: Books) -> None:
    """Make the documents through the rules, from the oldest to the newest."""
    for place, (customer, item, amount, taxable, paid) in enumerate(_INVOICES):
        day = f"2026-{place // 4 + 5:02d}-{place % 4 * 7 + 3:02d}"
        invoice = _make(books, "Invoice", _sale(customer, item, amount, taxable=taxable), day)
        if paid:
            received = invoice["TotalAmt"] * paid / 100
            line = {"Amount": received, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
            _make(books, "Payment", {"CustomerRef": {"value": customer}, "TotalAmt": received, "Line": [line]}, day)
    for place in range(11):
        customer = str(place % 5 + 1)
        day = f"2026-06-{place + 10}"
        _make(books, "Estimate", _sale(customer, "4", 75 * (place + 1)), day)
        _make(books, "SalesReceipt", _sale(customer, "10", 35 * (place + 1)), day)
    _make(books, "CreditMemo", _sale("1", "10", 100), "2026-07-01")
    refund = {**_sale("5", "10", 35), "DepositToAccountRef": {"value": "35"}}
    _make(books, "RefundReceipt", refund, "2026-07-02")


def _sale(customer: str, item: str, amount: int, *, taxable: bool = False) -> Json:
    detail: Json = {"ItemRef": {"value": item}, "TaxCodeRef": {"value": "TAX" if taxable else "NON"}}
    line = {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
    return {"CustomerRef": {"value": customer}, "Line": [line]}


def _make(books: Books, entity: str, body: Json, day: str) -> Json:
    txn = Txn(books)
    record = create(txn, BY_NAME[entity], {**body, "TxnDate": day})
    txn.commit()
    return record
