"""Bank deposits: they take payments and receipts out of Undeposited Funds and lock them (6540)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business, missing, unsupported
from qbo_emulator.jsonio import ZERO, Json, dec, money
from qbo_emulator.ledger import Txn, View

from .account import find_account, home_currency
from .currency import at_home
from .entity import Entity, find
from .fields import (
    ENVELOPE,
    TAIL,
    Amount,
    Choice,
    Date,
    ListOf,
    ReadOnly,
    Ref,
    Shape,
    Text,
    require,
    uncovered,
)
from .period import check_open
from .references import rendered

rule(
    "deposit.lock",
    "A payment or sales receipt in a deposit cannot be updated, voided or deleted (6540)",
    Mark.REPORT,
    "third-party report",
)
rule(
    "deposit.lines",
    "Lines link payments or receipts of Undeposited Funds, whole, or name an account; home currency only",
    Mark.ASSUMPTION,
    "enough of the deposit reference for the lock",
)

_LINE = Shape(
    "Line",
    {
        "Id": ReadOnly(),
        "LineNum": ReadOnly(),
        "Description": Text(4000),
        "Amount": Amount(),
        "LinkedTxn": ListOf(Shape("LinkedTxn", {"TxnId": Text(30), "TxnType": Text(50), "TxnLineId": Text(30)})),
        "DetailType": Choice(("DepositLineDetail",)),
        "DepositLineDetail": Shape(
            "DepositLineDetail",
            {
                "AccountRef": Ref("Account"),
                "PaymentMethodRef": Ref("PaymentMethod"),
                "CheckNum": Text(21),
                "TxnType": ReadOnly(),
                **uncovered("Entity", "ClassRef", "TaxCodeRef", "TaxApplicableOn", "DepositLineDetailEx"),
            },
        ),
        "CustomExtensions": ReadOnly(),
        **uncovered("ProjectRef", "CustomField", "LineEx"),
    },
)


def check_not_deposited(txn: Txn, kind: str, record: Json | None) -> None:
    """Refuse the change of a document that sits in a bank deposit."""
    if record is not None and txn.books.holders("Deposited", f"{kind}/{record['Id']}"):
        raise Fault(
            6540,
            "Deposited Transaction cannot be changed : This transaction has been deposited. "
            "If you want to change or delete it, you must edit the deposit it appears on and remove it first.",
        )


class Deposit(Entity):
    name = "Deposit"
    sequence = "Txn"
    is_list = False
    can_delete = True
    shape = Shape(
        "Deposit",
        {
            "DepositToAccountRef": Ref("Account"),
            "TotalAmt": ReadOnly(),
            "HomeTotalAmt": ReadOnly(),
            **ENVELOPE,
            "DocNumber": Text(21),
            "TxnDate": Date(),
            "CurrencyRef": Ref("Currency"),
            "PrivateNote": Text(4000),
            "Line": ListOf(_LINE),
            **TAIL,
            "TxnStatus": ReadOnly(),
            "TxnSource": ReadOnly(),
            **uncovered(
                "ExchangeRate",
                "CashBack",
                "DepartmentRef",
                "GlobalTaxCalculation",
                "TxnTaxDetail",
                "LinkedTxn",
                "DepositEx",
                "TransactionLocationType",
            ),
        },
    )

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        require(given, "DepositToAccountRef", "Line")
        record = dict(given)
        record.setdefault("TxnDate", txn.books.clock.today().isoformat())
        check_open(txn, record, before)
        account = find(txn, "Account", record["DepositToAccountRef"]["value"])
        if account["AccountType"] not in {"Bank", "Other Current Asset"}:
            raise business("The deposit account must be a bank or other current asset account.")
        home = home_currency(txn)
        if record.get("CurrencyRef", {"value": home})["value"] != home:
            raise unsupported("deposit in a foreign currency")
        record["CurrencyRef"] = {"value": home}
        own = before["Id"] if before else ""
        record["Line"] = [
            {"Id": str(place), "LineNum": place, **self._line(txn, line, own)}
            for place, line in enumerate(record["Line"], start=1)
        ]
        record["TotalAmt"] = money(sum((dec(line["Amount"]) for line in record["Line"]), ZERO))
        return record

    def _line(self, txn: Txn, line: Json, own: str) -> Json:
        links = line.get("LinkedTxn") or []
        if not links:
            if not (line.get("DepositLineDetail") or {}).get("AccountRef"):
                raise missing("AccountRef")
            if line.get("Amount") is None:
                raise missing("Amount")
            source_account = find(txn, "Account", line["DepositLineDetail"]["AccountRef"]["value"])
            if source_account["Classification"] not in {"Revenue", "Liability", "Equity"}:
                raise unsupported("deposit from an asset or expense account")
            return {**line, "Amount": money(dec(line["Amount"])), "DetailType": "DepositLineDetail"}
        link = {"TxnId": str(links[0].get("TxnId")), "TxnType": str(links[0].get("TxnType"))}
        if len(links) != 1 or link["TxnType"] not in {"Payment", "SalesReceipt"}:
            raise unsupported(f"deposit linked to {link['TxnType'][:30]}")
        source = txn.get(link["TxnType"], link["TxnId"])
        undeposited = find_account(txn.all("Account"), "UndepositedFunds")
        if source is None or (source.get("DepositToAccountRef") or {}).get("value") != undeposited:
            raise Fault(620, "Cannot validate linked transactions")
        holders = txn.books.holders("Deposited", f"{link['TxnType']}/{link['TxnId']}")
        if any(holder != ("Deposit", own) for holder in holders):
            raise Fault(620, "Cannot validate linked transactions")
        # Undeposited Funds are kept in the home currency, whatever was paid in.
        whole = money(at_home(source, dec(source["TotalAmt"])))
        if line.get("Amount") is not None and money(dec(line["Amount"])) != whole:
            raise business("A deposit takes the whole amount of a payment.")
        if links[0].get("TxnLineId"):
            link["TxnLineId"] = links[0]["TxnLineId"]
        return {"Amount": whole, "LinkedTxn": [link]}

    def check_delete(self, txn: Txn, record: Json) -> None:
        check_open(txn, record, record)

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        return [("Deposited", f"{link['TxnType']}/{link['TxnId']}") for link in _links(record)]

    def postings(self, view: View, record: Json) -> Iterable[tuple[str, Decimal]]:
        yield record["DepositToAccountRef"]["value"], dec(record["TotalAmt"])
        roles = view.get("Roles", "1") or {}
        for line in record["Line"]:
            if line.get("LinkedTxn"):
                yield roles.get("undeposited", ""), -dec(line["Amount"])
            else:
                # An account of income or liability grows by what comes from it.
                yield line["DepositLineDetail"]["AccountRef"]["value"], dec(line["Amount"])

    def render(self, view: View, record: Json) -> Json:
        return rendered(view, self.shape, record)


def _links(record: Json) -> list[Json]:
    return [link for line in record["Line"] for link in line.get("LinkedTxn", [])]
