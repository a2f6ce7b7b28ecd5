"""What one POST to an entity asks for: create, update, delete or one of the documented forms of void."""

from __future__ import annotations

from typing import Any

from .books import Txn
from .consequences import make
from .entities.entity import Entity
from .evidence import Mark, rule
from .faults import Fault, unsupported
from .jsonio import Json
from .operations import current, delete, replace, show, update, void

rule(
    "void.forms",
    "operation=void voids invoices and sales receipts, include=void payments as well; anything else cannot be voided "
    "through the API (500)",
    Mark.DOCUMENT,
    "Intuit references; include=void of invoices as public clients send it",
)


def perform(txn: Txn, entity: Entity, body: Any, operation: str = "") -> Json:
    """Stage what a request asks for; answers the entity as it is shown."""
    if not isinstance(body, dict):
        raise Fault(2010, "Property Name:The request body is not a JSON object specified is unsupported or invalid")
    word = operation.lower()
    if word == "delete":
        return delete(txn, entity, body)
    if "void" in txn.include or word == "void":
        return show(txn, entity, _void(txn, entity, body, "include" if "void" in txn.include else "operation"))
    if word not in {"", "create", "update"}:
        raise unsupported(f"{word[:40]} on {entity.name}")
    return show(txn, entity, _write(txn, entity, body, is_update=word == "update"))


def _void(txn: Txn, entity: Entity, body: Json, form: str) -> Json:
    if form not in entity.void_forms:
        raise unsupported(f"void of {entity.name} by {form}=void")
    return void(txn, entity, body)


def _write(txn: Txn, entity: Entity, body: Json, *, is_update: bool) -> Json:
    known = entity.natural_id(txn, body)
    if known is not None:
        return replace(txn, entity, body, known)
    if body.get("Id") not in (None, "") or is_update:
        entity.check_request(txn, body, current(txn, entity, body))
        return update(txn, entity, body)
    entity.check_request(txn, body, None)
    return make(txn, entity, body)
