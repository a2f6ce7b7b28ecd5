"""Multicurrency: which currency a document has, at which rate, and what an amount is worth at home."""

from __future__ import annotations

from decimal import Decimal

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import business, missing
from qbo_emulator.jsonio import Json, dec, money, plain
from qbo_emulator.ledger import Txn, View

from .account import home_currency
from .currencies import CURRENCY_NAMES
from .entity import find

rule(
    "currency.required",
    "With multicurrency on, transactions need CurrencyRef (2020), and it is the customer's (6000)",
    Mark.DOCUMENT,
    "Intuit invoice reference",
)
rule(
    "currency.rate",
    "ExchangeRate is home units for one foreign unit; the default is the rate list's on the transaction's date",
    Mark.DOCUMENT,
    "Intuit invoice reference",
)
rule(
    "currency.receivable",
    "Each currency has a receivable account of its own, made with the first customer in it",
    Mark.REPORT,
    "third-party report",
)


def is_multicurrency(view: View) -> bool:
    preferences = view.get("Preferences", "1")
    return bool(preferences and preferences["CurrencyPrefs"].get("MultiCurrencyEnabled"))


def settle_currency(txn: Txn, record: Json, party: Json) -> None:
    """Set CurrencyRef and ExchangeRate of a document of this customer."""
    home = home_currency(txn)
    own = str((party.get("CurrencyRef") or {"value": home})["value"])
    given = record.get("CurrencyRef")
    if is_multicurrency(txn):
        if given is None:
            raise missing("CurrencyRef")
    elif given is not None and given["value"] != home:
        raise business("Multicurrency is not enabled for this company.")
    if given is not None and given["value"] != own:
        raise business("The currency of the transaction must be the currency of the customer.")
    record["CurrencyRef"] = {"value": own}
    if not is_multicurrency(txn):
        record.pop("ExchangeRate", None)
        return
    rate = Decimal(1) if own == home else dec(record.get("ExchangeRate")) or rate_on(txn, own, record["TxnDate"])
    if rate <= 0:
        raise business("The exchange rate must be above zero.")
    record["ExchangeRate"] = plain(rate)


def rate_on(txn: Txn, code: str, day: str) -> Decimal:
    """The rate list's latest rate up to a day; 1 when it has none."""
    places = (number for _, number in txn.books.holders("ExchangeRate", code))
    days = [number for number in places if number.partition(":")[2] <= day]
    found = txn.get("ExchangeRate", max(days)) if days else None
    return dec(found["Rate"]) if found else Decimal(1)


def at_home(record: Json, amount: Decimal) -> Decimal:
    """An amount of a document in the home currency."""
    rate = record.get("ExchangeRate")
    return amount if rate is None or rate == 1 else money(amount * dec(rate))


def is_kept_at_home(txn: Txn, record: Json) -> bool:
    """Whether DepositToAccountRef is kept in the home currency; another than the document's is refused."""
    if not is_multicurrency(txn) or not record.get("DepositToAccountRef"):
        return True
    account = find(txn, "Account", record["DepositToAccountRef"]["value"])
    code, home = account["CurrencyRef"]["value"], home_currency(txn)
    if code not in {home, record["CurrencyRef"]["value"]}:
        raise business("The deposit account must have the currency of the transaction or the home currency.")
    return bool(code == home)


def deposited(record: Json, amount: Decimal) -> Decimal:
    """An amount in the currency of the account it is put on."""
    return at_home(record, amount) if record.get("_DepositAtHome", True) else amount


def home_amounts(record: Json) -> Json:
    """HomeTotalAmt and HomeBalance of a document in a multicurrency company."""
    if record.get("ExchangeRate") is None:
        return {}
    pairs = (("HomeTotalAmt", "TotalAmt"), ("HomeBalance", "Balance"))
    return {home: money(at_home(record, dec(record[own]))) for home, own in pairs if record.get(own) is not None}


def receivable(view: View, record: Json) -> str | None:
    """The receivable account of a document's currency."""
    roles = view.get("Roles", "1") or {}
    code = (record.get("CurrencyRef") or {}).get("value", "")
    found = roles.get(f"receivable:{code}") or roles.get("receivable")
    return str(found) if found else None


def check_currency(code: str) -> str:
    if code not in CURRENCY_NAMES:
        raise business(f"The currency {code[:20]} is not known.")
    return code
