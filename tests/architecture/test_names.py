"""Names that say nothing are where code without a home collects."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path

from tests.architecture.tree import parse, python_files, shorten, walk

_EMPTY_MODULES = frozenset(
    {"base", "common", "core", "data", "helper", "helpers", "info", "lib", "manager", "managers", "misc"}
    | {"processor", "shared", "stuff", "util", "utils"}
)
_EMPTY_CLASS = re.compile(r"(Manager|Helper|Helpers|Processor|Utils?|Common|Base|Data|Info)$")

# Class → whose word it is.
WORDS_OF_OTHERS: Mapping[str, str] = {
    "src/cone/books/models/user.py:UserManager": "Django's word for where a model's rows are made",
    "src/qbo_emulator/entities/company_info.py:CompanyInfo": "QuickBooks' name of the entity",
}
FAULTS: Mapping[str, str] = {
    "src/qbo_emulator/faults.py:Fault": "QuickBooks' word for an error that is answered",
    "src/qbo_emulator/faults.py:GatewayFault": "the same, in the gateway's shape",
}

# Operations modules that hold no verb of their own: what several operations share, or a family of verbs.
NOT_A_VERB: Mapping[str, str] = {
    "connect_provider": "two verbs: the way out to the sign-in, and the return from it",
    "invoice_content": "what an invoice's lines are made of, for saving and issuing",
    "resolve_uncertain": "the two answers to one question",
    "settle_loss": "a customer that is no more there: look for another one, or make it anew",
    "settle_name": "the two ways out of one cause: linking and suffixing",
    "sync_now": "one record, one cause, or everything",
    "sync_settings": "the lock and the revision that all settings share",
}


def test_modules_are_named_after_what_they_hold() -> None:
    found = {shorten(path) for path in python_files("src", "tests", "scripts") if path.stem in _EMPTY_MODULES}
    folders = {shorten(path.parent) for path in python_files("src", "tests") if path.parent.name in _EMPTY_MODULES}

    assert found | folders == set()


def test_classes_are_named_after_what_they_are() -> None:
    found = {
        f"{shorten(path)}:{node.name}"
        for path, node in walk("src", "tests")
        if isinstance(node, ast.ClassDef) and _EMPTY_CLASS.search(node.name)
    }

    assert found == set(WORDS_OF_OTHERS)


def test_errors_end_in_error() -> None:
    found = {
        f"{shorten(path)}:{node.name}"
        for path, node in walk("src")
        if isinstance(node, ast.ClassDef)
        and not node.name.endswith("Error")
        and any(isinstance(parent, ast.Name) and parent.id.endswith(("Error", "Exception")) for parent in node.bases)
    }

    assert found == set(FAULTS)


def test_operations_hold_the_verb_they_are_named_after() -> None:
    verbs = [path for path in python_files("src/cone/operations") if "_" in path.stem and path.stem != "__init__"]
    assert verbs

    missing = {path.stem for path in verbs if path.stem not in _defined(path)}

    assert missing == set(NOT_A_VERB)


def test_modules_say_what_they_are_for() -> None:
    silent = [
        shorten(path) for path in python_files("src") if parse(path).body and ast.get_docstring(parse(path)) is None
    ]

    assert silent == []


def _defined(path: Path) -> set[str]:
    return {node.name for node in parse(path).body if isinstance(node, ast.FunctionDef)}
