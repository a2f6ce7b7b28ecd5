"""Batch: up to thirty operations in one request, each succeeding or failing alone.

An item cannot refer to what another has made; each is remembered by request id and bId.
"""

from __future__ import annotations

from typing import Any

from .books import Books, Key, Txn
from .cdc import run_cdc
from .delivery import send
from .entities.registry import BY_NAME
from .evidence import Mark, rule
from .faults import Fault, missing, unsupported
from .including import read_include, with_link
from .jsonio import Json, decode, encode
from .perform import perform
from .query.run import run_query
from .request_ids import RequestIds, digest

rule("batch.size", "More than 30 items are refused as a whole (1040)", Mark.DOCUMENT, "Intuit batch page")
rule("batch.alone", "Items succeed or fail alone; the answer is 200 in any case", Mark.RECORDING, "recorded batch")
rule(
    "batch.bid",
    "With a request id, each bId has at most 10 characters (2130)",
    Mark.DOCUMENT,
    "Intuit basic field definitions",
)
rule(
    "batch.options",
    "optionsData void beside operation update voids a payment; the words of include= are taken alone or as include=...",
    Mark.REPORT,
    "a thread about a client; the schema says name-value pairs, which are assumed",
)
rule("batch.other-options", "Any other optionsData of a batch item is refused (500)", Mark.MISSING)
rule("batch.replay", "A pair of request id and bId is executed once", Mark.DOCUMENT, "Intuit basic field definitions")
rule(
    "batch.visibility",
    "Items run in order; what one has made cannot be referred to by another",
    Mark.REPORT,
    "Intuit blog of 2017; queries inside a batch do see it here, and so do later updates of what was there before",
)
rule(
    "batch.operations",
    "create, update, delete, void and send in any case; revert and merge are refused (500)",
    Mark.DOCUMENT,
    "schema of the batch request; send goes to the document's own address",
)

LARGEST_BATCH = 30


class Batch:
    """One batch on its way: what its items have made so far stays hidden from the later ones."""

    def __init__(self, books: Books, ids: RequestIds, request_id: str, *, strict: bool) -> None:
        self._books = books
        self._ids = ids
        self._request_id = request_id
        self._strict = strict
        self._made: set[Key] = set()

    def answers(self, body: Any, cut_at: int | None = None) -> list[Json]:
        """The BatchItemResponse list, of the first items only if so; raises Fault when all of the request is wrong."""
        items = body.get("BatchItemRequest") if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise missing("BatchItemRequest")
        if len(items) > LARGEST_BATCH:
            raise Fault(1040, f"Batch size {len(items)} exceeds the limit of {LARGEST_BATCH}.")
        with self._books.journal.together():
            return [self._answer(item) for item in items[:cut_at]]

    def _answer(self, item: Any) -> Json:
        if not isinstance(item, dict):
            raise missing("BatchItemRequest")
        bid = str(item.get("bId", ""))
        try:
            self._check_bid(bid)
            return {**self._perform(item, f"{self._request_id}/{bid}" if self._request_id else ""), "bId": bid}
        except Fault as fault:
            return {"Fault": fault.as_json(), "bId": bid}

    def _check_bid(self, bid: str) -> None:
        if not bid:
            raise missing("bId")
        if self._request_id and len(bid) > 10:
            raise Fault(2130, "The bId is longer than 10 characters.")

    def _perform(self, item: Json, key: str) -> Json:
        if "Query" in item:
            return {"QueryResponse": run_query(self._ids.seen(self._books), str(item["Query"]), strict=self._strict)}
        if "CDCQuery" in item:
            return self._changes(item["CDCQuery"])
        if not key:
            return self._write(item, "", "")
        fingerprint = digest(encode(item))
        remembered = self._ids.recall(self._books, key, fingerprint)
        if remembered is not None:
            found: Json = decode(remembered.body)
            return found
        try:
            return self._write(item, key, fingerprint)
        except Fault as fault:
            if self._ids.policy.faults == "replayed":
                body = encode({"Fault": fault.as_json()})
                self._books.commit([], self._ids.memo(key, 200, body, fingerprint))
            raise

    def _changes(self, asked: Any) -> Json:
        if not isinstance(asked, dict):
            raise missing("CDCQuery")
        entities, since = str(asked.get("Entities", "")), str(asked.get("ChangedSince", ""))
        return {"CDCResponse": run_cdc(self._ids.seen(self._books), entities, since, strict=self._strict)}

    def _write(self, item: Json, key: str, fingerprint: str) -> Json:
        names = [name for name in item if name not in {"bId", "operation", "optionsData"}]
        if len(names) != 1 or names[0] not in BY_NAME or names[0] == "Roles":
            raise unsupported(f"batch item {', '.join(map(str, names))[:60]}")
        entity = BY_NAME[names[0]]
        txn = Txn(self._books, _include_of(item.get("optionsData")), self._made)
        operation = str(item.get("operation", "create")).lower()
        if operation not in {"create", "update", "delete", "void", "send"}:
            raise unsupported(f"batch operation {operation[:40]}")
        body = item[names[0]]
        if operation == "send":
            record = send(txn, entity, str(body.get("Id", "")) if isinstance(body, dict) else "", "")
        else:
            record = perform(txn, entity, body, operation)
        answer: Json = {entity.name: with_link(self._books.realm, entity.name, record, txn.include)}
        is_new = self._books.get(entity.name, str(record.get("Id"))) is None
        txn.commit(self._ids.memo(key, 200, encode(answer), fingerprint) if key else None)
        if is_new:
            self._made.add((entity.name, str(record["Id"])))
        return answer


def _include_of(options: Any) -> frozenset[str]:
    """The words that a batch item's optionsData stands for."""
    if options in (None, ""):
        return frozenset()
    if not isinstance(options, str):
        raise unsupported("optionsData that is no text")
    words = (word.strip().removeprefix("include=") for word in options.split("&"))
    return read_include(",".join(words))
