"""What attempts came to is one closed set: whoever writes or asks for it in the column `verdict` means a member."""

import ast
import re
from collections.abc import Iterator

from cone.accounting.conclusions import Conclusion
from cone.books.models import Attempt
from tests.architecture.tree import shorten, walk

_IN_SQL = re.compile(r"verdict (?:=|<>|in) (?:\(([^)]*)\)|('[^']*'))")


def _texts() -> Iterator[tuple[str, str]]:
    for path, node in walk("src/cone"):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield shorten(path), node.value


def test_statements_name_known_verdicts() -> None:
    named = {
        (path, verdict)
        for path, text in _texts()
        for several, one in _IN_SQL.findall(text)
        for verdict in re.findall(r"'([^']*)'", several or one)
    }

    assert {verdict for _, verdict in named} >= {"sent", "theirs", "unknown", "taken_back"}, "does it find them at all?"
    assert {(path, verdict) for path, verdict in named if verdict not in set(Conclusion)} == set()


def test_verdicts_are_passed_by_their_names() -> None:
    """As keywords and in what is given to a statement, alone or several."""
    found = {
        f"{shorten(path)}:{given.lineno}"
        for path, node in walk("src/cone")
        for name, given in _given(node)
        if name.split("__")[0] in ("verdict", "verdicts") and any(map(_is_text, [given, *getattr(given, "elts", [])]))
    }

    assert found == set()


def _given(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Call):
        yield from ((given.arg or "", given.value) for given in node.keywords)
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value


def _is_text(given: ast.expr) -> bool:
    return isinstance(given, ast.Constant) and isinstance(given.value, str)


def test_every_verdict_fits_its_column() -> None:
    assert max(map(len, Conclusion)) <= (Attempt._meta.get_field("verdict").max_length or 0)
