"""Company facts and reference records, to and from the JSON they're kept as."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from cone.accounting.port.company import Account, CompanyFacts, EnvironmentName, TaxCode, TaxComponent
from cone.accounting.port.documents import Kind


def facts_to_json(facts: CompanyFacts) -> dict[str, Any]:
    """Facts as plain JSON values."""
    plain: dict[str, Any] = msgspec.to_builtins(facts)
    return plain


def facts_from_json(stored: Mapping[str, Any]) -> CompanyFacts:
    """The inverse of `facts_to_json`."""
    return msgspec.convert(dict(stored), CompanyFacts, strict=False)


def reference_to_json(entry: Account | TaxCode) -> dict[str, Any]:
    """An account or tax code as plain JSON values; decimals as strings."""
    plain: dict[str, Any] = msgspec.to_builtins(entry)
    return plain


def account_from_json(stored: Mapping[str, Any]) -> Account:
    """The inverse of `reference_to_json` for accounts."""
    return msgspec.convert(dict(stored), Account)


def tax_code_from_json(stored: Mapping[str, Any]) -> TaxCode:
    """The inverse of `reference_to_json` for tax codes."""
    return msgspec.convert(dict(stored), TaxCode)


def components_from_json(stored: Any) -> tuple[TaxComponent, ...]:
    """A cached code's rates; none where the list was read before they were kept."""
    return msgspec.convert(stored or [], tuple[TaxComponent, ...], strict=False)


def as_environment(stored: str) -> EnvironmentName:
    """A stored environment's name. Raises msgspec.ValidationError for anything else."""
    return msgspec.convert(stored, EnvironmentName)  # type: ignore[no-any-return]  # convert() can't be typed by a Literal


def as_kind(stored: str) -> Kind:
    """A stored kind of record. Raises msgspec.ValidationError for anything else."""
    return msgspec.convert(stored, Kind)  # type: ignore[no-any-return]  # convert() can't be typed by a Literal


def as_json(stored: Any) -> Mapping[str, Any]:
    """A jsonb value as Django's raw cursor gives it: as text, and null as an empty mapping."""
    loaded: Mapping[str, Any] = json.loads(stored) if isinstance(stored, str) else stored or {}
    return loaded
