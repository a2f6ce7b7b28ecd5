"""TaxService: one request makes a tax code and the rates it needs, and is answered with their ids."""

from __future__ import annotations

from typing import Any

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, business
from qbo_emulator.jsonio import Json, plain
from qbo_emulator.ledger import Txn

from .entity import unique
from .fields import Choice, Kind, ListOf, Number, ReadOnly, Shape, Text, require
from .references import referenced

rule(
    "tax.service",
    "POST taxservice/taxcode makes a code and its rates; the answer is the request with ids, without an envelope",
    Mark.DOCUMENT,
    "Intuit tax service reference; schema of the sales tax service",
)
rule(
    "tax.service-duplicate",
    "A rate or code whose name exists is refused (6240)",
    Mark.RECORDING,
    "recorded fault for a rate; the text for a code is assumed",
)
rule(
    "tax.service-agency",
    "TaxAgencyId must name an agency (2500); RateValue is 0 to 100 (6000)",
    Mark.ASSUMPTION,
)

_DETAIL: dict[str, Kind] = {
    "TaxRateName": Text(10),
    "TaxRateId": Text(30),
    "RateValue": Number(),
    "TaxAgencyId": Text(30),
    "TaxApplicableOn": Choice(("Sales", "Purchase", "Other")),
    "fault": ReadOnly(),
}
_SHAPE = Shape(
    "TaxService",
    {
        "TaxCode": Text(100),
        "TaxCodeId": ReadOnly(),
        "TaxRateDetails": ListOf(Shape("TaxRateDetails", _DETAIL)),
        "fault": ReadOnly(),
        "Fault": ReadOnly(),
    },
)


def create_tax_code(txn: Txn, body: Any) -> Json:
    """Stage the code and the rates a request asks for; answers the request with ids filled in."""
    given = _SHAPE.parse(body)
    require(given, "TaxCode", "TaxRateDetails")
    name = given["TaxCode"].strip()
    unique(txn, "TaxCode", name.casefold(), own=("TaxCode", ""), text=_taken("tax code"))
    details = [_rate(txn, detail) for detail in given["TaxRateDetails"]]
    names = [detail["TaxRateName"].casefold() for detail in details if "RateValue" in detail]
    if len(set(names)) != len(names):
        raise Fault(6240, f"The name supplied already exists. : {_taken('tax rate')}")
    number = txn.next_id("TaxCode")
    txn.put("TaxCode", _envelope(txn, number, _code(name, details)))
    return {"TaxCode": name, "TaxCodeId": number, "TaxRateDetails": details}


def _taken(what: str) -> str:
    return f"Another {what} is already using this \nname. Please use a different name."


def _rate(txn: Txn, detail: Json) -> Json:
    """The answered detail; a rate is made unless one is named by id."""
    applies = detail.get("TaxApplicableOn") or "Sales"
    if detail.get("TaxRateId"):
        rate = referenced(txn, "TaxRate", detail["TaxRateId"])
        return {"TaxRateName": rate["Name"], "TaxRateId": rate["Id"], "TaxApplicableOn": applies}
    require(detail, "TaxRateName", "TaxAgencyId")
    if detail.get("RateValue") is None:
        require(detail, "RateValue")
    if not 0 <= detail["RateValue"] <= 100:
        raise business("The tax rate must be between 0 and 100.")
    agency = referenced(txn, "TaxAgency", detail["TaxAgencyId"])
    name = detail["TaxRateName"].strip()
    unique(txn, "TaxRate", name.casefold(), own=("TaxRate", ""), text=_taken("tax rate"))
    number = txn.next_id("TaxRate")
    percent = plain(detail["RateValue"])
    body = {
        "Name": name,
        "Description": name,
        "Active": True,
        "RateValue": percent,
        "AgencyRef": {"value": agency["Id"]},
        "SpecialTaxType": "NONE" if percent else "ZERO_RATE",
        "EffectiveTaxRate": [{"RateValue": percent, "EffectiveDate": f"{txn.books.clock.today()}T00:00:00-08:00"}],
    }
    txn.put("TaxRate", _envelope(txn, number, body))
    return {
        "TaxRateName": name,
        "TaxRateId": number,
        "RateValue": percent,
        "TaxAgencyId": agency["Id"],
        "TaxApplicableOn": applies,
    }


def _code(name: str, details: list[Json]) -> Json:
    def listed(applies: str) -> Json:
        chosen = [each for each in details if each["TaxApplicableOn"] == applies]
        return {
            "TaxRateDetail": [
                {
                    "TaxRateRef": {"value": each["TaxRateId"], "name": each["TaxRateName"]},
                    "TaxTypeApplicable": "TaxOnAmount",
                    "TaxOrder": position,
                }
                for position, each in enumerate(chosen)
            ]
        }

    return {
        "Name": name,
        "Description": name,
        "Active": True,
        "Hidden": False,
        "Taxable": True,
        "TaxGroup": True,
        "SalesTaxRateList": listed("Sales"),
        "PurchaseTaxRateList": listed("Purchase"),
        "TaxCodeConfigType": "USER_DEFINED",
    }


def _envelope(txn: Txn, number: str, body: Json) -> Json:
    return {
        **body,
        "domain": "QBO",
        "sparse": False,
        "Id": number,
        "SyncToken": "0",
        "MetaData": {"CreateTime": txn.now, "LastUpdatedTime": txn.now},
    }
