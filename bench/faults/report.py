"""What a fault run prints: a row for each cell, all of them together, and what is wrong or waits for a person."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.faults.cells import CELLS

_ROW = (
    *("cell", "records", "faults", "kills", "duplicates", "missing", "foreign", "cents", "wrong_accounts"),
    *("wrong_tax_codes", "other", "uncertain", "namesakes", "seconds"),
)
_WRONG = ("duplicates", "missing", "foreign", "cents", "wrong_accounts", "wrong_tax_codes", "other")
# Where looks are blind, a batch of which not all may be repeated waits for a person (ADR 16).
_MAY_ASK = {
    cell.name for cell in CELLS if any("lookups_blind_seconds" in each for each in (cell.request_ids, *cell.changes))
}


def summarize(seed: int, cells: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The figures of the whole run."""
    sums = {
        name: sum(cell[name] for cell in cells)
        for name in ("records", "faults", "kills", *_WRONG, "uncertain", "namesakes")
    }
    return {
        "seed": seed,
        "cells": [{name: cell[name] for name in _ROW} for cell in cells],
        **sums,
        "what_struck": _add(cells, "faults_by_kind"),
        "what_was_killed": _add(cells, "kills_by_kind"),
        "what_people_did": _add(cells, "did"),
        "seconds_by_phase": [{"cell": cell["cell"], **cell["seconds_by_phase"]} for cell in cells],
        "causes": [{"cell": cell["cell"], **cell["causes"]} for cell in cells if cell["causes"]],
        "wrong": [{"cell": cell["cell"], "says": says} for cell in cells for says in list_wrong(cell)],
        "is_correct": not any(list_wrong(cell) for cell in cells),
    }


def list_wrong(cell: Mapping[str, Any]) -> list[str]:
    """What's wrong with a cell: what the audit found, and what it couldn't judge."""
    found = list(cell["findings"])
    if not cell["is_quiet"]:
        found += [f"hadn't come to rest: {row}" for row in cell["unsettled"]] or ["hadn't come to rest"]
    unexplained = cell["uncertain"] - cell["namesakes"]
    if unexplained and cell["cell"] not in _MAY_ASK:
        found.append(f"{unexplained} records are uncertain though looks see them")
    return found


def _add(cells: Sequence[Mapping[str, Any]], name: str) -> str:
    total: dict[str, int] = {}
    for cell in cells:
        for kind, count in cell[name].items():
            total[kind] = total.get(kind, 0) + count
    return ", ".join(f"{count} {kind}" for kind, count in sorted(total.items()))
