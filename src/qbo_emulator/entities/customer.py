"""Customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business, unsupported
from qbo_emulator.jsonio import Json, money

from .account import home_currency
from .fields import ADDRESS, ENVELOPE, TAIL, Bool, Choice, Kept, ReadOnly, Ref, Shape, Text, Uncovered
from .names import CONTACT, PERSON, RARE, NameEntity
from .references import View, rendered

if TYPE_CHECKING:
    from qbo_emulator.books import Txn

rule(
    "customer.currency",
    "CurrencyRef defaults to the home currency and never changes afterwards",
    Mark.DOCUMENT,
    "Intuit customer reference",
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
            "ParentRef": Uncovered(),
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
            "TaxExemptionReasonId": Text(2),
            "BusinessNumber": Text(20),
            "AcctNum": Text(100),
            **RARE,
            **TAIL,
            "OpenBalanceDate": Uncovered(),
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
        if record.get("Job"):
            raise unsupported("sub-customer")
        currency = home_currency(txn)
        if record.get("CurrencyRef", {"value": currency})["value"] != currency:
            raise business("Multicurrency is not enabled for this company.")
        if before is not None and before["Active"] and not record["Active"] and txn.name_balances.get(before["Id"]):
            raise Fault(6220, "The customer has an open balance and cannot be made inactive.")
        record["CurrencyRef"] = {"value": currency}
        if txn.books.country == "US":
            record.setdefault("Taxable", True)
            default = txn.books.preferences["TaxPrefs"].get("TaxGroupCodeRef")
            if default and record["Taxable"]:
                record.setdefault("DefaultTaxCodeRef", {"value": default["value"]})
        else:
            record.setdefault("Taxable", False)
        for name, value in (
            ("Job", False),
            ("BillWithParent", False),
            ("PreferredDeliveryMethod", "Print"),
            ("IsProject", False),
        ):
            record.setdefault(name, value)
        record["FullyQualifiedName"] = record["DisplayName"]
        number_addresses(txn, record, before)
        return record

    def render(self, view: View, record: Json) -> Json:
        balance = money(view.name_balances.get(record["Id"], 0))
        return rendered(view, self.shape, {**record, "Balance": balance, "BalanceWithJobs": balance})


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
