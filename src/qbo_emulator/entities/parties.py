"""Vendors and employees: they matter to an invoicing app because they hold display names."""

from __future__ import annotations

from qbo_emulator.faults import missing, unsupported
from qbo_emulator.jsonio import Json, money
from qbo_emulator.ledger import Txn, View

from .account import home_currency
from .customer import number_addresses
from .fields import ADDRESS, ENVELOPE, TAIL, Bool, Date, Kind, ReadOnly, Ref, Shape, Text, Uncovered
from .names import CONTACT, PERSON, RARE, NameEntity
from .references import rendered


def _uncovered(*names: str) -> dict[str, Kind]:
    return {name: Uncovered() for name in names}


class Vendor(NameEntity):
    name = "Vendor"
    shape = Shape(
        "Vendor",
        {
            "BillAddr": ADDRESS,
            "TaxIdentifier": Text(20),
            "TermRef": Ref("Term"),
            "Balance": ReadOnly(),
            "AcctNum": Text(100),
            "Vendor1099": Bool(),
            "CurrencyRef": Ref("Currency"),
            **ENVELOPE,
            **PERSON,
            "Active": Bool(),
            **CONTACT,
            "Notes": Text(4000),
            "BusinessNumber": Text(20),
            **RARE,
            **TAIL,
            **_uncovered(
                "DefaultTaxCodeRef",
                "ShipAddr",
                "TaxCountry",
                "TaxIdEffectiveDate",
                "ParentRef",
                "VendorTypeRef",
                "PrefillAccountRef",
                "BillRate",
                "OpenBalanceDate",
                "CreditLimit",
                "T4AEligible",
                "T5018Eligible",
                "TDSEnabled",
                "TDSEntityTypeId",
                "TDSSectionTypeId",
                "TDSOverrideThreshold",
                "TaxReportingBasis",
                "APAccountRef",
                "VendorEx",
                "GSTIN",
                "GSTRegistrationType",
                "IsSubContractor",
                "SubcontractorType",
                "CISRate",
                "HasTPAR",
                "VendorPaymentBankDetail",
                "CostRate",
                "AgencyVerificationStatus",
                "AgencyVerificationStatusMsg",
                "AgencyVerificationTSUTC",
                "CompanyRegistrationNumber",
            ),
        },
    )

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        record = super().complete(txn, given, before)
        record.setdefault("Vendor1099", False)
        code = record.get("CurrencyRef", {"value": home_currency(txn)})["value"]
        if code != home_currency(txn):
            raise unsupported("vendor in a foreign currency")
        record["CurrencyRef"] = {"value": code}
        number_addresses(txn, record, before)
        return record

    def render(self, view: View, record: Json) -> Json:
        return rendered(view, self.shape, {**record, "Balance": money(0)})


class Employee(NameEntity):
    name = "Employee"
    shape = Shape(
        "Employee",
        {
            "BillableTime": Bool(),
            "BirthDate": Date(),
            "HiredDate": Date(),
            "ReleasedDate": Date(),
            "EmployeeNumber": Text(100),
            "PrimaryAddr": ADDRESS,
            **ENVELOPE,
            **PERSON,
            "Active": Bool(),
            **CONTACT,
            "Notes": Text(4000),
            **RARE,
            **TAIL,
            **_uncovered(
                "DefaultTaxCodeRef",
                "EmployeeType",
                "SSN",
                "BillRate",
                "Gender",
                "UseTimeEntry",
                "EmployeeEx",
                "CostRate",
            ),
        },
    )

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        if not given.get("GivenName") and not given.get("FamilyName"):
            raise missing("GivenName or FamilyName")
        record = super().complete(txn, given, before)
        record.setdefault("BillableTime", False)
        number_addresses(txn, record, before)
        return record

    def render(self, view: View, record: Json) -> Json:
        return rendered(view, self.shape, record)
