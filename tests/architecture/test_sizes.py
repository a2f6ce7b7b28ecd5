"""Hard limits of size. Reaching one means that two things share a roof; an exception is one line with its reason."""

from collections.abc import Mapping

from tests.architecture.tree import ROOT, Function, functions, python_files, shorten

_ALL_CODE = ("src", "tests", "scripts")

MODULE_LINES = 500
FUNCTION_LINES = 60
PARAMETERS = 8
TEMPLATE_LINES = 150

LONG_MODULES: Mapping[str, str] = {}
LONG_FUNCTIONS: Mapping[str, str] = {
    "tests/e2e/test_journey.py:test_journey_from_sign_in_to_reconnecting": "one journey, told in its order",
}
MANY_PARAMETERS: Mapping[str, str] = {}
LONG_TEMPLATES: Mapping[str, str] = {}


def test_modules_stay_under_the_limit() -> None:
    found = {shorten(path) for path in python_files(*_ALL_CODE) if _count_lines(path.read_text()) > MODULE_LINES}

    assert found == set(LONG_MODULES)


def test_functions_stay_under_the_limit() -> None:
    found = {f"{shorten(path)}:{node.name}" for path, node in functions(*_ALL_CODE) if _length(node) > FUNCTION_LINES}

    assert found == set(LONG_FUNCTIONS)


def test_parameters_stay_under_the_limit() -> None:
    found = {f"{shorten(path)}:{node.name}" for path, node in functions(*_ALL_CODE) if _parameters(node) > PARAMETERS}

    assert found == set(MANY_PARAMETERS)


def test_templates_stay_under_the_limit() -> None:
    templates = sorted((ROOT / "src").rglob("templates/**/*.html"))
    assert templates

    found = {shorten(path) for path in templates if _count_lines(path.read_text()) > TEMPLATE_LINES}

    assert found == set(LONG_TEMPLATES)


def _count_lines(text: str) -> int:
    return len(text.splitlines())


def _length(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _parameters(node: Function) -> int:
    given = node.args
    names = [entry.arg for entry in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])
