"""Country and currency codes as ISO 3166-1 and ISO 4217 list them (pycountry), for forms and for checks."""

from functools import cache

import pycountry

from cone.domain.errors import InvalidFieldError

# Fund codes, metals, test codes and units of account: in ISO 4217, but nobody invoices in them.
_NOT_MONEY = frozenset(
    [
        "BOV",
        "CHE",
        "CHW",
        "CLF",
        "COU",
        "MXV",
        "USN",
        "UYI",
        "UYW",
        "XAD",
        "XAG",
        "XAU",
        "XBA",
        "XBB",
        "XBC",
        "XBD",
        "XDR",
        "XPD",
        "XPT",
        "XSU",
        "XTS",
        "XUA",
        "XXX",
    ]
)


@cache
def list_countries() -> tuple[tuple[str, str], ...]:
    """Return (code, name) of every country, by name."""
    named = ((country.alpha_2, getattr(country, "common_name", country.name)) for country in pycountry.countries)
    return tuple(sorted(named, key=lambda pair: pair[1]))


@cache
def list_currencies() -> tuple[tuple[str, str], ...]:
    """Return (code, name) of every currency that can be invoiced in, by code."""
    named = ((currency.alpha_3, currency.name) for currency in pycountry.currencies)
    return tuple(sorted(pair for pair in named if pair[0] not in _NOT_MONEY))


def check_country(field: str, code: str, *, is_required: bool = False) -> str:
    """Return the code in capitals, or "" where that's allowed.

    Raises: InvalidFieldError.
    """
    kept = code.strip().upper()
    if (kept or is_required) and kept not in dict(list_countries()):
        raise InvalidFieldError(field, "Choose a country from the list.")
    return kept


def check_currency(field: str, code: str) -> str:
    """Return the code in capitals.

    Raises: InvalidFieldError.
    """
    kept = code.strip().upper()
    if kept not in dict(list_currencies()):
        raise InvalidFieldError(field, "Choose a currency from the list.")
    return kept
