"""Floats are banned where money lives: a float can't hold ten cents."""

import ast
from collections.abc import Mapping

import pytest

from tests.architecture.tree import parse, python_files, shorten

_EXACT_ROOMS = (
    "src/cone/kit",
    "src/cone/domain",
    "src/cone/accounting",
    "src/cone/providers",
    "src/qbo_emulator",
)

# File → why a float is no danger to money there.
FLOATS_ALLOWED: Mapping[str, str] = {}


def test_no_float_where_money_lives() -> None:
    found = {shorten(path) for path in python_files(*_EXACT_ROOMS) if find_floats(parse(path))}

    assert found == set(FLOATS_ALLOWED)


@pytest.mark.parametrize(
    "text",
    ["price = 0.1", "price = float(text)", "def add(price: float) -> None: ...", "prices: list[float] = []", "x = 1e3"],
)
def test_float_in_any_dress_is_found(text: str) -> None:
    assert find_floats(ast.parse(text)) == [1]


def find_floats(tree: ast.Module) -> list[int]:
    """The lines with a float literal or with the name `float`: a call, an annotation, a default."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]
