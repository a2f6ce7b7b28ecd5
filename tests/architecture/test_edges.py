"""What belongs at an edge stays there: broad excepts, print, the clock, and writing."""

import ast
from collections.abc import Mapping

import pytest

from tests.architecture.tree import dotted, shorten, walk

# File → the edge it stands at.
BROAD_EXCEPTS: Mapping[str, str] = {
    "src/cone/accounting/lane.py": "one record: a bug in it must not stop the others of its company",
    "src/cone/worker/jobs.py": "one company: a bug in its upkeep must not stop the others'",
    "src/cone/worker/timetable.py": "one job: a bug in it must not stop what sends",
    "src/qbo_emulator/gateway.py": "one request: it's answered and logged as the emulator's fault",
}
_BROAD = frozenset({"Exception", "BaseException"})

# What changes the books; the one way is an operation.
_WRITES = frozenset(
    {"save", "create", "bulk_create", "get_or_create", "update_or_create", "bulk_update", "delete", "update"}
)

_PURE_ROOMS = ("src/cone/kit", "src/cone/domain", "src/cone/accounting")
_CLOCKS = frozenset({"now", "utcnow", "today", "localdate", "localtime", "time", "time_ns"})
_CLOCK_OWNERS = frozenset({"datetime", "date", "time", "timezone", "datetime.datetime", "datetime.date"})


def test_broad_excepts_stand_at_the_named_edges_only() -> None:
    found = {shorten(path) for path, node in walk("src", "scripts") if is_broad(node)}

    assert found == set(BROAD_EXCEPTS)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("except Exception:\n    pass", True),
        ("except (ValueError, Exception) as error:\n    log(error)", True),
        ("except:\n    pass", True),
        ("except BaseException:\n    stop()\n    raise", False),
        ("except ValueError:\n    pass", False),
    ],
)
def test_broad_except_is_one_that_keeps_what_it_caught(body: str, *, expected: bool) -> None:
    tree = ast.parse(f"try:\n    act()\n{body}")

    assert any(is_broad(node) for node in ast.walk(tree)) is expected


def test_broad_suppress_is_found() -> None:
    assert any(is_broad(node) for node in ast.walk(ast.parse("with contextlib.suppress(Exception): act()")))


def test_print_is_for_the_command_line() -> None:
    found = {shorten(path) for path, node in walk("src") if isinstance(node, ast.Call) and dotted(node.func) == "print"}

    assert {path for path in found if not path.startswith("src/cone/cli/")} == set()


def test_rules_are_told_the_time() -> None:
    found = {f"{shorten(path)}: {name}" for path, node in walk(*_PURE_ROOMS) if (name := find_clock(node))}

    assert found == set()


@pytest.mark.parametrize("text", ["datetime.now(UTC)", "date.today()", "time.time()", "timezone.localdate()"])
def test_clock_in_any_dress_is_found(text: str) -> None:
    assert [name for node in ast.walk(ast.parse(text)) if (name := find_clock(node))] == [text.partition("(")[0]]


def test_pages_write_nothing_themselves() -> None:
    found = {
        f"{shorten(path)}:{node.lineno}"
        for path, node in walk("src/cone/web", "src/cone/api")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _WRITES
    }

    assert found == set()


def is_broad(node: ast.AST) -> bool:
    """Whether this catches everything and keeps it; cleaning up and raising it again is no catch."""
    if isinstance(node, ast.ExceptHandler):
        caught = [node.type] if not isinstance(node.type, ast.Tuple) else node.type.elts
        passes_on = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
        return not passes_on and any(entry is None or dotted(entry) in _BROAD for entry in caught)
    if isinstance(node, ast.Call) and dotted(node.func).endswith("suppress"):
        return any(dotted(entry) in _BROAD for entry in node.args)
    return False


def find_clock(node: ast.AST) -> str:
    """The clock that a call reads; empty for any other node. A monotonic one only measures spans and is fine."""
    if not isinstance(node, ast.Call):
        return ""
    owner, _, name = dotted(node.func).rpartition(".")
    return f"{owner}.{name}" if owner in _CLOCK_OWNERS and name in _CLOCKS else ""
