"""Refusals and verdicts: every refusal has its words, its code and its answer; the verdicts are a closed set."""

from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from typing import TypeVar, get_args

import cone
from cone.accounting import causes
from cone.accounting.port.verdicts import VERDICTS, CauseCode, Verdict, VerdictError
from cone.domain.errors import RefusalError
from cone.web.refusals import STATUSES

_Class = TypeVar("_Class")

# Modules that run something when they're imported.
_PROGRAMS = ("cone.worker.__main__", "cone.project.wsgi")


def test_every_refusal_has_an_answer_on_the_web() -> None:
    unmapped = sorted(_name(refusal) for refusal in _all_refusals() - set(STATUSES))

    assert unmapped == []


def test_table_of_answers_names_refusals_once_and_only_them() -> None:
    assert sorted(_name(refusal) for refusal in set(STATUSES) - _all_refusals()) == []


def test_every_refusal_says_in_one_line_what_was_refused() -> None:
    silent = [_name(refusal) for refusal in _all_refusals() if not (refusal.__dict__.get("__doc__") or "").strip()]

    assert silent == []


def test_codes_of_refusals_are_stable_and_their_own() -> None:
    codes: dict[str, list[str]] = {}
    for refusal in _all_refusals():
        codes.setdefault(refusal.__dict__.get("code", "(inherited)"), []).append(_name(refusal))

    assert {code: names for code, names in codes.items() if len(names) > 1 or code == "(inherited)"} == {}


def test_verdicts_are_a_closed_set() -> None:
    _import_everything()

    assert _subclasses(VerdictError) == set(VERDICTS) == set(get_args(Verdict))


def test_every_cause_has_words() -> None:
    assert set(causes._WORDS) == set(CauseCode)


def _all_refusals() -> set[type[RefusalError]]:
    _import_everything()
    return {refusal for refusal in _subclasses(RefusalError) if refusal.__module__.startswith("cone.")}


@cache
def _import_everything() -> None:
    for module in walk_packages(cone.__path__, "cone."):
        if module.name not in _PROGRAMS and ".migrations" not in module.name:
            import_module(module.name)


def _subclasses(parent: type[_Class]) -> set[type[_Class]]:
    return {each for child in parent.__subclasses__() for each in (child, *_subclasses(child))}


def _name(refusal: type[RefusalError]) -> str:
    return f"{refusal.__module__}.{refusal.__name__}"
