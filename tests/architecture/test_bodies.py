"""Cone's client and the emulator are written apart: a body copied from one to the other would agree with itself."""

import ast

import pytest

from tests.architecture.tree import Function, functions, shorten

_SMALLEST = 4


def test_client_and_emulator_share_no_function_body() -> None:
    ours = _bodies("src/cone")
    theirs = _bodies("src/qbo_emulator")
    assert len(ours) > 100
    assert len(theirs) > 100

    copied = [f"{ours[body]} = {theirs[body]}" for body in sorted(ours.keys() & theirs.keys())]

    assert copied == []


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        # Other names, texts and numbers, another docstring: the same body.
        ('def g(y):\n    "Doc."\n    k = y + 2\n    for j in k:\n        v(j, "b")\n    return k', True),
        ("def g(y):\n    k = y - 2\n    for j in k:\n        v(j, 'b')\n    return k", False),
    ],
)
def test_bodies_are_compared_without_their_names(other: str, *, is_same: bool) -> None:
    first = _function("def f(x):\n    n = x + 1\n    for i in n:\n        w(i, 'a')\n    return n")

    assert (normalize(first) == normalize(_function(other))) is is_same


def normalize(node: Function) -> str:
    """The body's shape: no docstring, and every name, attribute and constant alike. Empty for a short one."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    statements = sum(isinstance(inner, ast.stmt) for statement in body for inner in ast.walk(statement))
    return "\n".join(_shape(statement) for statement in body) if statements >= _SMALLEST else ""


def _bodies(folder: str) -> dict[str, str]:
    found = {normalize(node): f"{shorten(path)}:{node.name}" for path, node in functions(folder)}
    found.pop("", None)
    return found


def _shape(value: object) -> str:
    if isinstance(value, ast.Constant):
        return "_"
    if isinstance(value, ast.AST):
        return f"{type(value).__name__}({', '.join(_shape(part) for _, part in ast.iter_fields(value))})"
    if isinstance(value, list):
        return f"[{', '.join(_shape(part) for part in value)}]"
    return "_"


def _function(text: str) -> Function:
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node
