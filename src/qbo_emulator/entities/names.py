"""What customers, vendors and employees share: the display name that is unique over all three."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import Fault
from qbo_emulator.jsonio import Json
from qbo_emulator.ledger import Txn

from .entity import Entity, unique
from .fields import EMAIL, PHONE, WEB, Kind, ReadOnly, Shape, Text, Uncovered

rule(
    "name.unique",
    "DisplayName is unique over customers, vendors and employees, inactive ones included (6240)",
    Mark.DOCUMENT,
    "Intuit customer reference; recorded fault",
)
rule("name.comparison", "Names are compared trimmed and without regard to case", Mark.ASSUMPTION)
rule("name.deleted-suffix", "An inactive name carries the suffix ' (deleted)'", Mark.RECORDING, "recorded employees")
rule(
    "name.default",
    "DisplayName is built from title, given, middle, family name and suffix when absent",
    Mark.DOCUMENT,
    "Intuit customer reference",
)

DELETED = " (deleted)"
_PARTS = ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")
FORBIDDEN = ":\t\n"

# In the order of recorded answers; they stand after the envelope there.
PERSON: Mapping[str, Kind] = {
    "Title": Text(16, FORBIDDEN),
    "GivenName": Text(100, FORBIDDEN),
    "MiddleName": Text(100, FORBIDDEN),
    "FamilyName": Text(100, FORBIDDEN),
    "Suffix": Text(16, FORBIDDEN),
    "FullyQualifiedName": ReadOnly(),
    "CompanyName": Text(100),
    "DisplayName": Text(500, FORBIDDEN),
    "PrintOnCheckName": Text(110, FORBIDDEN),
}
CONTACT: Mapping[str, Kind] = {
    "PrimaryPhone": PHONE,
    "AlternatePhone": PHONE,
    "Mobile": PHONE,
    "Fax": PHONE,
    "PrimaryEmailAddr": EMAIL,
    "WebAddr": WEB,
}
RARE: Mapping[str, Kind] = {
    "IntuitId": ReadOnly(),
    "Organization": ReadOnly(),
    "UserId": ReadOnly(),
    "V4IDPseudonym": ReadOnly(),
    "OtherContactInfo": Uncovered(),
    "ContactName": Uncovered(),
    "AltContactName": Uncovered(),
    "CustomField": Uncovered(),
    "Source": ReadOnly(),
    "OtherAddr": Uncovered(),
}


def marked(name: str, *, active: bool, before: Json | None) -> str:
    """The name with the mark of an inactive record, or without the mark that it had."""
    if before is not None and not before["Active"]:
        name = name.removesuffix(DELETED)
    return name if active or name.endswith(DELETED) else name + DELETED


class NameEntity(Entity):
    """A person or firm in the books."""

    sequence = "Names"
    shape: Shape

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        record = dict(given)
        display = str(record.get("DisplayName") or "").strip()
        if not display:
            display = " ".join(str(record[part]).strip() for part in _PARTS if record.get(part)).strip()
        if not display:
            raise Fault(
                2020,
                "Required parameter DisplayName or one of Title, GivenName, MiddleName, FamilyName, "
                "Suffix is missing in the request",
                "DisplayName",
            )
        record.setdefault("Active", True)
        record["DisplayName"] = display = marked(display, active=record["Active"], before=before)
        record["PrintOnCheckName"] = self._check_name(record, before)
        unique(
            txn,
            "Names",
            display.casefold(),
            own=(self.name, before["Id"] if before else ""),
            text="Another customer, vendor or employee is already using this \nname. Please use a different name.",
        )
        return record

    def _check_name(self, record: Json, before: Json | None) -> str:
        """The printed name: as given, else the person's or the display name, following renames."""
        person = " ".join(str(record[part]).strip() for part in _PARTS if record.get(part))
        default = record.get("CompanyName") or person or record["DisplayName"].removesuffix(DELETED)
        given = record.get("PrintOnCheckName")
        if given and not (before and given == before.get("PrintOnCheckName") == before.get("DisplayName")):
            return str(given)
        return str(default)[:110]

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        return (("Names", record["DisplayName"].casefold()),)

    def serials(self, record: Json) -> Iterable[tuple[str, int]]:
        return address_serials(record)

    def default_order(self, record: Json) -> str:
        return str(record.get("FullyQualifiedName") or record["DisplayName"]).casefold()


def address_serials(record: Json) -> list[tuple[str, int]]:
    """Addresses are numbered over the whole company."""
    found = (record.get(name) for name in ("BillAddr", "ShipAddr", "PrimaryAddr"))
    return [("Address", int(each["Id"])) for each in found if each and "Id" in each]
