"""What the company says about itself: its names, addresses and ways to reach it."""
# ruff: noqa: ARG002 - all entities have one signature

from __future__ import annotations

from collections.abc import Mapping

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.jsonio import Json
from qbo_emulator.ledger import Txn

from .entity import Entity
from .fields import ADDRESS, EMAIL, ENVELOPE, PHONE, TAIL, WEB, Kind, ReadOnly, Shape, Text, require, uncovered

rule(
    "company.update",
    "CompanyInfo takes full and sparse updates of names, addresses, phone, e-mail and web address; CompanyName (at "
    "most 1024 characters) and CompanyAddr are required (2020)",
    Mark.DOCUMENT,
    "Intuit company info reference",
)
rule(
    "company.read-only",
    "Country, which decides the tax model, dates, languages and NameValue are ignored in requests",
    Mark.ASSUMPTION,
)

_WRITABLE: Mapping[str, Kind] = {
    "CompanyName": Text(1024),
    "LegalName": Text(1024),
    "CompanyAddr": ADDRESS,
    "CustomerCommunicationAddr": ADDRESS,
    "LegalAddr": ADDRESS,
    "PrimaryPhone": PHONE,
    "Email": EMAIL,
    "CustomerCommunicationEmailAddr": EMAIL,
    "WebAddr": WEB,
    "EmployerId": Text(100),
}
_READ_ONLY = (
    "Country",
    "CompanyStartDate",
    "FiscalYearStartMonth",
    "TaxYearStartMonth",
    "SupportedLanguages",
    "DefaultTimeZone",
    "MultiByteCharsSupported",
    "NameValue",
    "QBVersion",
    "CompanyFileName",
    "FlavorStratum",
    "SampleFile",
    "CompanyUserId",
    "CompanyUserAdminEmail",
    "DefaultTimeZone",
    "LastImportedTime",
    "LastSyncTime",
    "HostingInfo",
)
_ADDRESSES = ("CompanyAddr", "CustomerCommunicationAddr", "LegalAddr")


class CompanyInfo(Entity):
    name = "CompanyInfo"
    can_create = False
    shape = Shape(
        "CompanyInfo",
        {
            **_WRITABLE,
            **dict.fromkeys(_READ_ONLY, ReadOnly()),
            **ENVELOPE,
            **TAIL,
            **uncovered(
                "CompanyEmailAddr",
                "CompanyURL",
                "OtherContactInfo",
                "ShipAddr",
                "OtherAddr",
                "Mobile",
                "Fax",
                "Website",
                "CompanyInfoEx",
                "CustomField",
            ),
        },
    )

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        require(given, "CompanyName", "CompanyAddr")
        old = before or {}
        kept = {name: value for name, value in old.items() if name not in _WRITABLE or given.get(name) is not None}
        record = {**kept, **{name: given[name] for name in _WRITABLE if given.get(name) is not None}}
        for name in _ADDRESSES:
            if record.get(name):
                number = (old.get(name) or {}).get("Id", "1")
                record[name] = {"Id": number, **{k: v for k, v in record[name].items() if k != "Id"}}
        return record
