"""Merging two names, which only a person can do: the loser's transactions move, its id vanishes."""

from __future__ import annotations

from .books import Txn
from .entities.entity import find
from .entities.registry import ENTITIES
from .evidence import Mark, rule
from .faults import business

rule(
    "merge.names",
    "Transactions and sub-customers of the loser move to the winner; reading the loser is 610",
    Mark.DOCUMENT,
    "Intuit webhooks page; moved documents grow a version is assumed",
)


def merge(txn: Txn, kind: str, loser: str, winner: str) -> None:
    """Stage the merge of two customers or vendors of the same currency."""
    gone, kept = find(txn, kind, loser), find(txn, kind, winner)
    if loser == winner or gone.get("CurrencyRef") != kept.get("CurrencyRef"):
        raise business("Only two different names of the same currency can be merged.")
    if txn.holders(f"Parent.{kind}", loser) and kept.get("ParentRef", {}).get("value") == loser:
        raise business("A name cannot be merged into one below it.")
    reference = {"value": loser}
    for entity in ENTITIES:
        for record in list(txn.all(entity.name)):
            changed = {
                name: {"value": winner}
                for name in (f"{kind}Ref", "ParentRef")
                if record.get(name) == reference and (name != "ParentRef" or entity.name == kind)
            }
            if changed:
                txn.touch(entity.name, {**record, **changed})
    txn.remove(kind, loser, mergedInto=winner)
