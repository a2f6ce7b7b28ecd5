"""The coverage page: every behavior with what it rests on, made from the code (python -m qbo_emulator.coverage)."""

import sys
from itertools import groupby

from .entities.registry import ENTITIES, UNCOVERED
from .evidence import RULES, Mark, Rule
from .server import build_app

# Building the application imports every module, and each registers its behaviors.
_LOADED = build_app

_MEANINGS = {
    Mark.RECORDING: "seen in a recorded answer or in a fixture of a library",
    Mark.DOCUMENT: "written in Intuit's documentation or schema",
    Mark.REPORT: "reported by third parties",
    Mark.ASSUMPTION: "a guess, where nothing better was found; most of these are settings",
    Mark.MISSING: "not covered: answered with a fault that says so",
}
_TITLES = {
    "account": "Accounts",
    "cdc": "Change data capture",
    "fault": "Faults",
    "oauth": "OAuth and OpenID",
    "requestid": "Request ids",
    "route": "Routes",
}


def render() -> str:
    """The whole page as Markdown."""
    rules = sorted(RULES.values(), key=lambda each: (_group(each), each.key))
    lines = [
        "# What the emulator does, and how we know",
        "",
        "Made from the code by `python -m qbo_emulator.coverage`; a test fails when the two differ.",
        "Recordings win over documentation, documentation over reports, and a guess says that it is one.",
        "",
        "| Mark | Meaning | Behaviors |",
        "| --- | --- | --- |",
        *(f"| {mark} | {_MEANINGS[mark]} | {_count(rules, mark)} |" for mark in Mark),
        "",
        "## Entities",
        "",
        f"Covered: {', '.join(sorted(each.name for each in ENTITIES))}.",
        "",
        f"Known, and refused as not covered: {', '.join(sorted(UNCOVERED))}, and reports, attachments and XML.",
    ]
    for group, found in groupby(rules, key=_group):
        title = _TITLES.get(group, group.replace("-", " ").capitalize())
        lines += ["", f"## {title}", "", "| Behavior | Mark | Source |", "| --- | --- | --- |"]
        lines += [f"| {_cell(each.says)} | {each.mark} | {_cell(each.source)} |" for each in found]
    return "\n".join(lines) + "\n"


def _group(each: Rule) -> str:
    return each.key.partition(".")[0]


def _count(rules: list[Rule], mark: Mark) -> int:
    return sum(each.mark is mark for each in rules)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(render())
