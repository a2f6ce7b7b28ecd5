"""The documents keep up with the code: printed pages, and the addresses inside the hand-written ones."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.pages import PAGES, list_described, list_variables
from tests.architecture.tree import ROOT, kept_files, shorten

_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
# A path in backquotes, from the root.
_PATH = re.compile(r"`((?:src|tests|scripts|docs|requirements)/[\w./-]+)`")
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_printed_page_is_what_the_code_says(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name]()


def test_configuration_describes_every_variable_that_is_read() -> None:
    assert list_described() == list_variables()


def test_links_between_documents_lead_somewhere() -> None:
    broken = [f"{shorten(path)}: {target}" for path in _documents() for target in _links(path) if not target.exists()]

    assert broken == []


def test_paths_that_documents_name_exist() -> None:
    missing = [
        f"{shorten(path)}: {name}"
        for path in _documents()
        for name in _PATH.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    ]

    assert missing == []


def test_changelog_opens_with_this_version_or_what_comes_after_it() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    first, *rest = _SECTION.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))

    assert (rest[0] if first == "Unreleased" else first) == version


def test_decisions_are_numbered_without_a_gap_and_answer_the_four_questions() -> None:
    decisions = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04d}" for number in range(1, len(decisions) + 1)]

    sections = {
        path.name: re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE) for path in decisions
    }

    wanted = ["Context", "Decision", "Consequences", "Alternatives"]
    assert {name: found for name, found in sections.items() if found != wanted} == {}


def _documents() -> list[Path]:
    found = [path for path in kept_files() if path.suffix == ".md" and "vendor" not in path.parts]
    assert found
    return found


def _links(path: Path) -> list[Path]:
    return [path.parent / target for target in _LINK.findall(path.read_text(encoding="utf-8"))]
