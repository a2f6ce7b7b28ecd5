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
    found = {
        f"{shorten(path)}:{node.lineno}"
        for path, node in walk("src/cone")
        if isinstance(node, ast.Call)
        for given in node.keywords
        if (given.arg or "").split("__")[0] == "verdict" and isinstance(given.value, ast.Constant)
    }

    assert found == set()


def test_every_verdict_fits_its_column() -> None:
    assert max(map(len, Conclusion)) <= (Attempt._meta.get_field("verdict").max_length or 0)
