"""Classes and locations (departments): names in a tree of at most five levels."""

from __future__ import annotations

from collections.abc import Iterable

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.jsonio import Json
from qbo_emulator.ledger import Txn, View

from .entity import Entity
from .fields import ADDRESS, ENVELOPE, TAIL, Bool, ReadOnly, Ref, Shape, Text, require, uncovered
from .names import marked
from .references import rendered
from .tree import full_name, rename_children

rule(
    "tracking.name",
    "At most 100 characters; unique by full name (6240); five levels below one another (6180)",
    Mark.DOCUMENT,
    "Intuit class and department references; text of 6240 assumed",
)


class _Tracking(Entity):
    """A name that may stand below another of its kind."""

    flag = ""
    word = ""

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        require(given, "Name")
        record = {"Active": True, **given}
        record["Name"] = marked(str(record["Name"]).strip(), active=record["Active"], before=before)
        record[self.flag] = bool(record.get("ParentRef"))
        record["FullyQualifiedName"] = full_name(txn, self.name, record, before, word=self.word)
        return record

    def after_write(self, txn: Txn, before: Json | None, after: Json | None) -> None:
        rename_children(txn, self.name, before, after)

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        yield self.name, record["FullyQualifiedName"].casefold()
        if record.get("ParentRef"):
            yield f"Parent.{self.name}", record["ParentRef"]["value"]

    def default_order(self, record: Json) -> str:
        return str(record["FullyQualifiedName"]).casefold()

    def render(self, view: View, record: Json) -> Json:
        return rendered(view, self.shape, record)


class Class(_Tracking):
    name = "Class"
    flag = "SubClass"
    word = "class"
    shape = Shape(
        "Class",
        {
            "Name": Text(100, ":\t\n"),
            "SubClass": Bool(),
            "ParentRef": Ref("Class"),
            "FullyQualifiedName": ReadOnly(),
            "Active": Bool(),
            **ENVELOPE,
            **TAIL,
            **uncovered("ClassEx", "CustomField"),
        },
    )


class Department(_Tracking):
    name = "Department"
    flag = "SubDepartment"
    word = "location"
    shape = Shape(
        "Department",
        {
            "Name": Text(100, ":\t\n"),
            "SubDepartment": Bool(),
            "ParentRef": Ref("Department"),
            "FullyQualifiedName": ReadOnly(),
            "Active": Bool(),
            "Address": ADDRESS,
            **ENVELOPE,
            **TAIL,
            **uncovered("DepartmentEx", "CustomField"),
        },
    )
