"""What the bookkeeper does inside QuickBooks: the same operations as the API, with the current version filled in."""

from __future__ import annotations

from datetime import date
from typing import Any

from qbo_emulator.books import Books, Txn
from qbo_emulator.consequences import make
from qbo_emulator.entities.account import ACCOUNT_TYPES
from qbo_emulator.entities.entity import Entity, find
from qbo_emulator.entities.registry import BY_NAME
from qbo_emulator.jsonio import Json
from qbo_emulator.merging import merge
from qbo_emulator.operations import create, delete, show, update, void


class UnknownActionError(ValueError):
    """The bookkeeper cannot do that."""


# Read-only to the API, but a person can hide them.
_TOGGLED = frozenset({"TaxCode", "TaxRate"})


def act(books: Books, body: Json) -> Json:
    """Do one thing and answer the record; raises Fault and UnknownActionError."""
    action = body.get("action")
    fields = body.get("fields") or {}
    if not isinstance(fields, dict):
        raise UnknownActionError("fields is an object")
    if action == "close_books":
        return close_books(books, body.get("date"))
    if action == "preferences":
        return change_preferences(books, fields)
    if action == "set_account_type":
        return set_account_type(books, _text(body, "id"), _text(body, "type"), body.get("subtype"))
    if action == "pay":
        return pay(books, _text(body, "id"), body.get("amount"))
    entity = BY_NAME.get(_text(body, "entity"))
    if entity is None or entity.name == "Roles":
        raise UnknownActionError(f"no entity {body.get('entity')}")
    if action == "create":
        txn = Txn(books)
        record = show(txn, entity, make(txn, entity, fields))
        txn.commit()
        return record
    return _change(books, entity, str(action), _text(body, "id"), fields)


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, (str, int)) or isinstance(value, bool) or value == "":
        raise UnknownActionError(f"{name} is missing")
    return str(value)


def _change(books: Books, entity: Entity, action: str, number: str, fields: Json) -> Json:
    txn = Txn(books)
    record = find(txn, entity.name, number)
    version = {"Id": number, "SyncToken": record["SyncToken"]}
    if action in {"activate", "deactivate"}:
        fields = {"Active": action == "activate"}
        if entity.name in _TOGGLED:
            txn.touch(entity.name, {**record, **fields})
            txn.commit()
            return find(Txn(books), entity.name, number)
    if action in {"update", "activate", "deactivate"}:
        shown = show(txn, entity, update(txn, entity, {**fields, **version, "sparse": True}))
    elif action == "void":
        shown = show(txn, entity, void(txn, entity, version))
    elif action == "delete":
        shown = delete(txn, entity, version)
    elif action == "merge" and entity.name in {"Customer", "Vendor"}:
        merge(txn, entity.name, number, str(fields.get("into", "")))
        txn.commit()
        return {"merged": number, "into": str(fields["into"])}
    else:
        raise UnknownActionError(f"no action {action}")
    txn.commit()
    return shown


def set_account_type(books: Books, number: str, kind: str, subtype: Any = None) -> Json:
    if kind not in ACCOUNT_TYPES:
        raise UnknownActionError(f"no account type {kind}")
    fields: Json = {"AccountType": kind}
    if subtype:
        fields["AccountSubType"] = str(subtype)
    return _change(books, BY_NAME["Account"], "update", number, fields)


def pay(books: Books, invoice_id: str, amount: Any = None) -> Json:
    """Receive a payment for one invoice; its whole balance unless an amount is given."""
    txn = Txn(books)
    invoice = find(txn, "Invoice", invoice_id)
    paid = invoice["Balance"] if amount is None else amount
    body = {
        "CustomerRef": invoice["CustomerRef"],
        "CurrencyRef": invoice["CurrencyRef"],
        "TotalAmt": paid,
        "Line": [{"Amount": paid, "LinkedTxn": [{"TxnId": invoice_id, "TxnType": "Invoice"}]}],
    }
    record = show(txn, BY_NAME["Payment"], create(txn, BY_NAME["Payment"], body))
    txn.commit()
    return record


def close_books(books: Books, day: Any) -> Json:
    """Close the books up to a day, or open them with an empty one."""
    if day in (None, ""):
        return change_preferences(books, {"AccountingInfoPrefs": {"BookCloseDate": None}})
    try:
        closed = date.fromisoformat(str(day)).isoformat()
    except ValueError as error:
        raise UnknownActionError(f"{day} is no date") from error
    return change_preferences(books, {"AccountingInfoPrefs": {"BookCloseDate": closed}})


def change_preferences(books: Books, sections: Json) -> Json:
    """Merge into the preferences' sections; a null member disappears."""
    txn = Txn(books)
    changed = dict(find(txn, "Preferences", "1"))
    for name, members in sections.items():
        if not isinstance(changed.get(name), dict) or not isinstance(members, dict):
            raise UnknownActionError(f"no section {name} in the preferences")
        merged = {**changed[name], **members}
        changed[name] = {key: value for key, value in merged.items() if value is not None}
    txn.touch("Preferences", changed)
    txn.commit()
    return books.preferences
