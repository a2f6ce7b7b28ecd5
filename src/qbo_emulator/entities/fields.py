"""The language in which an entity's properties are written down, and the parser that reads a request by it.

A shape knows every property of its schema type: writable ones are checked and converted, read-only ones ignored, known
but uncovered ones refused loudly, and anything else is fault 2010.
"""
# ruff: noqa: ARG002 - all kinds have one signature

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from qbo_emulator.faults import Fault, missing, too_long, unsupported
from qbo_emulator.jsonio import Json, plain, to_decimal


class Kind(Protocol):
    def parse(self, value: Any, name: str) -> Any:
        """The value in stored form, or a Fault."""


class _Ignored:
    """Marks a property that is dropped from a request."""


IGNORED = _Ignored()


def invalid(name: str, value: Any) -> Fault:
    return Fault(
        2010,
        f"Property Name:Can not deserialize the value {str(value)[:60]!r} of {name} specified is "
        "unsupported or invalid",
        name,
    )


@dataclass(frozen=True, slots=True)
class Text:
    limit: int = 4000
    refused: str = ""

    def parse(self, value: Any, name: str) -> Any:
        if isinstance(value, (bool, dict, list)):
            raise invalid(name, value)
        text = str(value)
        if len(text) > self.limit:
            raise too_long(name, self.limit, len(text))
        if any(sign in text for sign in self.refused):
            raise Fault(
                6000,
                f"Business Validation Error: {name} has characters that are not allowed: colon, tab or new line.",
                name,
            )
        return text


@dataclass(frozen=True, slots=True)
class Email:
    limit: int = 100

    def parse(self, value: Any, name: str) -> Any:
        text = Text(self.limit).parse(value, name)
        local, at, host = text.rpartition("@")
        if text and (not at or not local or "." not in host or any(sign.isspace() for sign in text)):
            raise Fault(2210, f"The email address does not match the RFC 822 format: {text}", name)
        return text


@dataclass(frozen=True, slots=True)
class Bool:
    def parse(self, value: Any, name: str) -> Any:
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise invalid(name, value)
        return value


@dataclass(frozen=True, slots=True)
class Number:
    def parse(self, value: Any, name: str) -> Any:
        number = to_decimal(value)
        if number is None:
            raise Fault(2090, f"Invalid Number : {str(value)[:60]}", name)
        return plain(number)


@dataclass(frozen=True, slots=True)
class Amount:
    """At most ten digits before the point and five after it."""

    def parse(self, value: Any, name: str) -> Any:
        number = Number().parse(value, name)
        if abs(number) >= 10**10:
            raise Fault(2090, f"Invalid Number : {name} is larger than supported: {number}", name)
        return number


@dataclass(frozen=True, slots=True)
class Integer:
    lowest: int = 0
    highest: int = 999_999

    def parse(self, value: Any, name: str) -> Any:
        number = to_decimal(value)
        if number is None or number != int(number) or not self.lowest <= number <= self.highest:
            raise Fault(2090, f"Invalid Number : {str(value)[:60]}", name)
        return int(number)


@dataclass(frozen=True, slots=True)
class Date:
    def parse(self, value: Any, name: str) -> Any:
        try:
            day = date.fromisoformat(str(value)[:10])
        except ValueError as error:
            raise invalid(name, value) from error
        if not 1900 <= day.year <= 2999:
            raise invalid(name, value)
        return day.isoformat()


@dataclass(frozen=True, slots=True)
class Choice:
    values: tuple[str, ...]

    def parse(self, value: Any, name: str) -> Any:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if text not in self.values:
            raise invalid(name, value)
        return text


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference; only its value is kept, the name is written when answering."""

    target: str

    def parse(self, value: Any, name: str) -> Any:
        if not isinstance(value, Mapping):
            raise invalid(name, value)
        unknown = [key for key in value if key not in {"value", "name", "type"}]
        if unknown:
            raise unknown_property(unknown[0], "ReferenceType", ("value", "name", "type"))
        number = value.get("value")
        if number is None or isinstance(number, (dict, list, bool)) or str(number) == "":
            return None
        return {"value": str(number)[:100]}


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """Known, but never taken from a request."""

    def parse(self, value: Any, name: str) -> Any:
        return IGNORED


@dataclass(frozen=True, slots=True)
class Uncovered:
    """Known to QuickBooks, but not to this emulator: empty is fine, anything else is refused loudly."""

    def parse(self, value: Any, name: str) -> Any:
        if value in (None, "", False, [], {}):
            return IGNORED
        raise unsupported(f"property {name} (not covered by the emulator)")


def uncovered(*names: str) -> dict[str, Kind]:
    return {name: Uncovered() for name in names}


@dataclass(frozen=True, slots=True)
class Shape:
    """A schema type: its name and its properties in the order answers have them."""

    name: str
    fields: Mapping[str, Kind]

    def parse(self, value: Any, name: str = "") -> Any:
        if not isinstance(value, Mapping):
            raise invalid(name or self.name, value)
        given: Json = {}
        for key, raw in value.items():
            kind = self.fields.get(key)
            if kind is None:
                raise unknown_property(key, self.name, self.fields)
            # Clients send empty texts for what they leave out.
            parsed = kind.parse(raw, key) if raw is not None and raw != "" else None
            if parsed is None and isinstance(kind, (ReadOnly, Uncovered)):
                continue
            if parsed is not IGNORED:
                given[key] = parsed
        return given

    def ordered(self, record: Mapping[str, Any]) -> Json:
        """The record's properties in the order of the shape, without empty ones."""
        return {key: record[key] for key in self.fields if record.get(key) is not None}


@dataclass(frozen=True, slots=True)
class ListOf:
    kind: Kind

    def parse(self, value: Any, name: str) -> Any:
        items = value if isinstance(value, list) else [value]
        return [self.kind.parse(item, name) for item in items if item is not None]


@dataclass(frozen=True, slots=True)
class Kept:
    """Any JSON object, stored and answered as it came."""

    def parse(self, value: Any, name: str) -> Any:
        return value


def unknown_property(key: str, class_name: str, known: Iterable[str]) -> Fault:
    names = list(known)
    listed = ", ".join(f'"{name}"' for name in names)
    return Fault(
        2010,
        f'Property Name:Unrecognized field "{str(key)[:60]}" (class com.intuit.schema.finance.v3.{class_name}), '
        f"not marked as ignorable ({len(names)} known properties: {listed}])\n specified is unsupported or invalid",
    )


def require(given: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if given.get(name) in (None, "", []):
            raise missing(name)


ADDRESS = Shape(
    "PhysicalAddress",
    {
        "Id": ReadOnly(),
        "Line1": Text(500),
        "Line2": Text(500),
        "Line3": Text(500),
        "Line4": Text(500),
        "Line5": Text(500),
        "City": Text(255),
        "Country": Text(255),
        "CountryCode": Text(10),
        "County": Text(255),
        "CountrySubDivisionCode": Text(255),
        "PostalCode": Text(30),
        "PostalCodeSuffix": Text(30),
        "Lat": Text(50),
        "Long": Text(50),
        "Tag": Text(255),
        "Note": Text(),
    },
)
PHONE = Shape(
    "TelephoneNumber",
    {
        "Id": ReadOnly(),
        "DeviceType": Text(30),
        "CountryCode": Text(30),
        "AreaCode": Text(30),
        "ExchangeCode": Text(30),
        "Extension": Text(30),
        "FreeFormNumber": Text(30),
        "Default": Bool(),
        "Tag": Text(255),
    },
)
EMAIL = Shape("EmailAddress", {"Id": ReadOnly(), "Address": Email(), "Default": Bool(), "Tag": Text(255)})
# Of copies; several addresses may stand in one, with commas.
COPY_EMAIL = Shape("EmailAddress", {**EMAIL.fields, "Address": Email(200)})
WEB = Shape("WebSiteAddress", {"Id": ReadOnly(), "URI": Text(1000), "Default": Bool(), "Tag": Text(255)})
MEMO = Shape("MemoRef", {"value": Text(1000), "name": ReadOnly()})
CUSTOM_FIELD = Shape(
    "CustomField",
    {
        "DefinitionId": Text(30),
        "Name": Text(255),
        "Type": Text(30),
        "StringValue": Text(255),
        "BooleanValue": Bool(),
        "DateValue": Date(),
        "NumberValue": Number(),
    },
)

# What every entity has; each entity's table says where in the answer they stand.
ENVELOPE: Mapping[str, Kind] = {
    "domain": ReadOnly(),
    "sparse": ReadOnly(),
    "Id": ReadOnly(),
    "SyncToken": ReadOnly(),
    "MetaData": ReadOnly(),
}
TAIL: Mapping[str, Kind] = {"status": ReadOnly(), "AttachableRef": Uncovered()}
