"""The rates Automated Sales Tax knows here: a small invented table by state and city; other states have no nexus.

Percentages are those of the emulator, fixed for tests; they aren't kept in step with any law.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """One rate: charged in a whole state (no city) or in one city on top of it."""

    id: int
    name: str
    percent: Decimal
    state: str
    city: str = ""


TABLE: tuple[Jurisdiction, ...] = (
    Jurisdiction(11, "California State", Decimal("7.25"), "CA"),
    Jurisdiction(12, "San Francisco District", Decimal("1.375"), "CA", "san francisco"),
    Jurisdiction(13, "Los Angeles District", Decimal("2.25"), "CA", "los angeles"),
    Jurisdiction(14, "Arizona State", Decimal("5.6"), "AZ"),
    Jurisdiction(15, "Tucson City", Decimal("2.6"), "AZ", "tucson"),
    Jurisdiction(16, "New York State", Decimal(4), "NY"),
    Jurisdiction(17, "New York City", Decimal("4.5"), "NY", "new york"),
    Jurisdiction(18, "Metropolitan Commuter District", Decimal("0.375"), "NY", "new york"),
    Jurisdiction(19, "Texas State", Decimal("6.25"), "TX"),
    Jurisdiction(20, "Austin City", Decimal(2), "TX", "austin"),
)
_STATES = {"california": "CA", "arizona": "AZ", "new york": "NY", "texas": "TX"}


def rates_at(state: str, city: str) -> list[Jurisdiction]:
    """What is charged at a place, the state first; empty where the company has no nexus."""
    wanted = state.strip().casefold()
    code = _STATES.get(wanted, wanted.upper())
    town = city.strip().casefold()
    return [each for each in TABLE if each.state == code and each.city in {"", town}]
