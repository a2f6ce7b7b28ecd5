"""A taken name: linked to whom it certainly is, suffixed, or asked about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cone.accounting.names import (
    LONGEST_NAME,
    Ask,
    Link,
    Resolution,
    Suffix,
    find_free_name,
    is_same_name,
    namesakes_from_params,
    namesakes_to_json,
    possible_names,
    resolve_name,
)
from cone.accounting.port.documents import Namesake
from cone.kit.values import replace
from tests.unit.accounting.builders import NAMED

NAME = NAMED.name
SAME_MAIL = Namesake("customer", "58", "3", NAME, email="Books@Example.com")
OTHER = Namesake("customer", "59", "0", NAME, email="else@example.com")
VENDOR = Namesake("vendor", "7", "0", NAME, email=NAMED.email)
SECOND = Namesake("customer", "60", "0", f"{NAME.upper()} (2)")


def resolve(*namesakes: Namesake, policy: str = "ask", may_link: bool = True, linked: str = "") -> Resolution:
    return resolve_name(NAMED, NAME, namesakes, linked_ids={linked}, may_suffix=policy == "suffix", may_link=may_link)


@pytest.mark.parametrize("policy", ["ask", "suffix"])
def test_same_address_is_the_same_customer_whatever_the_policy(policy: str) -> None:
    assert resolve(SAME_MAIL, VENDOR, policy=policy) == Link(SAME_MAIL)


def test_same_tax_number_is_the_same_customer() -> None:
    document = replace(NAMED, email="", tax_number="GB 123 4567 89")
    entry = replace(OTHER, tax_number="GB123456789")
    found = resolve_name(document, NAME, [entry], linked_ids=set(), may_suffix=True, may_link=True)
    assert found == Link(entry)


def test_tie_is_never_guessed() -> None:
    twins = SAME_MAIL, replace(SAME_MAIL, remote_id="61", name=f"{NAME} (2)")
    assert resolve(*twins, policy="suffix") == Ask(twins)


@pytest.mark.parametrize(
    "namesake", [OTHER, VENDOR, replace(SAME_MAIL, entity="employee"), replace(SAME_MAIL, is_active=False)]
)
def test_others_are_suffixed_or_asked_about(namesake: Namesake) -> None:
    assert resolve(namesake, policy="suffix") == Suffix(f"{NAME} (2)")
    assert resolve(namesake) == Ask((namesake,))


def test_customer_that_another_of_ours_is_gets_no_second_link() -> None:
    assert resolve(SAME_MAIL, policy="suffix", linked="58") == Suffix(f"{NAME} (2)")
    assert resolve(SAME_MAIL, linked="58") == Ask((replace(SAME_MAIL, obstacle="ours"),))


def test_one_in_another_currency_is_never_the_same() -> None:
    foreign = replace(SAME_MAIL, currency="CHF")
    assert resolve(foreign, policy="suffix") == Suffix(f"{NAME} (2)")
    assert resolve(foreign) == Ask((replace(foreign, obstacle="currency"),))
    assert resolve(replace(SAME_MAIL, currency=NAMED.currency)) == Link(replace(SAME_MAIL, currency=NAMED.currency))


def test_certain_one_that_cant_be_linked_now_is_asked_about() -> None:
    assert resolve(SAME_MAIL, policy="suffix", may_link=False) == Ask((SAME_MAIL,))


def test_suffix_is_the_lowest_that_nobody_has_in_any_spelling() -> None:
    assert resolve(OTHER, SECOND, policy="suffix") == Suffix(f"{NAME} (3)")
    everybody = [Namesake("vendor", str(at), "0", name) for at, name in enumerate(possible_names(NAME))]
    assert resolve(*everybody, policy="suffix") == Ask(tuple(everybody))


@given(st.text(min_size=1, max_size=LONGEST_NAME).map(str.strip).filter(bool))
def test_suffixed_names_differ_and_fit(name: str) -> None:
    names = possible_names(name)
    assert len(set(names)) == len(names)
    assert all(len(each) <= LONGEST_NAME for each in names)
    assert find_free_name(name, []) == names[1]


def test_namesakes_survive_being_kept_as_a_fact() -> None:
    kept = {"namesakes": namesakes_to_json([SAME_MAIL, VENDOR])}
    assert namesakes_from_params(kept) == (SAME_MAIL, VENDOR)
    assert namesakes_from_params({}) == ()


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ("LEGAL advice ", True),
        (" legal Advice", True),
        ("Legal advice (2)", False),
        ("Legaladvice", False),
        # A firm may have both, each with an item of its own.
        ("Legal  advice", False),
    ],
)
def test_names_that_differ_in_case_and_outer_blanks_alone_are_the_same(other: str, *, is_same: bool) -> None:
    assert is_same_name("Legal advice", other) is is_same


def test_suffixed_name_differs_from_others_in_more_than_the_blanks_within() -> None:
    """Nobody knows whether QuickBooks minds these: the next number is free for certain."""
    taken = replace(OTHER, name=f"{NAME.replace(' ', '  ')}  (2)")
    assert find_free_name(NAME, [taken]) == f"{NAME} (3)"
