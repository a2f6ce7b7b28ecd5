"""The accounting API behind the gateway: from a path and a body to an answer, with the memory of request ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .batch import Batch
from .books import Books, Txn
from .cdc import run_cdc
from .delivery import send
from .documents import pdf_of
from .entities.company import read_rate
from .entities.entity import Entity
from .entities.registry import BY_NAME, BY_PATH, UNCOVERED
from .entities.tax_service import create_tax_code
from .evidence import Mark, rule
from .faults import Fault, unsupported
from .including import read_include, with_link
from .jsonio import Json, MalformedJsonError, decode, encode
from .operations import read
from .perform import perform
from .query.run import run_query
from .request_ids import RequestIds, digest

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
    cut_at: int | None = None  # a fault on order: a batch stops after so many items

    @property
    def resource(self) -> str:
        return self.parts[0].lower() if self.parts else ""

    @property
    def request_id(self) -> str:
        """The id under which the answer is remembered; reads have none."""
        return self.options.get("requestid", "") if self.method == "POST" and self.resource != "query" else ""

    def fingerprint(self) -> str:
        """What tells another request under the same id."""
        options = sorted(f"{name}={value}" for name, value in self.options.items() if name not in _WITHOUT_EFFECT)
        return digest(self.path.encode(), "&".join(options).encode(), self.body)


_WITHOUT_EFFECT = frozenset({"requestid", "minorversion", "format"})


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    replayed: bool = False
    content_type: bytes = b""


class Accounting:
    """Answers calls; raises Fault."""

    def __init__(self, ids: RequestIds, *, strict: bool) -> None:
        self._ids = ids
        self._strict = strict

    def recall(self, books: Books, call: Call) -> Answer | None:
        """The answer an earlier request with this id was given; raises Fault 600 and 2130."""
        request_id = call.request_id
        if not request_id:
            return None
        is_batch = call.resource == "batch"
        if len(request_id) > (36 if is_batch else 50):
            raise Fault(2130, f"The request id is longer than {36 if is_batch else 50} characters.")
        fingerprint = call.fingerprint()
        if is_batch:
            # A batch that is not the same one is looked at item by item.
            whole = books.replays.get(request_id)
            if whole is not None and whole.digest and whole.digest != fingerprint:
                return None
        found = self._ids.recall(books, request_id, fingerprint)
        return Answer(found.status, found.body, replayed=True) if found is not None else None

    def answer(self, books: Books, call: Call) -> Answer:
        """Do the work; what was done before under the same request id is the caller's to look at."""
        try:
            return self._answer(books, call)
        except Fault as fault:
            if not call.request_id or self._ids.policy.faults != "replayed":
                raise
            body = encode({"Fault": fault.as_json(), "time": books.clock.envelope()})
            books.commit([], self._ids.memo(call.request_id, fault.status, body, call.fingerprint()))
            return Answer(fault.status, body)

    def _answer(self, books: Books, call: Call) -> Answer:
        resource = call.resource
        if resource == "query":
            return self._query(books, call)
        if call.method == "GET":
            return self._get(books, call, resource)
        if call.method != "POST":
            raise unsupported(f"{call.method} {resource}")
        if resource == "batch" and len(call.parts) == 1:
            return self._batch(books, call)
        return self._post(books, call, resource)

    def _commit(self, txn: Txn, call: Call, answer: Answer) -> Answer:
        request_id = call.request_id
        memo = self._ids.memo(request_id, answer.status, answer.body, call.fingerprint()) if request_id else None
        txn.commit(memo)
        return answer

    def _query(self, books: Books, call: Call) -> Answer:
        if len(call.parts) != 1 or call.method not in {"GET", "POST"}:
            raise self._no_resource(call)
        text = call.options.get("query", "") or call.body.decode("utf-8", "replace")
        include = read_include(call.options.get("include", ""))
        response = run_query(self._ids.seen(books), text, strict=self._strict, include=include)
        return _wrap(books, {"QueryResponse": response})

    def _get(self, books: Books, call: Call, resource: str) -> Answer:
        if resource == "companyinfo" and len(call.parts) == 2:
            # The id in the path is the realm id; the record's own is 1.
            return _wrap(books, {"CompanyInfo": read(books, BY_NAME["CompanyInfo"], "1")})
        if resource == "preferences" and len(call.parts) == 1:
            return _wrap(books, {"Preferences": read(books, BY_NAME["Preferences"], "1")})
        if resource == "cdc" and len(call.parts) == 1:
            entities, since = call.options.get("entities", ""), call.options.get("changedSince", "")
            return _wrap(books, {"CDCResponse": run_cdc(self._ids.seen(books), entities, since, strict=self._strict)})
        if resource == "exchangerate" and len(call.parts) == 1:
            code, day = call.options.get("sourcecurrencycode", ""), call.options.get("asofdate", "")
            return _wrap(books, {"ExchangeRate": read_rate(books, code, day)})
        if len(call.parts) == 3 and call.parts[2].lower() == "pdf":
            document = pdf_of(books, self._entity(call, resource), call.parts[1])
            return Answer(200, document, content_type=b"application/pdf")
        if len(call.parts) != 2:
            raise self._no_resource(call)
        entity = self._entity(call, resource)
        number = call.parts[1]
        if entity.name == "TaxCode" and number in {"TAX", "NON", "CustomSalesTax"}:
            raise unsupported("read of a pseudo tax code")
        include = read_include(call.options.get("include", ""))
        return _wrap(books, {entity.name: with_link(books.realm, entity.name, read(books, entity, number), include)})

    def _entity(self, call: Call, resource: str) -> Entity:
        entity = BY_PATH.get(resource)
        if entity is not None:
            return entity
        if resource in UNCOVERED or resource in {"cdc", "reports", "taxservice", "upload", "batch"}:
            raise unsupported(f"{call.method} {resource} (not covered by the emulator)")
        raise self._no_resource(call)

    def _no_resource(self, call: Call) -> Fault:
        return unsupported(f"Could not find resource for relative : {call.path} of full path: {call.path}")

    def _post(self, books: Books, call: Call, resource: str) -> Answer:
        if resource == "taxservice" and [part.lower() for part in call.parts[1:]] == ["taxcode"]:
            return self._tax_code(books, call)
        if len(call.parts) != 1:
            if len(call.parts) == 3 and call.parts[2].lower() == "send":
                return self._send(books, call, self._entity(call, resource))
            raise self._no_resource(call)
        entity = self._entity(call, resource)
        txn = Txn(books, read_include(call.options.get("include", "")))
        record = perform(txn, entity, parse_body(call.body), call.options.get("operation", ""))
        shown = with_link(books.realm, entity.name, record, txn.include)
        return self._commit(txn, call, _wrap(books, {entity.name: shown}))

    def _send(self, books: Books, call: Call, entity: Entity) -> Answer:
        txn = Txn(books, read_include(call.options.get("include", "")))
        record = send(txn, entity, call.parts[1], call.options.get("sendTo", ""))
        shown = with_link(books.realm, entity.name, record, txn.include)
        return self._commit(txn, call, _wrap(books, {entity.name: shown}))

    def _tax_code(self, books: Books, call: Call) -> Answer:
        txn = Txn(books)
        answer = Answer(200, encode(create_tax_code(txn, parse_body(call.body))))
        return self._commit(txn, call, answer)

    def _batch(self, books: Books, call: Call) -> Answer:
        run = Batch(books, self._ids, call.request_id, strict=self._strict)
        answer = _wrap(books, {"BatchItemResponse": run.answers(parse_body(call.body), call.cut_at)})
        # A batch that was cut short has no answer to be remembered; its items are remembered one by one.
        return self._commit(Txn(books), call, answer) if call.cut_at is None else answer


def _wrap(books: Books, body: Json) -> Answer:
    return Answer(200, encode({**body, "time": books.clock.envelope()}))


def parse_body(raw: bytes) -> Any:
    """The JSON of a request; malformed text is fault 2010."""
    try:
        return decode(raw)
    except MalformedJsonError as error:
        raise Fault(2010, f"Property Name:{str(error)[:200]} specified is unsupported or invalid") from error
