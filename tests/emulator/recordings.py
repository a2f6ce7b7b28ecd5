"""Exchanges recorded against QuickBooks: finding them, standing their records up again, and comparing two answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import msgspec

from tests.emulator.running import Company, Json

FOLDER = Path(__file__).parents[2].parent / "shared/quickbooks/contracts/samples/recorded-qbo_api"
NAMES = ("Customer", "Vendor", "Employee")
SALES = ("Invoice", "SalesReceipt", "Estimate")
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)

# Computed by QuickBooks, or said by the request's address.
_NOT_SENT = frozenset(
    [
        "Id",
        "SyncToken",
        "MetaData",
        "domain",
        "sparse",
        "Balance",
        "BalanceWithJobs",
        "FullyQualifiedName",
        "CurrencyRef",
        "Active",
        "Job",
        "Level",
        "BillWithParent",
        "LinkedTxn",
        "TotalAmt",
        "DocNumber",
        "CustomField",
    ]
)
# Another company's numbers and moments: compared by their form, not by value.
_BY_FORM = frozenset(
    [
        "Id",
        "SyncToken",
        "time",
        "CreateTime",
        "LastUpdatedTime",
        "DocNumber",
        "TxnDate",
        "DueDate",
        "TxnId",
        "TermRef",
        "CustomerRef",
        "ItemRef",
        "maxResults",
        "totalCount",
    ]
)
# Another company's sums: these records have a past that the recording doesn't tell.
_SUMS = frozenset({"Balance", "BalanceWithJobs", "CurrentBalance", "CurrentBalanceWithSubAccounts"})


@dataclass
class Recording:
    """One exchange, and how its records are numbered in the company that stands in for the recorded one."""

    name: str
    request: Json
    response: Json
    numbers: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def body(self) -> Any:
        return self.response["body"]

    def records(self) -> Iterator[tuple[str, Json]]:
        """All records of the answer with their entity."""
        answers = [self.body]
        answers += [each["QueryResponse"] for each in [self.body] if "QueryResponse" in each]
        answers += self.body.get("BatchItemResponse", [])
        answers += [each["QueryResponse"] for each in self.body.get("BatchItemResponse", []) if "QueryResponse" in each]
        for part in self.body.get("CDCResponse", []):
            answers += part["QueryResponse"]
        for answer in answers:
            for entity in (*NAMES, *SALES):
                found = answer.get(entity, [])
                yield from ((entity, each) for each in (found if isinstance(found, list) else [found]))


def load(name: str) -> Recording:
    content = _decoder.decode((FOLDER / f"{name}.json").read_bytes())
    return Recording(name, content["request"], content["response"])


def stand_up(company: Company, recording: Recording, entity: str, record: Json) -> None:
    """Make the company have a record like a recorded one, and remember its number."""
    body = {key: value for key, value in _without_numbers(record).items() if key not in _NOT_SENT}
    number = _stand_up_name(company, entity, body, record) if entity in NAMES else _sell(company, entity, body)
    recording.numbers[entity, record["Id"]] = number


def _without_numbers(value: Any) -> Any:
    """A record whose addresses and lines have no numbers of their own."""
    if isinstance(value, list):
        return [_without_numbers(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_numbers(each) for key, each in value.items() if key != "Id"}
    return value


def _stand_up_name(company: Company, entity: str, body: Json, record: Json) -> str:
    body["DisplayName"] = body["DisplayName"].removesuffix(" (deleted)")
    known = {each["DisplayName"]: each for each in company.all(entity)}.get(body["DisplayName"])
    if known is not None:
        body = {"sparse": True, "Id": known["Id"], "SyncToken": known["SyncToken"], **body}
    number: str = company.create(entity, body)["Id"]
    if not record.get("Active", True):
        company.running.control(
            "POST", "act", {"realm_id": company.realm, "action": "deactivate", "entity": entity, "id": number}
        )
    return number


def _sell(company: Company, entity: str, body: Json) -> str:
    customer = body.get("CustomerRef")
    if customer is not None:
        known = {each["FullyQualifiedName"]: each["Id"] for each in company.all("Customer")}.get(customer["name"])
        body["CustomerRef"] = {"value": known or company.create("Customer", {"DisplayName": customer["name"]})["Id"]}
    items = {each["Name"]: each["Id"] for each in company.all("Item")}
    for line in body["Line"]:
        if line["DetailType"] == "SalesItemLineDetail":
            line["SalesItemLineDetail"]["ItemRef"] = {"value": items[line["SalesItemLineDetail"]["ItemRef"]["name"]]}
    number: str = company.create(entity, body)["Id"]
    return number


def replay(company: Company, recording: Recording) -> httpx.Response:
    """Send the recorded request, its records' numbers and versions exchanged for this company's."""
    request = recording.request
    path = request["path"].partition("{realmId}/")[2]
    for (entity, recorded), number in recording.numbers.items():
        path = path.replace(f"{entity.lower()}/{recorded}", f"{entity.lower()}/{number}")
    body = request["body"]
    if isinstance(body, dict):
        body = dict(body)
        if "BatchItemRequest" in body:
            body["BatchItemRequest"] = [
                {key: _addressed(recording, key, each) for key, each in item.items()}
                for item in body["BatchItemRequest"]
            ]
        else:
            entity = next(iter(each for each in recording.body if each not in {"Fault", "time"}), "")
            body = _addressed(recording, entity, body, version=_version(company, recording, entity, body))
    return company.call(request["method"], path, body, **_parameters(request["query"]))


def _parameters(text: str) -> dict[str, str]:
    """What the address asks for; a query statement was written down without its escapes."""
    if text.startswith("query="):
        return {"query": text.removeprefix("query=")}
    return dict(parse_qsl(text.replace("+", "%2B"), keep_blank_values=True))


def _version(company: Company, recording: Recording, entity: str, body: Json) -> str | None:
    number = recording.numbers.get((entity, body.get("Id", "")))
    return company.read(entity, number)["SyncToken"] if number is not None else None


def _addressed(recording: Recording, entity: str, body: Any, *, version: str | None = None) -> Any:
    if not isinstance(body, dict) or (entity, body.get("Id")) not in recording.numbers:
        return body
    found = {**body, "Id": recording.numbers[entity, body["Id"]]}
    return found if version is None else {**found, "SyncToken": version}


def differences(recording: Recording, answer: Any) -> set[str]:
    """What an answer has otherwise than the recorded one, as `path: what`."""
    return set(_compare(recording, recording.body, answer, ""))


def _compare(recording: Recording, old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from (f"{path}.{key}: missing" for key in old if key not in new)
        yield from (f"{path}.{key}: extra" for key in new if key not in old)
        for key in old.keys() & new.keys():
            yield from _compare(recording, old[key], new[key], f"{path}.{key}")
    elif isinstance(old, list) and isinstance(new, list):
        entity = path.rpartition(".")[2]
        if entity in {*NAMES, *SALES}:
            old, new = _paired(recording, entity, old, new)
        if len(old) != len(new):
            yield f"{path}: {len(new)} for {len(old)}"
        for one, other in zip(old, new, strict=False):
            yield from _compare(recording, one, other, f"{path}[]")
    elif _kind(old) != _kind(new):
        yield f"{path}: {_kind(new)} for {_kind(old)}"
    else:
        yield from _compare_leaf(old, new, path)


def _paired(recording: Recording, entity: str, old: list[Json], new: list[Json]) -> tuple[list[Json], list[Json]]:
    """The recorded records that were stood up, and this company's, each in its answer's order."""
    known = {number: each for each in old if (number := recording.numbers.get((entity, each["Id"])))}
    found = [each for each in new if each["Id"] in known]
    if entity in NAMES:
        return list(known.values()), found
    # Transactions come newest first; what is newest was decided by standing them up.
    return [known[each["Id"]] for each in found] if len(found) == len(known) else old, found


def _compare_leaf(old: Any, new: Any, path: str) -> Iterator[str]:
    names = re.findall(r"\w+", path)
    if names and (_BY_FORM & set(names[-2:])):
        if _form(old) != _form(new):
            yield f"{path}: written otherwise"
    elif names and names[-1] in _SUMS and not {*SALES} & set(names):
        return
    elif old != new:
        yield f"{path}: {new} for {old}" if not isinstance(old, str) else f"{path}: another text"


def _form(value: Any) -> str:
    return re.sub(r"\d+", "9", str(value)).replace("-9:9", "+9:9")


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(type(value).__name__)
    if isinstance(value, (int, Decimal)):
        return "number"
    return {"str": "text", "dict": "object", "list": "list"}[type(value).__name__]
