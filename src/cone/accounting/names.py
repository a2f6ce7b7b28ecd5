"""A customer's name that is taken there: linked to whom it certainly is, suffixed, or asked about. Pure.

Names are unique there over customers, vendors and employees, while here two customers may share one.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from cone.accounting.port.documents import CustomerDocument, Namesake
from cone.kit.values import asdict, replace

ENTITIES: tuple[Literal["customer", "vendor", "employee"], ...] = ("customer", "vendor", "employee")
LONGEST_NAME = 500
_MOST_SUFFIXES = 20


@dataclass(frozen=True, slots=True)
class Link:
    """It's the same customer, beyond doubt."""

    namesake: Namesake


@dataclass(frozen=True, slots=True)
class Suffix:
    """Another one of that name: it goes under this one."""

    name: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A person decides among these."""

    namesakes: tuple[Namesake, ...]


Resolution: TypeAlias = Link | Suffix | Ask


def possible_names(name: str) -> tuple[str, ...]:
    """The name, then what it may be suffixed to, in the order in which they're tried."""
    return (name, *(_suffixed(name, number) for number in range(2, _MOST_SUFFIXES + 1)))


def _suffixed(name: str, number: int) -> str:
    suffix = f" ({number})"
    return f"{name[: LONGEST_NAME - len(suffix)].rstrip()}{suffix}"


def resolve_name(
    document: CustomerDocument,
    own_name: str,
    namesakes: Sequence[Namesake],
    *,
    linked_ids: Collection[str],
    may_suffix: bool,
    may_link: bool,
) -> Resolution:
    """Decide what becomes of a taken name. `linked_ids` are customers there that other records of ours are.

    Only one candidate may agree in e-mail address or tax number: a tie is never guessed, and one in another currency
    never is the same. The suffix is the lowest that nobody there has, so that the same books give the same name.
    """
    seen = tuple(mark(entry, linked_ids, document.currency) for entry in namesakes)
    free = [entry for entry in seen if entry.entity == "customer" and entry.is_active and not entry.obstacle]
    certain = [entry for entry in free if _is_same(document, entry)]
    if may_link and len(certain) == 1:
        return Link(certain[0])
    if may_suffix and not certain and (name := find_free_name(own_name, namesakes)):
        return Suffix(name)
    return Ask(seen)


def is_same_name(name: str, other: str) -> bool:
    """Whether they're one name there, as far as is known: neither case nor blanks around it make a difference.

    Both is assumed, of items as of customers; of blanks within a name QuickBooks says nothing, and nothing was seen. So
    these count here: a firm may have both. Where a free name is chosen they don't, so that it's free either way.
    """
    return name.strip().casefold() == other.strip().casefold()


def find_free_name(own_name: str, namesakes: Sequence[Namesake]) -> str:
    """The first suffixed name that nobody has; empty when all are taken."""
    taken = {_plain(entry.name) for entry in namesakes}
    return next((name for name in possible_names(own_name)[1:] if _plain(name) not in taken), "")


def mark(entry: Namesake, linked_ids: Collection[str], currency: str) -> Namesake:
    """Say why our customer can't be that one; ids of vendors and employees are no customers'."""
    if entry.entity != "customer":
        return entry
    if entry.remote_id in linked_ids:
        return replace(entry, obstacle="ours")
    return entry if entry.currency in ("", currency) else replace(entry, obstacle="currency")


def _is_same(document: CustomerDocument, entry: Namesake) -> bool:
    has_email = bool(document.email) and _plain(entry.email) == _plain(document.email)
    return has_email or (bool(document.tax_number) and _digits(entry.tax_number) == _digits(document.tax_number))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _digits(number: str) -> str:
    return "".join(character for character in number if character.isalnum()).casefold()


def namesakes_to_json(namesakes: Sequence[Namesake]) -> str:
    """As a fact of a cause."""
    return json.dumps([asdict(entry) for entry in namesakes])


def namesakes_from_params(params: Mapping[str, Any]) -> tuple[Namesake, ...]:
    """The inverse, from a cause's facts; empty where nobody has looked."""
    stored = params.get("namesakes")
    return tuple(Namesake(**entry) for entry in json.loads(stored)) if stored else ()
