"""Customers."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business, missing
from qbo_emulator.jsonio import Json, money
from qbo_emulator.ledger import Txn, View

from .account import ensure_account, home_currency
from .currencies import CURRENCY_NAMES
from .fields import ADDRESS, ENVELOPE, TAIL, Bool, Choice, Kept, ReadOnly, Ref, Shape, Text, Uncovered
from .names import CONTACT, PERSON, RARE, NameEntity
from .references import rendered
from .tree import ancestors, rename_children

rule(
    "customer.currency",
    "CurrencyRef defaults to the home currency and never changes afterwards",
    Mark.DOCUMENT,
    "Intuit customer reference",
)
rule(
    "customer.sub",
    "A sub-customer has ParentRef and Job, its parent's currency, and at most four levels above it (6180); "
    "BalanceWithJobs includes those below",
    Mark.DOCUMENT,
    "Intuit customer reference; the currency is assumed",
)
rule(
    "customer.open-balance",
    "A customer with a balance cannot be made inactive (6220)",
    Mark.DOCUMENT,
    "Intuit error table",
)
rule(
    "customer.shipping-address",
    "A customer without ShipAddr is answered without one",
    Mark.RECORDING,
    "key order of a customer created in 2026",
)


class Customer(NameEntity):
    name = "Customer"
    shape = Shape(
        "Customer",
        {
            "Taxable": Bool(),
            "BillAddr": ADDRESS,
            "ShipAddr": ADDRESS,
            "Notes": Text(2000),
            "Job": Bool(),
            "BillWithParent": Bool(),
            "ParentRef": Ref("Customer"),
            "Level": ReadOnly(),
            "SalesTermRef": Ref("Term"),
            "PaymentMethodRef": Ref("PaymentMethod"),
            "Balance": ReadOnly(),
            "BalanceWithJobs": ReadOnly(),
            "CurrencyRef": Ref("Currency"),
            "PreferredDeliveryMethod": Choice(("Print", "Email", "None")),
            "ResaleNum": Text(16),
            "IsProject": ReadOnly(),
            "ClientEntityId": ReadOnly(),
            **ENVELOPE,
            **PERSON,
            "Active": Bool(),
            **CONTACT,
            "DefaultTaxCodeRef": Ref("TaxCode"),
            "PrimaryTaxIdentifier": Text(20),
            "SecondaryTaxIdentifier": Text(20),
            "TaxExemptionReasonId": Choice(tuple(str(reason) for reason in range(1, 16))),
            "BusinessNumber": Text(20),
            "AcctNum": Text(100),
            **RARE,
            **TAIL,
            "OpenBalanceDate": ReadOnly(),
            "RootCustomerRef": ReadOnly(),
            "CustomerTypeRef": Uncovered(),
            "SalesRepRef": Uncovered(),
            "TaxGroupCodeRef": Uncovered(),
            "TaxRateRef": Uncovered(),
            "CCDetail": Uncovered(),
            "PriceLevelRef": Uncovered(),
            "CreditLimit": Uncovered(),
            "OverDueBalance": ReadOnly(),
            "TotalRevenue": ReadOnly(),
            "TotalExpense": ReadOnly(),
            "JobInfo": Uncovered(),
            "TDSEnabled": Uncovered(),
            "CustomerEx": Kept(),
            "ARAccountRef": Ref("Account"),
            "GSTIN": Text(15),
            "GSTRegistrationType": Text(50),
            "IsCISContractor": Uncovered(),
            "ClientCompanyId": Uncovered(),
            "TaxRegime": Uncovered(),
        },
    )

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        record = super().complete(txn, given, before)
        _settle_parent(txn, record, before)
        _settle_currency(txn, record, before)
        if before is not None and before["Active"] and not record["Active"] and txn.name_balances.get(before["Id"]):
            raise Fault(6220, "The customer has an open balance and cannot be made inactive.")
        if txn.books.country == "US":
            record.setdefault("Taxable", True)
            default = txn.books.preferences["TaxPrefs"].get("TaxGroupCodeRef")
            if default and record["Taxable"]:
                record.setdefault("DefaultTaxCodeRef", {"value": default["value"]})
        else:
            record.setdefault("Taxable", False)
        for name, value in (
            ("BillWithParent", False),
            ("PreferredDeliveryMethod", "Print"),
            ("IsProject", False),
        ):
            record.setdefault(name, value)
        number_addresses(txn, record, before)
        return record

    def after_write(self, txn: Txn, before: Json | None, after: Json | None) -> None:
        rename_children(txn, self.name, before, after)
        if before is None and after is not None:
            open_currency(txn, after["CurrencyRef"]["value"])

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        yield from super().keys(record)
        if record.get("ParentRef"):
            yield "Parent.Customer", record["ParentRef"]["value"]

    def render(self, view: View, record: Json) -> Json:
        balance = money(view.name_balances.get(record["Id"], 0))
        whole = money(_with_jobs(view, record["Id"]))
        return rendered(view, self.shape, {**record, "Balance": balance, "BalanceWithJobs": whole})


def _with_jobs(view: View, number: str) -> Decimal:
    own = view.name_balances.get(number, Decimal(0))
    return own + sum((_with_jobs(view, child) for _, child in view.holders("Parent.Customer", number)), Decimal(0))


def _settle_parent(txn: Txn, record: Json, before: Json | None) -> None:
    above = ancestors(txn, "Customer", record, before["Id"] if before else "")
    if record.get("Job") and not above:
        raise missing("ParentRef")
    record["Job"] = bool(above)
    record["Level"] = len(above) or None
    name = record["DisplayName"]
    record["FullyQualifiedName"] = f"{above[0]['FullyQualifiedName']}:{name}" if above else name
    if above:
        record.setdefault("CurrencyRef", above[0]["CurrencyRef"])
        if record["CurrencyRef"] != above[0]["CurrencyRef"]:
            raise business("A sub-customer has the currency of its parent.")


def _settle_currency(txn: Txn, record: Json, before: Json | None) -> None:
    home = home_currency(txn)
    code = (record.get("CurrencyRef") or (before or {}).get("CurrencyRef") or {"value": home})["value"]
    if before is not None and code != before["CurrencyRef"]["value"]:
        raise business("The currency of a customer cannot be changed.")
    preferences = txn.get("Preferences", "1") or {}
    if code != home and not preferences["CurrencyPrefs"].get("MultiCurrencyEnabled"):
        raise business("Multicurrency is not enabled for this company.")
    if code not in CURRENCY_NAMES:
        raise business(f"The currency {code[:20]} is not known.")
    record["CurrencyRef"] = {"value": code}


def open_currency(txn: Txn, code: str) -> None:
    """With its first customer a foreign currency gets its place in the list and a receivable account."""
    roles = txn.get("Roles", "1")
    if code == home_currency(txn) or roles is None or f"receivable:{code}" in roles:
        return
    times = {"CreateTime": txn.now, "LastUpdatedTime": txn.now}
    envelope = {"domain": "QBO", "sparse": False, "SyncToken": "0", "MetaData": times, "Active": True}
    if not txn.holders("CompanyCurrency", code):
        number = txn.next_id("CompanyCurrency")
        txn.put("CompanyCurrency", {"Code": code, "Name": CURRENCY_NAMES[code], **envelope, "Id": number})
    number = ensure_account(
        txn, f"Accounts Receivable (A/R) - {code}", "Accounts Receivable", "AccountsReceivable", currency=code
    )
    txn.put("Roles", {**roles, f"receivable:{code}": number})


def number_addresses(txn: Txn, record: Json, before: Json | None) -> None:
    """Give each address an id of its own; one that did not change keeps it."""
    for name in ("BillAddr", "ShipAddr", "PrimaryAddr"):
        address = record.get(name)
        if not address:
            record.pop(name, None)
            continue
        old = (before or {}).get(name)
        number = old["Id"] if old and "Id" in old else address.get("Id")
        record[name] = {"Id": number or f"{txn.next_id('Address')}", **{k: v for k, v in address.items() if k != "Id"}}
