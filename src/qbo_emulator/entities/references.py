"""Following references: they must exist (2500) and be active (610), and answers show the name they point at."""

from __future__ import annotations

from typing import Any

from qbo_emulator.document_lines import EXTRA_ITEMS
from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault, not_found
from qbo_emulator.jsonio import Json
from qbo_emulator.ledger import Txn, View

from .currencies import CURRENCY_NAMES
from .fields import ListOf, Ref, Shape

rule(
    "reference.2500",
    "An unknown reference is named by its group: Names, Accounts, Items",
    Mark.RECORDING,
    "Intuit error table; recorded faults",
)
rule(
    "reference.inactive",
    "An inactive reference answers 610 with the wording about inactive objects",
    Mark.RECORDING,
    "recorded fault; 2500 occurs as well and is not told apart",
)

_GROUPS = {
    "Customer": "Names",
    "Vendor": "Names",
    "Employee": "Names",
    "Account": "Accounts",
    "Item": "Items",
    "TaxCode": "TaxCode",
    "TaxRate": "TaxRate",
    "TaxAgency": "TaxAgency",
    "Term": "Terms",
    "PaymentMethod": "PaymentMethods",
    "Class": "Klasses",
    "Department": "Depts",
    "Invoice": "Transactions",
}
# Ids that stand for no record.
_PSEUDO = {"TaxCode": frozenset({"TAX", "NON", "CustomSalesTax"}), "Item": EXTRA_ITEMS}


def _targets(target: str, value: str) -> bool:
    return target in _GROUPS and value not in _PSEUDO.get(target, ())


def check_references(txn: Txn, shape: Shape, given: Json) -> None:
    """Raise 2500 or 610 for the first reference in the parsed request that cannot be used."""
    for name, value in given.items():
        if value is None:
            continue
        kind: Any = shape.fields.get(name)
        if isinstance(kind, Ref) and _targets(kind.target, value["value"]):
            referenced(txn, kind.target, value["value"])
        elif isinstance(kind, Shape):
            check_references(txn, kind, value)
        elif isinstance(kind, ListOf) and isinstance(kind.kind, Shape):
            for item in value:
                check_references(txn, kind.kind, item)


def referenced(txn: Txn, target: str, number: str) -> Json:
    """The active record a reference points at; raises 2500 or 610."""
    record = txn.get(target, number)
    if record is None:
        raise Fault(2500, f"Invalid Reference Id : {_GROUPS[target]} element id {number} not found")
    if record.get("Active") is False:
        raise not_found()
    return record


def reference(view: View, target: str, value: Json) -> Json:
    """The reference with the current name of its target."""
    if target == "Currency":
        code = value["value"]
        return {"value": code, "name": CURRENCY_NAMES.get(code, code)}
    record = view.get(target, value["value"])
    # Tax code references are recorded without a name.
    if record is None or target in {"TaxCode", "TaxRate", "TaxAgency"}:
        return {"value": value["value"]}
    return {
        "value": value["value"],
        "name": record.get("FullyQualifiedName") or record.get("DisplayName") or record.get("Name"),
    }


def rendered(view: View, shape: Shape, record: Json) -> Json:
    """The record in the order of its shape, references with names, empty properties left out."""
    answer: Json = {}
    for name, kind in shape.fields.items():
        value = record.get(name)
        if value is None:
            continue
        if isinstance(kind, Ref):
            answer[name] = reference(view, kind.target, value)
        elif isinstance(kind, Shape):
            answer[name] = rendered(view, kind, value)
        elif isinstance(kind, ListOf) and isinstance(kind.kind, Shape):
            answer[name] = [rendered(view, kind.kind, item) for item in value]
        else:
            answer[name] = value
    return answer
