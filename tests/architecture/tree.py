"""The source tree as the rules read it: each Python file parsed once, and every file that is kept in git."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

# Where the project's files lie, when there's no git to ask.
_OUR_FOLDERS = (".ci", "docs", "requirements", "scripts", "src", "tests")


def shorten(path: Path) -> str:
    """A path as rules and exceptions name it: from the root, with slashes."""
    return path.relative_to(ROOT).as_posix()


@cache
def parse(path: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def python_files(*folders: str) -> tuple[Path, ...]:
    """Every Python file under these folders of the root; migrations are Django's to write."""
    found = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    kept = tuple(path for path in found if "migrations" not in path.parts)
    assert kept, f"no Python files under {folders}: has a room moved?"
    return kept


@cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(parse(path)))


def walk(*folders: str) -> Iterator[tuple[Path, ast.AST]]:
    """Every node of every file under these folders."""
    for path in python_files(*folders):
        for node in _nodes(path):
            yield path, node


def functions(*folders: str) -> Iterator[tuple[Path, Function]]:
    """Every function and method under these folders."""
    for path, node in walk(*folders):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield path, node


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or an attribute; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


@cache
def kept_files() -> tuple[Path, ...]:
    """Every text file of the project: what git keeps or would add, or (outside a checkout) what lies here."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0:
        names = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        found = [*ROOT.glob("*"), *(path for folder in _OUR_FOLDERS for path in (ROOT / folder).rglob("*"))]
        names = [path for path in found if not path.match("*.egg-info/*")]
    return tuple(sorted(path for path in names if path.is_file() and b"\0" not in path.read_bytes()))
