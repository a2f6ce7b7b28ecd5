"""Names below names: the full name with colons, the limit of levels, and children that follow a rename."""

from __future__ import annotations

from qbo_emulator.faults import Fault, business
from qbo_emulator.jsonio import Json
from qbo_emulator.ledger import Txn

from .entity import find, unique

# A name and four levels below it.
LEVELS = 5


def ancestors(txn: Txn, kind: str, record: Json, own: str) -> list[Json]:
    """The parent, its parent and so on; refuses a circle and too many levels (6180)."""
    found: list[Json] = []
    at = record
    while at.get("ParentRef"):
        number = at["ParentRef"]["value"]
        if number == own:
            raise business("A name cannot be its own parent.")
        at = find(txn, kind, number)
        found.append(at)
        if len(found) >= LEVELS:
            raise Fault(6180, f"You can nest at most {LEVELS} levels of names.")
    return found


def full_name(txn: Txn, kind: str, record: Json, before: Json | None, *, word: str) -> str:
    """The name with its ancestors', unique in its kind (6240)."""
    own = before["Id"] if before else ""
    above = ancestors(txn, kind, record, own)
    name = f"{above[0]['FullyQualifiedName']}:{record['Name']}" if above else str(record["Name"])
    unique(
        txn,
        kind,
        name.casefold(),
        own=(kind, own),
        text=f"Another {word} is already using this \nname. Please use a different name.",
    )
    return name


def rename_children(txn: Txn, kind: str, before: Json | None, after: Json | None) -> None:
    """Names below a renamed one take its new full name; their versions stay."""
    if before is None or after is None or before["FullyQualifiedName"] == after["FullyQualifiedName"]:
        return
    for _, number in list(txn.books.holders(f"Parent.{kind}", after["Id"])):
        child = txn.get(kind, number)
        if child is None or child["ParentRef"]["value"] != after["Id"]:
            continue
        name = child.get("Name") or child["DisplayName"]
        changed = {**child, "FullyQualifiedName": f"{after['FullyQualifiedName']}:{name}"}
        txn.put(kind, changed)
        rename_children(txn, kind, child, changed)
