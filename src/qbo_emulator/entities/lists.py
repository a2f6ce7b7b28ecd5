"""Small lists: terms, payment methods, tax codes, rates and agencies."""
# ruff: noqa: ARG002 - all entities have one signature

from __future__ import annotations

from collections.abc import Iterable

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import unsupported
from qbo_emulator.jsonio import Json
from qbo_emulator.ledger import Txn, View

from .entity import Entity, unique
from .fields import ENVELOPE, TAIL, Bool, Choice, Integer, Number, ReadOnly, Shape, Text, Uncovered, require, uncovered
from .references import rendered

rule("tax.read-only", "Tax codes and rates are read-only entities", Mark.DOCUMENT, "Intuit tax code reference")
rule(
    "tax.agency",
    "An agency is made with a DisplayName of at most 100 characters, unique (6240), and never changed (500)",
    Mark.DOCUMENT,
    "Intuit tax agency reference; the refusals are assumed",
)
rule(
    "tax.pseudo-codes",
    "US companies list TAX, NON and CustomSalesTax as codes without envelope",
    Mark.DOCUMENT,
    "Intuit tax code reference",
)


class Term(Entity):
    name = "Term"
    shape = Shape(
        "Term",
        {
            "Name": Text(31),
            "Active": Bool(),
            "Type": Choice(("STANDARD", "DATE_DRIVEN")),
            "DiscountPercent": Number(),
            "DueDays": Integer(0, 999),
            "DiscountDays": Integer(0, 999),
            "DayOfMonthDue": Integer(1, 31),
            "DueNextMonthDays": Integer(0, 31),
            "DiscountDayOfMonth": Integer(0, 31),
            **ENVELOPE,
            **TAIL,
            "SalesTermEx": Uncovered(),
            "CustomField": Uncovered(),
        },
    )

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        require(given, "Name")
        record = dict(given)
        if "DueDays" not in record and "DayOfMonthDue" not in record:
            require(record, "DueDays")
        record["Type"] = "STANDARD" if "DueDays" in record else "DATE_DRIVEN"
        record.setdefault("Active", True)
        unique(
            txn,
            self.name,
            record["Name"].casefold(),
            own=(self.name, before["Id"] if before else ""),
            text="Another term is already using this \nname. Please use a different name.",
        )
        return record

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        return ((self.name, record["Name"].casefold()),)

    def render(self, view: View, record: Json) -> Json:
        return rendered(view, self.shape, record)


class PaymentMethod(Entity):
    name = "PaymentMethod"
    shape = Shape(
        "PaymentMethod",
        {
            "Name": Text(31),
            "Active": Bool(),
            "Type": Choice(("CREDIT_CARD", "NON_CREDIT_CARD")),
            **ENVELOPE,
            **TAIL,
            "PaymentMethodEx": Uncovered(),
            "CustomField": Uncovered(),
        },
    )

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        require(given, "Name")
        record = {"Active": True, "Type": "NON_CREDIT_CARD", **given}
        unique(
            txn,
            self.name,
            record["Name"].casefold(),
            own=(self.name, before["Id"] if before else ""),
            text="Another payment method is already using this \nname. Please use a different name.",
        )
        return record

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        return ((self.name, record["Name"].casefold()),)

    def render(self, view: View, record: Json) -> Json:
        return rendered(view, self.shape, record)


class ReadOnlyEntity(Entity):
    """Seeded as a whole; requests only read it."""

    can_create = False
    shape = Shape("", {})

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        raise unsupported(f"update {self.name}")

    def check(self, txn: Txn, given: Json) -> None:
        raise unsupported(f"update {self.name}")


class TaxCode(ReadOnlyEntity):
    name = "TaxCode"
    counts_total = True

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        return (("TaxCode", record["Name"].casefold()),)

    def render(self, view: View, record: Json) -> Json:
        if record["Id"].isdigit():
            return record
        return {key: record[key] for key in ("Name", "Description", "Taxable", "TaxGroup", "Id", "MetaData")}


class TaxRate(ReadOnlyEntity):
    name = "TaxRate"

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        return (("TaxRate", record["Name"].casefold()),)


class TaxAgency(Entity):
    name = "TaxAgency"
    shape = Shape(
        "TaxAgency",
        {
            "DisplayName": Text(100),
            "TaxTrackedOnSales": Bool(),
            "TaxTrackedOnPurchases": Bool(),
            **ENVELOPE,
            **TAIL,
            "LastFileDate": ReadOnly(),
            "TaxRegistrationNumber": Text(30),
            "TaxAgencyConfig": ReadOnly(),
            **uncovered("ReportingPeriod", "CustomField"),
        },
    )

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        if before is not None:
            raise unsupported("update TaxAgency")
        require(given, "DisplayName")
        record = {**given, "DisplayName": given["DisplayName"].strip()}
        unique(
            txn,
            self.name,
            record["DisplayName"].casefold(),
            own=(self.name, ""),
            text="Another tax agency is already using this \nname. Please use a different name.",
        )
        return {"TaxTrackedOnSales": True, "TaxTrackedOnPurchases": txn.books.country != "US", **record}

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        return ((self.name, record["DisplayName"].casefold()),)

    def render(self, view: View, record: Json) -> Json:
        return rendered(view, self.shape, record)

    def default_order(self, record: Json) -> str:
        return str(record["DisplayName"]).casefold()
