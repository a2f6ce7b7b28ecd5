"""Create, update (full and sparse), void, delete and read any entity: one road for API and bookkeeper."""

from typing import Any

from .books import Books, Txn
from .entities.entity import Entity, find, is_sparse
from .evidence import Mark, rule
from .faults import Fault, missing, not_found, stale, unsupported
from .jsonio import Json

rule(
    "write.sync-token",
    "Updates, voids and deletions need the current SyncToken, else 5010",
    Mark.RECORDING,
    "Intuit basic field definitions; recorded fault",
)
rule(
    "write.no-change",
    "An update that changes nothing leaves SyncToken and times untouched",
    Mark.RECORDING,
    "recorded deactivation of an inactive account",
)
rule(
    "write.sparse",
    "A sparse update changes the given properties only, a full update clears the others",
    Mark.DOCUMENT,
    "Intuit REST API features",
)
rule("write.lines", "A given Line array replaces all lines", Mark.DOCUMENT, "Intuit invoice reference")
rule(
    "delete.stub",
    "A deletion answers domain, status and Id only; reading it afterwards is 610",
    Mark.RECORDING,
    "recorded deletion",
)

_CONTROL = frozenset({"Id", "SyncToken", "sparse", "domain", "MetaData", "status"})
OTHER_USER = "another user"


def check_id(value: Any, *, element: str = "Id") -> str:
    """An id from a path or body as text; raises 2030 unless it is a whole number."""
    text = str(value)
    if isinstance(value, (bool, dict, list)) or not (text.isascii() and text.isdigit()) or len(text) > 20:
        raise Fault(2030, f"Id should be a valid number. Supplied value:{text[:60]}", element)
    return text


def current(txn: Txn, entity: Entity, body: Json) -> Json:
    """The record a body names, its SyncToken checked."""
    if body.get("Id") in (None, ""):
        raise missing("Id")
    record = find(txn, entity.name, check_id(body["Id"]))
    if body.get("SyncToken") in (None, ""):
        raise missing("SyncToken")
    if str(body["SyncToken"]) != record["SyncToken"]:
        raise stale(OTHER_USER)
    return record


def _writable(entity: Entity, body: Json) -> Json:
    given = entity.shape.parse({key: value for key, value in body.items() if key not in _CONTROL})
    return dict(given)


def create(txn: Txn, entity: Entity, body: Json, *, number: str | None = None) -> Json:
    """Stage a new record; scenarios name its id, requests never do."""
    if not entity.can_create and number is None:
        raise unsupported(f"create {entity.name}")
    given = {key: value for key, value in _writable(entity, body).items() if value is not None}
    entity.check(txn, given)
    record = entity.complete(txn, given, None)
    record["Id"] = number or entity.natural_id(txn, given) or txn.next_id(entity.sequence)
    record["SyncToken"] = "0"
    record["MetaData"] = {"CreateTime": txn.now, "LastUpdatedTime": txn.now}
    record["domain"] = "QBO"
    record["sparse"] = False
    txn.put(entity.name, record)
    entity.after_write(txn, None, record)
    return record


def replace(txn: Txn, entity: Entity, body: Json, number: str) -> Json:
    """A record that is found by what it says: made, or replaced whatever its version."""
    before = txn.get(entity.name, number)
    if before is None:
        return create(txn, entity, body)
    given = {key: value for key, value in _writable(entity, body).items() if value is not None}
    record = entity.complete(txn, given, before)
    kept = {key: before[key] for key in ("Id", "SyncToken", "MetaData", "domain", "sparse")}
    txn.touch(entity.name, {**record, **kept})
    return find(txn, entity.name, number)


def update(txn: Txn, entity: Entity, body: Json) -> Json:
    """Stage a changed record, or the same one when nothing differs."""
    before = current(txn, entity, body)
    given = _writable(entity, body)
    entity.check(txn, given)
    if is_sparse(body):
        outdated = entity.outdated_by(given)
        given = {**{key: value for key, value in before.items() if key not in outdated}, **given}
    record = entity.complete(txn, {key: value for key, value in given.items() if value is not None}, before)
    for key in ("Id", "SyncToken", "MetaData", "domain", "sparse"):
        record[key] = before[key]
    if record == before:
        return before
    txn.touch(entity.name, record)
    changed = find(txn, entity.name, record["Id"])
    entity.after_write(txn, before, changed)
    return changed


def void(txn: Txn, entity: Entity, body: Json) -> Json:
    before = current(txn, entity, body)
    txn.touch(entity.name, entity.void(txn, before))
    changed = find(txn, entity.name, before["Id"])
    entity.after_write(txn, before, changed)
    return changed


def delete(txn: Txn, entity: Entity, body: Json) -> Json:
    if not entity.can_delete:
        raise unsupported(f"delete {entity.name}")
    before = current(txn, entity, body)
    entity.check_delete(txn, before)
    txn.remove(entity.name, before["Id"])
    entity.after_write(txn, before, None)
    return {"domain": "QBO", "status": "Deleted", "Id": before["Id"]}


def show(txn: Txn, entity: Entity, record: Json) -> Json:
    return entity.render(txn, record)


def read(books: Books, entity: Entity, number: str) -> Json:
    record = books.get(entity.name, check_id(number))
    if record is None:
        raise not_found()
    return entity.render(books, record)
