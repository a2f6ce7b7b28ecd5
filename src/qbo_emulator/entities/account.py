"""Accounts: their types, what a type implies, and balances that follow from the transactions."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business, missing, too_long
from qbo_emulator.jsonio import ZERO, Json, money
from qbo_emulator.ledger import Txn, View

from .currencies import CURRENCY_NAMES
from .entity import Entity, find
from .fields import ENVELOPE, TAIL, Bool, Choice, Kept, ReadOnly, Ref, Shape, Text, Uncovered, require
from .names import marked
from .references import rendered
from .tree import full_name, rename_children

rule(
    "account.type",
    "AccountType or AccountSubType is required (6010); Classification follows from the type",
    Mark.DOCUMENT,
    "Intuit account reference",
)
rule(
    "account.name",
    "At most 100 characters, no quote and no colon; unique by full name (6240)",
    Mark.DOCUMENT,
    "Intuit account reference; text of the fault assumed",
)
rule(
    "account.number",
    "AcctNum has at most 20 characters in Australia and Canada and 7 elsewhere (2050)",
    Mark.DOCUMENT,
    "Intuit account reference",
)
rule(
    "account.open-balance",
    "An account of the balance sheet with a balance cannot be made inactive (6220); income and expense accounts can",
    Mark.ASSUMPTION,
    "Intuit error table speaks of objects with a balance",
)
rule(
    "account.sub",
    "A sub-account has ParentRef and its parent's type (6000), at most five levels (6180); "
    "CurrentBalanceWithSubAccounts includes those below",
    Mark.DOCUMENT,
    "Intuit account reference; the type by third-party report, the texts assumed",
)

# Type: classification, default subtype, whether a posting to the debit side raises the balance.
ACCOUNT_TYPES = {
    "Bank": ("Asset", "CashOnHand"),
    "Accounts Receivable": ("Asset", "AccountsReceivable"),
    "Other Current Asset": ("Asset", "OtherCurrentAssets"),
    "Fixed Asset": ("Asset", "OtherFixedAssets"),
    "Other Asset": ("Asset", "OtherLongTermAssets"),
    "Accounts Payable": ("Liability", "AccountsPayable"),
    "Credit Card": ("Liability", "CreditCard"),
    "Other Current Liability": ("Liability", "OtherCurrentLiabilities"),
    "Long Term Liability": ("Liability", "OtherLongTermLiabilities"),
    "Equity": ("Equity", "OpeningBalanceEquity"),
    "Income": ("Revenue", "SalesOfProductIncome"),
    "Cost of Goods Sold": ("Expense", "SuppliesMaterialsCogs"),
    "Expense": ("Expense", "OtherMiscellaneousServiceCost"),
    "Other Income": ("Revenue", "OtherMiscellaneousIncome"),
    "Other Expense": ("Expense", "OtherMiscellaneousExpense"),
}
_TYPE_OF_SUBTYPE = {subtype: kind for kind, (_, subtype) in ACCOUNT_TYPES.items()} | {
    "Checking": "Bank",
    "Savings": "Bank",
    "MoneyMarket": "Bank",
    "UndepositedFunds": "Other Current Asset",
    "ServiceFeeIncome": "Income",
    "DiscountsRefundsGiven": "Income",
    "SalesTaxPayable": "Other Current Liability",
    "GlobalTaxPayable": "Other Current Liability",
}


class Account(Entity):
    name = "Account"
    shape = Shape(
        "Account",
        {
            "Name": Text(100, ':"\t\n'),
            "SubAccount": Bool(),
            "ParentRef": Ref("Account"),
            "Description": Text(100),
            "FullyQualifiedName": ReadOnly(),
            "Active": Bool(),
            "Classification": ReadOnly(),
            "AccountType": Choice(tuple(ACCOUNT_TYPES)),
            "AccountSubType": Text(100),
            "AcctNum": Text(20),
            "CurrentBalance": ReadOnly(),
            "CurrentBalanceWithSubAccounts": ReadOnly(),
            "CurrencyRef": Ref("Currency"),
            **ENVELOPE,
            **TAIL,
            "AccountAlias": Uncovered(),
            "TxnLocationType": Uncovered(),
            "AccountPurposes": Uncovered(),
            "AcctNumExtn": Uncovered(),
            "BankNum": Uncovered(),
            "OpeningBalance": Uncovered(),
            "OpeningBalanceDate": Uncovered(),
            "TaxAccount": Kept(),
            "TaxCodeRef": Ref("TaxCode"),
            "OnlineBankingEnabled": ReadOnly(),
            "FIName": ReadOnly(),
            "JournalCodeRef": Uncovered(),
            "AccountEx": Uncovered(),
            "CustomField": Uncovered(),
        },
    )

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        require(given, "Name")
        record = dict(given)
        if record.get("SubAccount") and not record.get("ParentRef"):
            raise missing("ParentRef")
        longest = 20 if txn.books.country in {"AU", "CA"} else 7
        if len(record.get("AcctNum") or "") > longest:
            raise too_long("AcctNum", longest, len(record["AcctNum"]))
        kind = record.get("AccountType") or _TYPE_OF_SUBTYPE.get(record.get("AccountSubType", ""))
        if kind is None and before is not None:
            kind = before["AccountType"]
        if kind is None:
            raise Fault(6010, "Account Type or Account Sub Type is missing", "AccountType")
        if (
            before is not None
            and before["AccountType"] != kind
            and before.get("AccountSubType") == record.get("AccountSubType")
        ):
            # A new type takes its own default subtype unless one comes along.
            record.pop("AccountSubType", None)
        record["AccountType"] = kind
        record["Classification"] = ACCOUNT_TYPES[kind][0]
        record.setdefault("AccountSubType", ACCOUNT_TYPES[kind][1])
        record.setdefault("Active", True)
        record["Name"] = marked(str(record["Name"]).strip(), active=record["Active"], before=before)
        if before is not None and before["Active"] and not record["Active"]:
            _check_empty(txn, before)
        record["SubAccount"] = bool(record.get("ParentRef"))
        record["FullyQualifiedName"] = full_name(txn, self.name, record, before, word="account")
        if record["SubAccount"] and find(txn, self.name, record["ParentRef"]["value"])["AccountType"] != kind:
            raise business("A sub-account has the type of its parent.")
        record["CurrencyRef"] = _currency(txn, record, before)
        return record

    def after_write(self, txn: Txn, before: Json | None, after: Json | None) -> None:
        rename_children(txn, self.name, before, after)

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        yield self.name, record["FullyQualifiedName"].casefold()
        yield "Account.Name", record["Name"].casefold()
        if record.get("ParentRef"):
            yield "Parent.Account", record["ParentRef"]["value"]

    def render(self, view: View, record: Json) -> Json:
        balances = {
            "CurrentBalance": money(view.account_balances.get(record["Id"], 0)),
            "CurrentBalanceWithSubAccounts": money(_with_sub_accounts(view, record["Id"])),
        }
        return rendered(view, self.shape, {**record, **balances})


def _check_empty(txn: Txn, account: Json) -> None:
    if account["Classification"] in _BALANCE_SHEET and txn.account_balances.get(account["Id"]):
        raise Fault(6220, "The account has a balance and cannot be made inactive.")


def _with_sub_accounts(view: View, number: str) -> Decimal:
    own = view.account_balances.get(number, ZERO)
    return own + sum((_with_sub_accounts(view, child) for _, child in view.holders("Parent.Account", number)), ZERO)


def _currency(txn: Txn, record: Json, before: Json | None) -> Json:
    """The account's currency: home, or a foreign one for the types that can hold it; it never changes."""
    home = home_currency(txn)
    code = (record.get("CurrencyRef") or (before or {}).get("CurrencyRef") or {"value": home})["value"]
    if before is not None and code != before["CurrencyRef"]["value"]:
        raise business("The currency of an account cannot be changed.")
    preferences = txn.get("Preferences", "1") or {"CurrencyPrefs": {}}
    if code != home and not preferences["CurrencyPrefs"].get("MultiCurrencyEnabled"):
        raise business("Multicurrency is not enabled for this company.")
    if code not in CURRENCY_NAMES or (code != home and record["AccountType"] not in _FOREIGN_TYPES):
        raise business("An account of this type cannot have this currency.")
    return {"value": code}


_BALANCE_SHEET = frozenset({"Asset", "Liability", "Equity"})
_FOREIGN_TYPES = frozenset({"Bank", "Accounts Receivable", "Accounts Payable", "Credit Card"})


def home_currency(view: View) -> str:
    preferences = view.get("Preferences", "1")
    return str(preferences["CurrencyPrefs"]["HomeCurrency"]["value"]) if preferences else "USD"


def find_account(accounts: Iterable[Json], subtype: str) -> str | None:
    """The id of the first active account of a subtype, by which QuickBooks itself finds its special accounts."""
    return next((a["Id"] for a in accounts if a.get("AccountSubType") == subtype and a.get("Active")), None)


def ensure_account(txn: Txn, name: str, kind: str, subtype: str, currency: str = "") -> str:
    """The id of the account with this name, as QuickBooks makes it when it first needs one."""
    found = (each["Id"] for each in txn.all("Account") if each["FullyQualifiedName"] == name)
    number = next(found, None)
    if number is not None:
        return str(number)
    number = txn.next_id("Account")
    account = {
        "Name": name,
        "SubAccount": False,
        "FullyQualifiedName": name,
        "Active": True,
        "Classification": ACCOUNT_TYPES[kind][0],
        "AccountType": kind,
        "AccountSubType": subtype,
        "CurrencyRef": {"value": currency or home_currency(txn)},
        "domain": "QBO",
        "sparse": False,
        "Id": number,
        "SyncToken": "0",
        "MetaData": {"CreateTime": txn.now, "LastUpdatedTime": txn.now},
    }
    txn.put("Account", account)
    return number
