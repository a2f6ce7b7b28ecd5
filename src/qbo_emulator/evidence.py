"""The list of behaviors and what each rests on; the coverage page is generated from it.

Recordings win over documentation, documentation over third-party reports, and a guess says that it is one.
"""

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    RECORDING = "recording"
    DOCUMENT = "document"
    REPORT = "third-party report"
    ASSUMPTION = "assumption"
    MISSING = "not covered"


@dataclass(frozen=True, slots=True)
class Rule:
    key: str
    says: str
    mark: Mark
    source: str


RULES: dict[str, Rule] = {}


def rule(key: str, says: str, mark: Mark, source: str = "") -> None:
    """Register a behavior beside the code that has it; a key is registered once."""
    if key in RULES:
        raise ValueError(f"evidence {key} is registered twice")
    RULES[key] = Rule(key, says, mark, source)
