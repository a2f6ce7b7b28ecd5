"""What every entity has to say about itself; operations, queries and the books ask nothing else."""
# ruff: noqa: ARG002 - defaults of an interface

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from qbo_emulator.faults import Fault, not_found, unsupported
from qbo_emulator.jsonio import Json
from qbo_emulator.ledger import Txn, View

from .fields import Shape
from .references import check_references


class Entity:
    """A kind of record; subclasses fill in what is theirs."""

    name = ""
    path = ""
    sequence = ""
    shape: Shape
    # Name lists are hidden from queries when inactive and are never deleted; transactions are the other kind.
    is_list = True
    can_create = True
    can_delete = False
    # totalCount stands in query answers of some entities only (recorded 2026).
    counts_total = False
    # Which requests void a record: operation=void, include=void.
    void_forms: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.path = self.path or self.name.lower()
        self.sequence = self.sequence or self.name

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        """The whole record for a parsed request: checked against the books, defaults filled in."""
        raise NotImplementedError

    def check(self, txn: Txn, given: Json) -> None:
        """References must exist and be active."""
        check_references(txn, self.shape, given)

    def outdated_by(self, given: Json) -> frozenset[str]:
        """Properties that a sparse update of these does not carry over from the stored record."""
        return frozenset()

    def check_request(self, txn: Txn, body: Json, before: Json | None) -> None:
        """Refuse what only a person can do inside QuickBooks; before is None for a new record."""

    def after_write(self, txn: Txn, before: Json | None, after: Json | None) -> None:
        """Side effects on other records; after is None for a deletion."""

    def void(self, txn: Txn, record: Json) -> Json:
        raise unsupported(f"void of {self.name}")

    def check_delete(self, txn: Txn, record: Json) -> None:
        """Refuse a deletion that the books do not allow."""

    def render(self, view: View, record: Json) -> Json:
        """The record as answers show it: names beside references, computed amounts."""
        return record

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        """Under which (space, key) pairs the record is found."""
        return ()

    def postings(self, view: View, record: Json) -> Iterable[tuple[str, Decimal]]:
        """What the record adds to account balances, in each account's own sign."""
        return ()

    def owed(self, record: Json) -> Iterable[tuple[str, Decimal]]:
        """What the record adds to customers' balances."""
        return ()

    def moved(self, record: Json) -> Iterable[tuple[str, Decimal]]:
        """What the record adds to quantities of items on hand."""
        return ()

    def natural_id(self, txn: Txn, given: Json) -> str | None:
        """The id of a record that is found by what it says, and written without a version."""
        return None

    def serials(self, record: Json) -> Iterable[tuple[str, int]]:
        """Numbers that a sequence other than the id's must count past."""
        return ()

    def default_order(self, record: Json) -> str:
        return str(record.get("Name", record["Id"])).casefold()


def is_sparse(body: Json) -> bool:
    """Whether an update leaves what it does not name."""
    value = body.get("sparse", False)
    return value is True or (isinstance(value, str) and value.lower() == "true")


def find(txn: Txn, entity: str, number: str) -> Json:
    """The record, or fault 610."""
    record = txn.get(entity, number)
    if record is None:
        raise not_found()
    return record


def unique(txn: Txn, space: str, key: str, *, own: tuple[str, str], text: str) -> None:
    """Refuse a name that another record holds (6240)."""
    if any(holder != own for holder in txn.books.holders(space, key)):
        raise Fault(6240, f"The name supplied already exists. : {text}")
