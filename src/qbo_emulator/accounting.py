"""The accounting API behind the gateway: from a path and a body to an answer, with the memory of request ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .batch import run_batch
from .books import Books, Txn
from .entities.entity import Entity
from .entities.registry import BY_NAME, BY_PATH, UNCOVERED
from .evidence import Mark, rule
from .faults import Fault, unsupported
from .jsonio import Json, MalformedJsonError, decode, encode
from .operations import perform, read
from .query.run import run_query
from .store import Replay
from .tax.service import create_tax_code

rule(
    "requestid.replay",
    "A repeated request id answers the first answer verbatim, also after a deletion",
    Mark.REPORT,
    "Intuit documents the repeat; the replay after deletion was seen live in 2026",
)
rule("requestid.faults", "Faults are not remembered: the repeat is executed", Mark.ASSUMPTION)
rule("requestid.length", "At most 50 characters (2130)", Mark.DOCUMENT, "Intuit basic field definitions")
rule(
    "route.unknown",
    "An unknown resource answers 500 Unsupported Operation with HTTP 400",
    Mark.RECORDING,
    "recorded request for customer/1/5",
)
rule("minorversion", "Any value is accepted and served as 75", Mark.DOCUMENT, "Intuit blog of 2025-01-21")


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request to a company."""

    method: str
    path: str
    parts: tuple[str, ...]
    options: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    replayed: bool = False


class Accounting:
    """Answers calls; raises Fault."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict

    def answer(self, books: Books, call: Call) -> Answer:
        resource = call.parts[0].lower() if call.parts else ""
        if resource == "query":
            return self._query(books, call)
        if call.method == "GET":
            return self._get(books, call, resource)
        if call.method != "POST":
            raise unsupported(f"{call.method} {resource}")
        request_id = call.options.get("requestid", "")
        if len(request_id) > 50:
            raise Fault(2130, "The request id is longer than 50 characters.")
        remembered = books.replays.get(request_id) if request_id else None
        if remembered is not None:
            return Answer(remembered.status, remembered.body, replayed=True)
        if resource == "batch" and len(call.parts) == 1:
            return self._batch(books, call, request_id)
        return self._post(books, call, resource, request_id)

    def _query(self, books: Books, call: Call) -> Answer:
        if len(call.parts) != 1 or call.method not in {"GET", "POST"}:
            raise self._no_resource(call)
        text = call.options.get("query", "") or call.body.decode("utf-8", "replace")
        response = run_query(books, text, strict=self._strict)
        return _wrap(books, {"QueryResponse": response})

    def _get(self, books: Books, call: Call, resource: str) -> Answer:
        if resource == "companyinfo" and len(call.parts) == 2:
            # The id in the path is the realm id; the record's own is 1.
            return _wrap(books, {"CompanyInfo": read(books, BY_NAME["CompanyInfo"], "1")})
        if resource == "preferences" and len(call.parts) == 1:
            return _wrap(books, {"Preferences": read(books, BY_NAME["Preferences"], "1")})
        if len(call.parts) != 2:
            raise self._no_resource(call)
        entity = self._entity(call, resource)
        number = call.parts[1]
        if entity.name == "TaxCode" and number in {"TAX", "NON"}:
            raise unsupported("read of a pseudo tax code")
        return _wrap(books, {entity.name: read(books, entity, number)})

    def _entity(self, call: Call, resource: str) -> Entity:
        entity = BY_PATH.get(resource)
        if entity is not None:
            return entity
        if resource in UNCOVERED or resource in {"cdc", "reports", "taxservice", "upload", "batch"}:
            raise unsupported(f"{call.method} {resource} (not covered by the emulator)")
        raise self._no_resource(call)

    def _no_resource(self, call: Call) -> Fault:
        return unsupported(f"Could not find resource for relative : {call.path} of full path: {call.path}")

    def _post(self, books: Books, call: Call, resource: str, request_id: str) -> Answer:
        if resource == "taxservice" and [part.lower() for part in call.parts[1:]] == ["taxcode"]:
            return self._tax_code(books, call, request_id)
        if len(call.parts) != 1:
            if len(call.parts) == 3 and call.parts[2] in {"send", "pdf"}:
                raise unsupported(f"{call.parts[2]} of {resource} (not covered by the emulator)")
            raise self._no_resource(call)
        entity = self._entity(call, resource)
        txn = Txn(books, call.options.get("include", ""))
        record = perform(txn, entity, parse_body(call.body), call.options)
        answer = _wrap(books, {entity.name: record})
        txn.commit(Replay(request_id, answer.status, answer.body) if request_id else None)
        return answer

    def _tax_code(self, books: Books, call: Call, request_id: str) -> Answer:
        txn = Txn(books)
        answer = Answer(200, encode(create_tax_code(txn, parse_body(call.body))))
        txn.commit(Replay(request_id, answer.status, answer.body) if request_id else None)
        return answer

    def _batch(self, books: Books, call: Call, request_id: str) -> Answer:
        items = run_batch(books, parse_body(call.body), request_id=request_id, strict=self._strict)
        answer = _wrap(books, {"BatchItemResponse": items})
        if request_id:
            books.commit([], Replay(request_id, answer.status, answer.body))
        return answer


def _wrap(books: Books, body: Json) -> Answer:
    return Answer(200, encode({**body, "time": books.clock.envelope()}))


def parse_body(raw: bytes) -> Any:
    """The JSON of a request; malformed text is fault 2010."""
    try:
        return decode(raw)
    except MalformedJsonError as error:
        raise Fault(2010, f"Property Name:{str(error)[:200]} specified is unsupported or invalid") from error
