"""What the kept files may not hold: unfinished business, a machine's own paths, and addresses of package indexes."""

import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, kept_files, shorten

# Split, so that this file doesn't find itself.
_UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|HA" r"CK)\b")
_MACHINE_PATH = re.compile(r"(?<![\w.:/])/(work|root|Users|home/(?!user\b)[a-z]+)/[\w.-]")
# Addresses under .example belong to nobody: tests may use them.
_INDEX = re.compile(
    r"python"
    r"hosted\.org|pypi\.org/"
    r"simple|(index-url|INDEX_URL|DEFAULT_INDEX)[ =]+[\"']?https?://"
    r"(?![\w.-]*\.example\b)",
    re.IGNORECASE,
)
_PINNED = re.compile(r"[a-z0-9._-]+(\[[a-z0-9,_-]+\])?==[\w.+!]+( ;[^@]+?)?( +--hash=sha256:[0-9a-f]{64})+$")
_REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))


def _matches(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{shorten(path)}:{number}"
        for path in kept_files()
        if "static/cone/vendor" not in path.as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_nothing_is_left_unfinished() -> None:
    assert _matches(_UNFINISHED) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert _matches(_MACHINE_PATH) == []


def test_no_file_names_a_package_index() -> None:
    assert _matches(_INDEX) == []


def test_requirements_are_where_they_are_expected() -> None:
    assert [path.name for path in _REQUIREMENTS] == ["run.txt", "test.txt", "uv.txt"]


@pytest.mark.parametrize("path", _REQUIREMENTS, ids=lambda path: str(path.name))
def test_every_requirement_is_pinned_with_hashes(path: Path) -> None:
    text = re.sub(r"\\\n\s*", " ", path.read_text())
    entries = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert entries

    assert [entry for entry in entries if not _PINNED.match(entry)] == []


@pytest.mark.parametrize(
    "entry",
    [
        "django==5.2.1",
        "django>=5.2 --hash=sha256:" + "0" * 64,
        "--index-url https://packages.example/simple",
        "-e .",
        "django @ https://files.example/django.whl --hash=sha256:" + "0" * 64,
    ],
)
def test_loose_requirement_is_found(entry: str) -> None:
    assert _PINNED.match(entry) is None
