"""The rooms and their arrows: import-linter's contracts, and what they can't see of the standard library."""

import ast
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from tests.architecture.tree import ROOT, shorten, walk

# import-linter folds the standard library's modules into their first part, so these are read from the source.
_HTTP_CLIENTS = frozenset({"http.client", "urllib.request", "xmlrpc.client", "ftplib", "smtplib"})
_HTTP_ALLOWED = {
    "src/cone/cli/ports.py": "`cone up` asks its own parts on loopback whether they're ready",
}


def test_contracts_of_the_rooms_are_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)

    code = lint_imports(no_cache=True)

    assert code == 0, capsys.readouterr().out


def test_http_clients_of_the_standard_library_live_in_providers_only() -> None:
    found = {
        shorten(path)
        for path, node in walk("src")
        if "cone/providers" not in path.as_posix() and _HTTP_CLIENTS & _imported(node)
    }

    assert found == set(_HTTP_ALLOWED)


def test_every_room_has_a_sentence_in_the_picture() -> None:
    rooms = {path.name for path in (ROOT / "src/cone").iterdir() if _is_room(path)}
    text = (ROOT / "ARCHITECTURE.md").read_text()

    assert [room for room in sorted(rooms) if f"`{room}`" not in text] == []


def _imported(node: ast.AST) -> set[str]:
    match node:
        case ast.Import(names=names):
            return {alias.name for alias in names}
        case ast.ImportFrom(module=str(module), names=names):
            return {module, *(f"{module}.{alias.name}" for alias in names)}
        case _:
            return set()


def _is_room(path: Path) -> bool:
    return (path / "__init__.py").is_file()
