"""Batch: up to thirty operations in one request, each succeeding or failing alone.

An item cannot refer to what another has made; each is remembered by request id and bId.
"""

from __future__ import annotations

from typing import Any

from .books import Books, Key, Txn
from .entities.registry import BY_NAME
from .evidence import Mark, rule
from .faults import Fault, missing, unsupported
from .jsonio import Json, decode, encode
from .operations import perform
from .query.run import run_query
from .store import Replay

rule("batch.size", "More than 30 items are refused as a whole (1040)", Mark.DOCUMENT, "Intuit batch page")
rule("batch.alone", "Items succeed or fail alone; the answer is 200 in any case", Mark.RECORDING, "recorded batch")
rule("batch.replay", "A pair of request id and bId is executed once", Mark.DOCUMENT, "Intuit basic field definitions")
rule(
    "batch.visibility",
    "Items run in order; what one has made cannot be referred to by another",
    Mark.REPORT,
    "Intuit blog of 2017; queries inside a batch do see it here",
)

LARGEST_BATCH = 30


def run_batch(books: Books, body: Any, *, request_id: str, strict: bool) -> list[Json]:
    """The BatchItemResponse list; raises Fault when the request as a whole is wrong."""
    items = body.get("BatchItemRequest") if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise missing("BatchItemRequest")
    if len(items) > LARGEST_BATCH:
        raise Fault(1040, f"Batch size {len(items)} exceeds the limit of {LARGEST_BATCH}.")
    if request_id and len(request_id) > 36:
        raise Fault(2130, "The request id of a batch is longer than 36 characters.")
    made: set[Key] = set()
    return [_item(books, item, made, request_id=request_id, strict=strict) for item in items]


def _item(books: Books, item: Any, made: set[Key], *, request_id: str, strict: bool) -> Json:
    if not isinstance(item, dict):
        raise missing("BatchItemRequest")
    bid = str(item.get("bId", ""))
    try:
        _check_bid(bid, request_id)
        return {**_answer(books, item, made, f"{request_id}/{bid}" if request_id else "", strict=strict), "bId": bid}
    except Fault as fault:
        return {"Fault": fault.as_json(), "bId": bid}


def _check_bid(bid: str, request_id: str) -> None:
    if not bid:
        raise missing("bId")
    if request_id and len(bid) > 10:
        raise Fault(2130, "The bId is longer than 10 characters.")


def _answer(books: Books, item: Json, made: set[Key], replay_key: str, *, strict: bool) -> Json:
    if "Query" in item:
        return {"QueryResponse": run_query(books, str(item["Query"]), strict=strict)}
    remembered = books.replays.get(replay_key) if replay_key else None
    if remembered is not None:
        found: Json = decode(remembered.body)
        return found
    names = [key for key in item if key not in {"bId", "operation", "optionsData"}]
    if len(names) != 1 or names[0] not in BY_NAME or names[0] == "Roles":
        raise unsupported(f"batch item {', '.join(map(str, names))[:60]}")
    entity = BY_NAME[names[0]]
    txn = Txn(books, hidden=made)
    operation = str(item.get("operation", "create")).lower()
    if operation not in {"create", "update", "delete", "void"}:
        raise unsupported(f"batch operation {operation[:40]}")
    record = perform(txn, entity, item[names[0]], {"operation": operation})
    answer: Json = {entity.name: record}
    txn.commit(Replay(replay_key, 200, encode(answer)) if replay_key else None)
    made.add((entity.name, str(record["Id"])))
    return answer
